# `make demo` and `make test` each set up all they need in .venv and go on; nothing else has to be run first.
#
#   PYTHON=...   interpreter to set up with, 3.11 or 3.12     JOBS=2      test processes
#   VENV=.venv   where the environment lies                    DEMO=demo   where the demonstration goes
#   PIP=...      how to install; pip's own settings (PIP_INDEX_URL, pip.conf, ...) are left to you

VENV ?= .venv
DEMO ?= demo
JOBS ?= 2
# Each one is asked for its version, not only looked up: a version manager may list names that do not run.
PYTHON ?= $(shell for python in python3.11 python3.12 python3 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$python && break; done)
BIN := $(VENV)/bin
PIP ?= $(BIN)/python -m pip
INSTALL = $(PIP) install --quiet --constraint constraints.txt --editable
SOURCES := src tests benchmarks docs
BENCHMARKS := $(sort $(wildcard benchmarks/[!_]*.py))

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint format bench docs clean

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: $(VENV)/.runs  ## draw a sample set into demo/, expand it, try it out, and print where the report is
	@$(BIN)/graftset demo $(DEMO)

test: $(VENV)/.tests  ## the tests that take seconds
	@test -n "$$CHROMIUM" || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	echo "Chromium was not found, so the tests of the review in a browser will fail: apt-get install chromium," \
	"or name another one with CHROMIUM=/path/to/it" >&2
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

test-slow: $(VENV)/.tests  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.tests  ## ruff and mypy
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy

format: $(VENV)/.tests  ## put the code into its form
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(VENV)/.tests  ## every benchmark, one table each
	@set -e; for benchmark in $(BENCHMARKS); do echo "== $$benchmark"; $(BIN)/python $$benchmark; done

docs: $(VENV)/.tests  ## write the generated pages of docs/ again
	$(BIN)/python docs/generate.py

clean:  ## remove the environment and caches; demo/ stays
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 was not found: install one, or name it with PYTHON=..." >&2; exit 1; }
	@echo "setting up $(VENV), once; this takes a few minutes"
	@# Debian keeps the pip for new environments in a package of its own; without it, the system's pip installs one.
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null && $(PYTHON) -m venv --clear $(VENV) \
	|| { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	@touch $@

$(VENV)/.runs: $(VENV)/.made pyproject.toml constraints.txt
	@$(INSTALL) '.[train]'
	@touch $@

$(VENV)/.tests: $(VENV)/.runs
	@$(INSTALL) '.[dev]'
	@touch $@
