"""graftset grows a small image training set with generated images, and shows by evidence whether it helped."""

__version__ = "0.1.0"
