"""Arrays in, arrays out: everything graftset knows about reading pixels. Imports nothing of the rest of the package."""
