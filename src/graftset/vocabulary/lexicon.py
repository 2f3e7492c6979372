"""Words known beforehand: a small help, not a list of what captions may say. Terms are learned from the captions.

Head nouns of accessories and clothes let a term be found where it is written once or without "wearing"; the words in
`PLAIN` keep a learned term free of colours, sizes, stuffs and shapes ("golden stud earring" is an earring).
"""

from __future__ import annotations

from collections.abc import Mapping

from graftset.pixels.color import TERMS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- figure, hair, eyes, skin ----------------------------------------------------------------------------------------

FIGURES = _words("lady lad woman man girl boy female male alien zombie ape robot")
HAIR = _words("hair hairs")
HAIR_NOUNS = _words(
    "wig updo dreads dreadlocks mohawk bun bob braids ponytail ponytails pigtails afro curls locks haircut hairdo ombre"
)
EYES = _words("eyes")
SKIN = _words("skin skinned skintone complexion")

# A style by the words that tell it; where several are told, the first of this table counts.
STYLES: Mapping[str, frozenset[str]] = {
    "bald": _words("bald"),
    "mohawk": _words("mohawk"),
    "afro": _words("afro"),
    "dreads": _words("dreads dreadlocks dread"),
    "braids": _words("braids braided braid"),
    "pigtails": _words("pigtails pigtail"),
    "ponytail": _words("ponytail ponytails"),
    "bun": _words("bun"),
    "updo": _words("updo beehive"),
    "bob": _words("bob"),
    "side part": _words("parted swept"),
    "curly": _words("curly curls curled"),
    "wavy": _words("wavy waves"),
    "buzzed": _words("buzzed buzzcut"),
    "short": _words("short shorter cropped"),
    "long": _words("long shoulders"),
    "straight": _words("straight"),
}

# Styles whose word is a noun: a picture has a mohawk, but it has no curly.
NOUN_STYLES = _words("bald mohawk afro dreads braids pigtails ponytail bun updo bob buzzed")

HAIR_COLORS: Mapping[str, tuple[str, ...]] = {
    "blonde": ("blonde",), "blond": ("blonde",), "blonder": ("blonde",), "blondish": ("blonde",),
    "golden": ("blonde",), "gold": ("blonde",), "platinum": ("blonde", "white"), "flaxen": ("blonde",),
    "brunette": ("brown",), "auburn": ("red", "brown"), "ginger": ("orange", "red"), "raven": ("black",),
    "ebony": ("black",), "jet": ("black",), "honey": ("blonde", "brown"), "sandy": ("blonde",), "sand": (),
    "mushroom": (),
}  # fmt: skip
EYE_COLORS: Mapping[str, tuple[str, ...]] = {
    "hazel": ("brown", "green"), "honey": ("brown",), "amber": ("orange", "brown"), "golden": ("gold", "yellow"),
}  # fmt: skip
# Depth of a skin; other colours of a skin ("green", "gray") are their own value.
SKIN_TONES: Mapping[str, str] = {
    "light": "light", "pale": "light", "fair": "light", "peachy": "light", "pinkish": "light", "white": "light",
    "medium": "medium", "tan": "tan", "tanned": "tan", "olive": "olive", "dark": "dark", "black": "dark",
    "deep": "dark", "ebony": "dark", "albino": "light",
}  # fmt: skip
SKIN_HUES = _words("green gray blue purple red yellow cyan teal mint")

# Words on the way from one colour word to the next that neither end nor change a run of colours.
MODIFIERS = _words(
    "light dark medium mid bright pale deep hot soft dull muted vivid neon pastel electric burnt dusty dusky warm cool "
    "very lighter darker brighter warmer jet dirty ashy ash natural colored coloured color colour tinted toned tone "
    "almost opal glowing icy icey hint shades shade tint tints of bubble gum strawberry baby"
)
JOINERS = _words("and to into or")

EXPRESSIONS: Mapping[str, frozenset[str]] = {
    "smile": _words("smile smiles smiling smirk smirking grin grinning"),
    "frown": _words("frown frowns frowning"),
    "neutral": _words("neutral expressionless"),
    "angry": _words("angry"),
    "sad": _words("sad"),
    "surprised": _words("surprised"),
}
# What such a word must speak of where it does not name the expression itself: "neutral colors", "sad song".
FACES = _words("expression face mouth lips line look")

# --- what is worn ----------------------------------------------------------------------------------------------------

FACIAL_HAIR = _words("beard stubble mustache goatee sideburns muttonchops")
ACCESSORIES = FACIAL_HAIR | _words(
    "glasses sunglasses eyeglasses spectacles goggles shades monocle visor headset headphones earphones earbuds "
    "cap hat beanie beret fedora turban crown tiara halo helmet headband bandana hairband hood bow ribbon flower "
    "durag wreath veil earring hoop necklace choker chain pendant lanyard scarf mask eyepatch piercing "
    "cigarette cigar pipe vape joint freckles mole scar tattoo horns antlers lipstick chinstrap handlebars spots"
)
# What a noun is called by one of its kinds: "beanie cap" is a beanie, "hair clip" a clip.
KINDS_OF = {
    ("beanie", "cap"): "beanie", ("beret", "hat"): "hat", ("tiara", "crown"): "crown", ("fedora", "cap"): "cap",
    ("headband", "bandana"): "headband", ("goggles", "glasses"): "glasses", ("ribbon", "bow"): "bow",
    ("flower", "crown"): "crown", ("hood", "cap"): "cap",
}  # fmt: skip
# Two words that make a thing of its own, whatever the captions call the rest.
COMPOUNDS = _words(
    "nerd_glasses 3d_glasses vr_headset top_hat cowboy_hat bucket_hat wizard_hat police_cap knitted_cap eye_patch "
    "eye_mask eye_shadow facial_hair soul_patch chin_strap cat_ears elf_ears bow_tie hair_clip face_mask nose_ring "
    "horn_rim rosy_cheeks clown_nose buck_teeth welding_goggles pilot_helmet do_rag tassle_hat"
)
# The head of a compound that alone is no accessory.
HALVES = frozenset(pair.split("_")[1] for pair in COMPOUNDS) - ACCESSORIES
PARTLIKE = _words("ribbon chain flower pendant hood bow hoop crown veil")  # of another thing, after "with"

GARMENTS = _words(
    "shirt t-shirt tee blouse sweater sweatshirt jumper turtleneck hoodie jacket coat overcoat trenchcoat blazer suit "
    "sportcoat vest dress gown jumpsuit bodysuit onesie top tanktop tie robe kimono uniform wetsuit cape "
    "collar cardigan poncho armor overalls undershirt bandeau undergarments apron suite"
) | {"tank top"}
GARMENT_COMPOUNDS = {
    ("collared", "shirt"): "collared shirt", ("tank", "top"): "tank top", ("t", "shirt"): "t-shirt",
    ("lab", "coat"): "lab coat", ("tee", "shirt"): "t-shirt", ("polo", "shirt"): "polo shirt",
    ("turtleneck", "sweater"): "turtleneck", ("sport", "coat"): "sportcoat", ("sweat", "shirt"): "sweatshirt",
}  # fmt: skip

# Nouns that are neither worn nor a slot, but end what stands before them.
OTHERS = _words(
    "lips expression smile face head lenses lens frames temples brim logo reflection reflections hairline hairstyle "
    "highlights streak roots tips clothing outfit garment garments background backgrounds mouth nose ear cheeks "
    "forehead neck shoulders chin insides fill filler accents pattern eyebrows"
)
WEARING = _words("wearing wears wore wear sporting")
CARRYING = _words("with has having holding smoking")
STOPS = WEARING | CARRYING | _words(
    "and against from through in on of behind under underneath over near next at that which because covering visible "
    "positioned tied but so like as is are for without no not around above below covered partially style styled"
)  # fmt: skip
NEGATIONS = _words("no not without")
REFERS = _words("in on from of the over under behind covering cover covers covered her his their your facial chin")
ARTICLES = _words("a an the")

# Words that tell colour, size, stuff, shape or amount: never part of a term.
PLAIN = (
    frozenset(TERMS)
    | MODIFIERS
    | JOINERS
    | STOPS
    | ARTICLES
    | _words(
        "golden silver metal metallic diamond pearl leather plastic wooden woolen furry knitted transparent "
        "translucent grey blonde small big large tiny huge long short tall wide narrow thin thick thicker chunky "
        "chunkier full round rectangular square curved flat classic vintage fancy simple plain stud studs dangly "
        "dangling hoop rimmed framed tinted structured baseball stunner two toned duo combo style styled backwards "
        "forward facing low snapback traditional polka dot majestic epic magical lab contrast colored"
    )
)

# --- spelling --------------------------------------------------------------------------------------------------------

SINGULARS: Mapping[str, str] = {
    "earrings": "earring", "necklaces": "necklace", "crowns": "crown", "caps": "cap", "hats": "hat", "bows": "bow",
    "headbands": "headband", "beanies": "beanie", "chains": "chain", "scarves": "scarf", "flowers": "flower",
    "beards": "beard", "masks": "mask", "shirts": "shirt", "moustache": "mustache", "goggle": "goggles",
    "tanktop": "tank top", "goetee": "goatee", "bandanna": "bandana", "freckle": "freckles",
}  # fmt: skip
SPELLINGS: Mapping[str, str] = {
    **SINGULARS, "grey": "gray", "tshirt": "t-shirt", "yees": "eyes", "capp": "cap", "bluee": "blue", "reds": "red",
    "browns": "brown", "reddish": "red", "brownish": "brown", "bluish": "blue", "greenish": "green",
    "purpl": "purple", "redd": "red", "reddpink": "pink", "fuul": "full", "rbown": "brown", "ebrown": "brown",
    "sutubble": "stubble",
}  # fmt: skip

# Nouns that are found where they are grown together with another word.
GROWN = ("sunglasses", "glasses", "earring", "necklace", "stubble", "beard", "shirt", "eyes", "bald", "lips", "hair")

KNOWN = (
    FIGURES | HAIR | HAIR_NOUNS | EYES | SKIN | ACCESSORIES | GARMENTS | OTHERS | STOPS | PLAIN | NEGATIONS | REFERS
    | frozenset(word for words in STYLES.values() for word in words)
    | frozenset(word for words in EXPRESSIONS.values() for word in words) | FACES
    | frozenset(HAIR_COLORS) | frozenset(EYE_COLORS) | frozenset(SKIN_TONES) | frozenset(SPELLINGS)
    | frozenset(word for pair in COMPOUNDS for word in pair.split("_"))
    | frozenset(word for pair in GARMENT_COMPOUNDS for word in pair)
    | _words(
        "balding layered length looking lashes eyelashes haircuts hairy rosemary straightened board pixel portrait "
        "collared hairpin headwear eyewear eyeliner eyelid chairs shaved volume textured shiny silky messy side "
        "sides longer shorter bangs clip accessory"
    )
)  # fmt: skip
