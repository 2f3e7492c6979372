"""The real portraits against what two readers saw in them: the figures that must be reached."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from graftset.assess import assess, known_reliability
from graftset.caption import propose
from graftset.catalog import Catalog
from graftset.ingest import ingest
from graftset.records import Background, ImageView

CELL = 512 / 24  # px


@dataclass(frozen=True)
class Labelled:
    """One candidate, and what two readers saw in it."""

    view: ImageView
    label: dict[str, Any]

    @property
    def words(self) -> list[str]:
        """Colour words the readers accept for its background."""
        return [*self.label["background"]["colours_accepted"], *self.label["background"]["other_colours"]]

    @property
    def background(self) -> Background:
        seen = self.view.traits.background
        assert seen is not None
        return seen

    @property
    def contradicted(self) -> bool:
        return any(c.slot == "background" and c.verdict == "contradicted" for c in self.view.claims)

    @property
    def asked_in_vain(self) -> bool:
        """Whether another background was asked for than the readers saw."""
        return self.label["asked"] is not None and self.label["asked"]["background"] not in self.words

    @property
    def rewritten_to_an_accepted_word(self) -> bool:
        found = re.search(r"([a-z]+(?: [a-z]+)?) background", self.view.proposed_caption or "")
        return found is not None and any(word in found.group(1).split() for word in self.words)

    @property
    def scores(self) -> tuple[float, float]:
        """Ours and the readers' mean."""
        assert self.view.score is not None
        return self.view.score, mean(self.label["quality"])


@pytest.fixture(scope="module")
def catalog(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The real originals and candidates, through the stages."""
    folder = shared / "data" / "portraits"
    catalog = Catalog.open(f"sqlite:///{tmp_path_factory.mktemp('real')}/catalog.db")
    ingest(catalog, originals=folder / "originals", candidates=folder / "generated", prompts=None)
    assert assess(catalog, workers=1, strict=True).refused == ()
    propose(catalog)
    return catalog


@pytest.fixture(scope="module")
def labelled(shared: Path, catalog: Catalog) -> list[Labelled]:
    labels = json.loads((shared / "data" / "portraits" / "labels.json").read_text(encoding="utf-8"))
    views = {Path(view.path).stem: view for view in catalog.views() if view.origin == "generated"}
    assert labels.keys() <= views.keys()
    return [Labelled(views[stem], label) for stem, label in labels.items()]


def failing(cases: Sequence[tuple[Labelled, bool]]) -> list[str]:
    """Names of the candidates for which something does not hold."""
    return [Path(one.view.path).stem for one, holds in cases if not holds]


def test_every_candidate_has_24_cells_of_a_24th_of_its_size(labelled: list[Labelled]) -> None:
    for one in labelled:
        grid = one.view.grid
        assert grid is not None
        assert (grid.width, grid.height) == (24, 24)
        assert abs((grid.cell_w + grid.cell_h) / 2 - CELL) <= 0.1


def test_the_background_word_is_accepted_on_all_but_one(labelled: list[Labelled]) -> None:
    assert len(failing([(one, one.background.value in one.words) for one in labelled])) <= 1


def test_the_background_kind_is_accepted_on_all_but_three(labelled: list[Labelled]) -> None:
    accepted = [(one, one.background.kind in one.label["background"]["kinds_accepted"]) for one in labelled]
    assert len(failing(accepted)) <= 3


def test_every_background_asked_for_in_vain_is_flagged_and_rewritten_to_an_accepted_word(
    labelled: list[Labelled],
) -> None:
    wrong = [one for one in labelled if one.asked_in_vain]
    assert len(wrong) == 14
    assert failing([(one, one.contradicted) for one in wrong]) == []
    assert failing([(one, one.rewritten_to_an_accepted_word) for one in wrong]) == []


def test_a_background_that_came_as_asked_is_left_alone_on_all_but_one(labelled: list[Labelled]) -> None:
    right = [one for one in labelled if one.label["asked"] is not None and not one.asked_in_vain]
    assert len(right) == 7
    assert len(failing([(one, not one.contradicted) for one in right])) <= 1


def test_the_hair_word_is_accepted_on_nine_of_ten_answers(labelled: list[Labelled]) -> None:
    said = [(one, one.view.traits.slots["hair"].value) for one in labelled]
    answered = [(one, word) for one, word in said if word != "unknown"]
    assert len(answered) >= 0.8 * len(labelled)
    accepted = [
        (one, word in [*one.label["hair"]["colours_accepted"], *one.label["hair"]["second"]]) for one, word in answered
    ]
    assert len(failing(accepted)) <= 0.1 * len(answered)


def test_the_figure_is_right_on_nine_of_ten_answers(labelled: list[Labelled]) -> None:
    said = [(one, one.view.traits.slots["figure"].value) for one in labelled if one.label["figure"]]
    answered = [(one, value == one.label["figure"]) for one, value in said if value != "unknown"]
    assert len(answered) >= 0.8 * len(said)
    assert len(failing(answered)) <= 0.1 * len(answered)


def test_what_both_readers_rule_out_is_hardly_ever_called_present(labelled: list[Labelled]) -> None:
    said = [
        one.view.traits.accessories[term].value
        for one in labelled
        for term in one.label["accessories_absent"]
        if term in one.view.traits.accessories
    ]
    ruled_out = sum(len(one.label["accessories_absent"]) for one in labelled)
    assert said.count("present") <= 0.03 * ruled_out
    assert said.count("absent") >= 0.4 * len(said)


def test_no_word_a_reader_accepts_is_rewritten(labelled: list[Labelled]) -> None:
    """Hair that is asked for and partly there stays as asked."""
    for one in labelled:
        for claim in one.view.claims:
            if claim.slot == "hair" and claim.verdict == "contradicted":
                assert claim.claimed not in one.label["hair"]["colours_accepted"]
            if claim.slot == "figure" and one.label["figure"]:
                assert claim.verdict != "contradicted" or claim.claimed != one.label["figure"]


def test_what_labelled_originals_wear_is_told_by_detectors_that_did_not_see_them(
    shared: Path, catalog: Catalog
) -> None:
    labels = json.loads((shared / "data" / "portraits" / "original_labels.json").read_text(encoding="utf-8"))
    views = {Path(view.path).stem: view for view in catalog.views() if view.origin == "original"}
    there, ruled_out, hair = [], [], []
    for stem, label in labels.items():
        seen = views[stem].traits
        known = {*label["accessories_present"], *label["accessories_uncertain"]}
        there += [seen.accessories[t].value for t in label["accessories_present"] if t in seen.accessories]
        ruled_out += [trait.value for term, trait in seen.accessories.items() if term not in known]
        if seen.slots["hair"].value != "unknown":
            hair.append(seen.slots["hair"].value in [*label["hair"]["colours_accepted"], *label["hair"]["second"]])
    assert ruled_out.count("present") <= 0.05 * len(ruled_out)
    assert there.count("present") > there.count("absent")
    assert np.mean(hair) >= 0.8


def test_what_is_worn_is_told_reliably_on_originals_that_were_held_out(catalog: Catalog) -> None:
    """One term may miss: another seed of the folds moves an earring by 0.05. See docs/log.md."""
    known = {name: found for name, found in known_reliability(catalog).items() if name.startswith("accessory:")}
    enough = [found for found in known.values() if found.positives >= 8]
    reached = [found for found in enough if found.answers]
    assert len(enough) >= 8
    assert len(reached) >= len(enough) - 1
    assert all((found.balanced_accuracy or 0) >= 0.8 for found in reached)
    assert all((found.coverage or 0) >= 0.7 for found in reached)
    assert np.mean([found.balanced_accuracy or 0.0 for found in enough]) >= 0.85


def test_the_score_follows_the_readers_in_order_and_in_scale(labelled: list[Labelled]) -> None:
    ours, theirs = zip(*(one.scores for one in labelled), strict=True)
    assert spearmanr(ours, theirs).statistic >= 0.5
    assert mean(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= 1.0
    assert abs(mean(ours) - mean(theirs)) <= 0.75


def test_the_originals_score_ten_and_their_captions_stay(catalog: Catalog) -> None:
    originals = [view for view in catalog.views() if view.origin == "original"]
    assert len(originals) == 203
    assert min(view.score or 0 for view in originals) >= 9.5
    assert all(view.proposed_caption is None and view.changes == () for view in originals)


def test_most_of_the_owners_captions_agree_with_the_pictures(catalog: Catalog) -> None:
    """They contain mistakes, but an owner's caption contradicted every other time would mean we cannot read."""
    views = [v for v in catalog.views() if v.origin == "original"]
    claims = [c.verdict for v in views for c in v.claims if c.slot == "background"]
    assert claims.count("contradicted") / len(claims) <= 0.2
    assert claims.count("confirmed") / len(claims) >= 0.7
