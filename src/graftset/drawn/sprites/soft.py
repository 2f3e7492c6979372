"""The soft style: a large round head seen from the front, big eyes, cheeks, no outlines (they are drawn afterwards)."""

from __future__ import annotations

SPRITES: dict[str, str] = {
    "head.lad": """
 4 ........ssssssss
 5 .......ssssllssss
 6 ......ssslllssssss
 7 ......ssslssssssss
 8 ......ssssssssssss
 9 ......ssssssssssss
10 ......ssssssssssss
11 ......ssssssssssss
12 .....kssssssssssssk
13 .....kssssssssssssk
14 ......ssssssssssss
15 ......rrssssssssrr
16 ......ssssssssssss
17 .......ssssssssss
18 ........kssssssk
19 .........kkkkkk
20 ..........ksss
21 .........ksssss
22 .........ksssss
""",
    "head.lady": """
 4 ........ssssssss
 5 .......ssssllssss
 6 ......ssslllssssss
 7 ......ssslssssssss
 8 ......ssssssssssss
 9 ......ssssssssssss
10 ......ssssssssssss
11 ......ssssssssssss
12 ......ssssssssssss
13 .....kssssssssssssk
14 .....kssssssssssssk
15 ......rrssssssssrr
16 ......srssssssssrs
17 .......ssssssssss
18 .........ssssss
19 ..........kkkk
20 ..........ksss
21 ..........ksss
22 .........kkssss
""",
    "eyes.lad": """
 9 .......bbb....bbb
11 ........pp....pp
12 ........ep....ep
13 ........ii....ii
""",
    "eyes.lady": """
 9 .......bb......bb
11 .......ppp....ppp
12 ........ep....ep
13 ........ii....ii
""",
    "nose": """
14 ...........kk
""",
    "mouth.neutral.lad": """
16 ..........mmmm
""",
    "mouth.smile.lad": """
15 .........m....m
16 ..........mmmm
""",
    "mouth.neutral.lady": """
16 ..........MMMM
""",
    "mouth.smile.lady": """
15 .........M....M
16 ..........MMMM
17 ...........mm
""",
    "stubble": """
14 ......=..........=
15 ......==........==
16 ......===......===
17 .......====..====
18 ........========
""",
    "beard": """
13 ......+..........+
14 ......+..........+
15 ......+++.++++.+++
16 ......++++....++++
17 .......++++..++++
18 .......++++++++++
19 ........++++++++
20 .........++++++
""",
    "clothes.t-shirt": """
20 .......ccd....dcc
21 .....ccccdd..ddcccc
22 ....cCccccddddcccccd
23 ...cCcccccccccccccddd
""",
    "clothes.collared shirt": """
20 .......www....www
21 .....cwwwWw..wWwwwc
22 ....cCccwwWwwWwwccdd
23 ...cCcccdwwWWwwdccddd
""",
    "clothes.hoodie": """
18 .......d........d
19 ......cdd......ddc
20 .....cccdd....ddccc
21 ....cCccdddddddccccd
22 ...cCccccwddddwcccddd
23 ...cCccccwccccwcccddd
""",
    "clothes.suit": """
20 .......ddw....wdd
21 .....cccddww.wwddcc
22 ....cCccddwwpwwddccd
23 ...cCcccddwwpwwddccdd
""",
    "clothes.turtleneck": """
19 .........dcccCd
20 .........dcccCd
21 .....cccccdddddcccc
22 ...cccCccccccccccccdc
23 ...ccCcccccccccccccdc
""",
    "clothes.tank top": """
20 .......sc......cs
21 .....ssscd....dcsss
22 ....ssscccddddcccsss
23 ....ssscCccccccddsss
""",
    "headwear.cap": """
 0 .........CCcccc
 1 .......cCCccccccc
 2 ......cCCccccccccd
 3 .....cCccwwwwccccdd
 4 ....ccccwwwwwwccccdd
 5 ....cccccwwwwcccccdd
 6 ....ccccccccccccccdd
 7 ....oooooooooooooooo
 8 .....CCCCccccccccdd
 9 ......oooooooooooo
""",
    "headwear.top hat": """
 0 .......cCCccccccd
 1 .......cCccccccdd
 2 .......cCccccccdd
 3 .......cccccccddd
 4 .......wwwwwwwwWW
 5 .......wwwwwwwwWW
 6 ..ccCCCcccccccccccdddd
 7 ...dddddddddddddddddd
""",
    "headwear.beanie": """
 0 ..........wWwW
 1 ..........WwWw
 2 .......ccCcdccdcc
 3 ......cCCcdccdccdd
 4 .....cCCccdccdccdcd
 5 ....ccCcccdccdccdccd
 6 ....wwwWwwWwwWwwWwwW
 7 ....wwwWwwWwwWwwWwwW
 8 ....WWWWWWWWWWWWWWWW
""",
    "headwear.crown": """
 0 ......C....CC....C
 1 .....ccc..cccc..ccc
 2 .....cCccccccccccdc
 3 .....cCwwccwwccwwdc
 4 .....ccwwccwwccwwdd
 5 .....dddddddddddddd
""",
    "headwear.bow": """
 0 ...........oo....oo
 1 ..........oCcoooocco
 2 ..........oCccddcccco
 3 ..........occcodcccco
 4 ..........occoooocco
 5 ...........oo....oo
""",
    "headwear.headband": """
 4 ....CCcccccccccccccd
 5 ....wwcwwcwwcwwcwwcd
 6 ...dddddddddddddddddd
""",
    "eyewear.glasses": """
10 .......cccc..cccc
11 .....cc....cc....cc
12 ......c....cc....c
13 ......c....cc....c
14 .......cccc..cccc
""",
    "eyewear.sunglasses": """
10 ......cccccccccccc
11 .....cceegggcgeeggcc
12 ......cegggccegggc
13 ......cggggccggggc
14 .......cccc..cccc
""",
    "earring": """
14 ....Co............oC
15 ....cco..........occ
16 ....do............od
""",
    "necklace": """
19 ........o......o
20 ........co....oc
21 .........cooooc
22 ..........cCCc
23 ...........wW
""",
}
