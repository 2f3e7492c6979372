"""`python -m graftset`: the command line."""

from graftset.cli import main

if __name__ == "__main__":
    main()
