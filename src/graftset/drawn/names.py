"""Names for drawn originals: `lady_014_saffron`, a running number and a word that no other original of the set has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graftset.drawn.specs import Figure

_WORDS = (
    "acacia agate alabaster alder almond amber anise apricot ash aspen aster azalea bamboo banyan barley basalt "
    "basil bay beech begonia beryl birch bluebell bramble brass bronze buckwheat burlap cactus calico camellia "
    "canvas caraway carbon cardamom carnation cashew cassia cayenne cedar celery chalk chamois cherry chestnut "
    "chicory chili chive cinnamon citrine clay clove clover cobalt cocoa comet copper coral corduroy coriander "
    "cork cornflower cotton crane cress crocus cumin cypress daffodil dahlia daisy damask date delta denim dill "
    "dogwood dove dune ebony echo elder elm ember emerald fennel fern fescue fig finch fir flannel flax flint fog "
    "foxglove galena garnet ginger gingham ginkgo glacier gneiss granite grove gypsum harbor hawthorn hazel "
    "heather hemlock hemp henna heron hibiscus hickory holly honey hops hyssop indigo iris iron island ivory ivy "
    "jade jasmine jasper jet juniper jute kale kelp kiwi lace lagoon larch lark laurel lava lavender leather "
    "lemon lichen lilac lily lime linden linen lotus lupin madder magnolia mango maple marble marigold marjoram "
    "meadow mica millet mimosa mint mist moon moss mulberry muslin myrtle nettle nickel nutmeg oak oat obsidian "
    "ochre olive onyx opal orchid oregano osier palm pansy paprika parsley pear pebble peony pepper pine plum "
    "poplar poppy prairie primrose quartz quince rattan reed rice river rosemary rowan ruby rye saffron sage "
    "sandal satin sesame shale sienna silk silver slate sorrel spruce star sumac tansy teak thistle thyme topaz "
    "tulip tundra tweed umber vanilla velvet violet walnut wheat willow wool yarrow yew zinc zinnia "
)
WORDS = tuple(_WORDS.split())


def name_originals(figures: Sequence[Figure], rng: np.random.Generator) -> list[str]:
    """A file stem for each original; numbers run within a figure, words never repeat."""
    order = rng.permutation(len(WORDS))
    counts: dict[Figure, int] = {"lady": 0, "lad": 0}
    stems = []
    for i, figure in enumerate(figures):
        counts[figure] += 1
        rounds, place = divmod(i, len(WORDS))
        word = WORDS[order[place]] + (str(rounds + 1) if rounds else "")
        stems.append(f"{figure}_{counts[figure]:03d}_{word}")
    return stems
