"""Captions <-> claims: the grammar of the originals' captions, the slots it names and the words it uses.

A caption is comma parts ("pixel art, 24x24, portrait of bespoke punk lady, ..., green background, ..."). A *slot* is a
thing a part can speak of: background, hair, hair style, eyes, skin, figure, clothing, expression, each accessory.

lexicon.py     words known beforehand
parts.py       comma parts, words, colour words
background.py  what a caption says of the background
features.py    ... of hair, eyes, skin and figure
worn.py        ... of accessories and clothes, whose nouns are learned
tags.py        ... of things it names without "wearing", learned from parts that repeat
named.py       what the user names in the settings
learning.py    what the originals' captions have in common
"""

from graftset.pixels.color import TERMS
from graftset.vocabulary.background import layout_of, read_background, single_color_phrases
from graftset.vocabulary.learning import ACCESSORY, SLOTS, Labels, Vocabulary, read_phrases
from graftset.vocabulary.named import NOTHING_NAMED, Named
from graftset.vocabulary.parts import Phrase, color_terms, split_parts

__all__ = [
    "ACCESSORY",
    "NOTHING_NAMED",
    "SLOTS",
    "TERMS",
    "Labels",
    "Named",
    "Phrase",
    "Vocabulary",
    "color_terms",
    "layout_of",
    "read_background",
    "read_phrases",
    "single_color_phrases",
    "split_parts",
]
