"""The classic style: a narrow head turned a little to the right, black outlines, hard shading."""

from __future__ import annotations

SPRITES: dict[str, str] = {
    "head.lad": """
 4 .........oooooo
 5 ........osssssso
 6 .......osslllsso
 7 .......osllssssso
 8 .......osssssssso
 9 .......osssssssso
10 .......osssssssso
11 .......osssssssso
12 ......oosssssssso
13 .....ossksssssslo
14 .....oskkssssssso
15 ......ookssssssso
16 .......okssssssso
17 .......okssssssso
18 .......okkssssso
19 .......osskkkko
20 .......ossskoo
21 .......ossko
22 .......ossko
23 .......ossko
""",
    "head.lady": """
 4 .........oooooo
 5 ........osssssso
 6 .......osslllsso
 7 .......osllssssso
 8 .......osssssssso
 9 .......osssssssso
10 .......osssssssso
11 .......osssssssso
12 .......osssssssso
13 ......osksssssslo
14 ......okkssssssso
15 .......okssssssso
16 .......okssssssso
17 .......okkssssso
18 ........okkssso
19 ........ossooo
20 ........osko
21 ........osko
22 ........osko
23 ........osko
""",
    "eyes.lad": """
11 .........bb..bb
12 .........ip..ip
""",
    "eyes.lady": """
11 ........ppp..ppp
12 .........ip..ip
13 .........ie..ie
""",
    "nose": """
14 ............k
15 ............o
""",
    "mouth.neutral.lad": """
17 ..........mmmm
""",
    "mouth.smile.lad": """
16 .........m
17 ..........mmmm
""",
    "mouth.neutral.lady": """
17 ..........MMMM
""",
    "mouth.smile.lady": """
16 .........M
17 ..........MMMM
18 ...........mm
""",
    "stubble": """
15 ........=
16 ........==.====
17 ........==....==
18 .........======
19 ..........====
""",
    "beard": """
13 ........+
14 ........+
15 ........++.....+
16 ........+++++++++
17 ........++....++
18 ........++++++++
19 ........+++++++
20 .........+++++
21 ..........+++
""",
    "clothes.t-shirt": """
21 .....oo......ooo
22 ...ooccd....dccCoo
23 ..occcccdddddcccCco
""",
    "clothes.collared shirt": """
20 ......o......o
21 .....oww....wwo
22 ...oocdwww.wwdccoo
23 ..occccdwWwWwdccCco
""",
    "clothes.hoodie": """
19 ......o......o
20 .....ocd....dco
21 ....oocdd..ddccoo
22 ..oocccdddddddcccoo
23 .occccccwdddwccccCco
""",
    "clothes.suit": """
20 ......o......o
21 .....odw....wdo
22 ...oocddww.wwddcoo
23 ..occccddwCCwddccCco
""",
    "clothes.turtleneck": """
20 .......odcccdo
21 .....ooodcCcdooo
22 ...ooccccdccdcccoo
23 ..occcccccddccccCco
""",
    "clothes.tank top": """
21 ......co....oc
22 ....oscd....dcso
23 ...osscccddddccsso
""",
    "headwear.cap": """
 1 ..........ooooo
 2 ........oocccCooo
 3 .......occcccCCcco
 4 ......occccccccCcco
 5 ......occcwwwwcccco
 6 .....odcccwwwwcccco
 7 .....oddcccccccccco
 8 .....oddddddddddddooooo
 9 ......oooooooooodddddddo
10 ................ooooooo
""",
    "headwear.top hat": """
 0 .......oooooooooo
 1 .......occCccccdo
 2 .......occCccccdo
 3 .......occCccccdo
 4 .......occCccccdo
 5 .......owwwwwwwWo
 6 ...oooowwwwwwwwWWoooo
 7 ...occccccccccccccddo
 8 ....oooooooooooooooo
""",
    "headwear.beanie": """
 0 ..........wwW
 1 .........wwwwW
 2 ........cccccccc
 3 .......cCcdccdccdc
 4 ......ccCcdccdccdcd
 5 ......cCccdccdccdcd
 6 .....oooooooooooooo
 7 .....wwwWwwWwwWwwWW
 8 .....wwwWwwWwwWwwWW
""",
    "headwear.crown": """
 0 ......C....C.....C
 1 ......cc..ccc...cc
 2 ......ccCcccccCccd
 3 ......ccwccwwccwcd
 4 ......cCccccccccdd
 5 ......dddddddddddd
""",
    "headwear.bow": """
 1 ............oo....oo
 2 ............occo.occo
 3 ............ocCcocCcdo
 4 ............occdodcddo
 5 ............occo.ocdo
 6 .............oo...oo
""",
    "headwear.headband": """
 5 ......CCcccccccccd
 6 .....cccwwccwwccwwd
 7 .....dddddddddddddd
""",
    "eyewear.glasses": """
11 .........cc..cc
12 ......ccc..cc..cc
13 ........c..cc..c
14 .........cc..cc
""",
    "eyewear.sunglasses": """
11 ......cccccccccccc
12 ......c.cgegccgegc
13 ........cgggccgggc
14 .........cc....cc
""",
    "earring": """
14 .....CC
15 .....cc
16 ......d
""",
    "necklace": """
20 .......c....c
21 .......cc..cc
22 ........cCCc
23 .........wW
""",
}
