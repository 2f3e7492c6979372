"""Fixtures every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

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
