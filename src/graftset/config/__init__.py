"""graftset.toml -> typed settings: unknown keys refused, every fault reported at once, every default explained.

Importing this loads pydantic; only commands that work on a project do so, `--help` does not.
"""

from graftset.config.plans import PlanSettings
from graftset.config.project import Project, load, open_project
from graftset.config.reading import parse
from graftset.config.settings import (
    FILE_NAME,
    AssessSettings,
    BuildSettings,
    CatalogSettings,
<<<<<<< HEAD
    DecideSettings,
=======
    ExperimentSettings,
>>>>>>> i7
    FloorSettings,
    NativeSettings,
    Plan,
    ProjectSettings,
    ReviewSettings,
    SampleSettings,
    SelectSettings,
    Settings,
    SuggestSettings,
    TrainSettings,
    VocabularySettings,
)
from graftset.config.writing import default_toml

__all__ = [
    "FILE_NAME",
    "AssessSettings",
    "BuildSettings",
    "CatalogSettings",
<<<<<<< HEAD
    "DecideSettings",
=======
    "ExperimentSettings",
>>>>>>> i7
    "FloorSettings",
    "NativeSettings",
    "Plan",
    "PlanSettings",
    "Project",
    "ProjectSettings",
    "ReviewSettings",
    "SampleSettings",
    "SelectSettings",
    "Settings",
    "SuggestSettings",
    "TrainSettings",
    "VocabularySettings",
    "default_toml",
    "load",
    "open_project",
    "parse",
]
