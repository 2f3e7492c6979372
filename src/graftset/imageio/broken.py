"""The one exception the decoders raise; `reading` adds the path and makes it a `SkipFile`."""

from __future__ import annotations


class BrokenImageError(ValueError):
    """Bytes that cannot be taken as an image; the message goes on from "the file ..."."""
