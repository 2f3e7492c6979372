"""A package that the stand-in would need, were it real."""
