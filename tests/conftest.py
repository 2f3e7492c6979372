"""Fixtures every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from graftset.drawn import draw_sample_set
from ingest_helpers import Project


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real portraits and labels beside the repository; tests that need it are skipped without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder `shared` beside the repository")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Empty folders of originals and generated images, to fill and ingest."""
    return Project(tmp_path)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample set, `originals/` and `candidates/`, to read only: 12 of each, drawn once."""
    folder = tmp_path_factory.mktemp("drawn") / "sample"
    draw_sample_set(folder, originals=12, candidates=12, size=192, seed=3)
    return folder


@pytest.fixture(scope="session")
def reviewable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project up to its selection, to copy and review."""
    from reviewing import make_project

    folder = tmp_path_factory.mktemp("reviewable") / "project"
    make_project(folder)
    return folder
