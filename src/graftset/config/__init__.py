"""graftset.toml -> typed settings: unknown keys refused, every fault reported at once, every default explained.

Importing this loads pydantic; only commands that work on a project do so, `--help` does not.
"""

from graftset.config.experiments import DecideSettings, ExperimentSettings, SuggestSettings
from graftset.config.painting import SamplingSettings, TrackingSettings
from graftset.config.plans import PlanSettings
from graftset.config.project import Project, load, open_project
from graftset.config.reading import parse
from graftset.config.settings import (
    FILE_NAME,
    AssessSettings,
    BuildSettings,
    CatalogSettings,
    FloorSettings,
    Plan,
    ProjectSettings,
    ReviewSettings,
    SampleSettings,
    SelectSettings,
    Settings,
    VocabularySettings,
)
from graftset.config.training import KohyaSettings, NativeSettings, TrainSettings
from graftset.config.writing import default_toml

__all__ = [
    "FILE_NAME",
    "AssessSettings",
    "BuildSettings",
    "CatalogSettings",
    "DecideSettings",
    "ExperimentSettings",
    "FloorSettings",
    "KohyaSettings",
    "NativeSettings",
    "Plan",
    "PlanSettings",
    "Project",
    "ProjectSettings",
    "ReviewSettings",
    "SampleSettings",
    "SamplingSettings",
    "SelectSettings",
    "Settings",
    "SuggestSettings",
    "TrackingSettings",
    "TrainSettings",
    "VocabularySettings",
    "default_toml",
    "load",
    "open_project",
    "parse",
]
