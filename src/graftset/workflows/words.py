"""The words of the settings, as the vocabulary takes them."""

from __future__ import annotations

from graftset.config import VocabularySettings
from graftset.vocabulary import Named


def named_words(settings: VocabularySettings) -> Named:
    """What the user names under [vocabulary]; `config` has refused what contradicts itself."""
    return Named.of(
        accessories=settings.accessories,
        clothing=settings.clothing,
        figure=settings.figure,
        ignore=settings.ignore,
        synonyms=settings.synonyms,
        slots=settings.slots,
    )
