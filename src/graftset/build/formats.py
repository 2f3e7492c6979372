"""The table of trainer formats: one more is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from graftset.build import kohya
from graftset.build.package import Format

FORMATS: Mapping[str, Format] = MappingProxyType({"kohya": kohya.FORMAT})
