# The two commands of the README. Everything is installed into .venv from constraints.txt (versions and hashes).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint docs lock clean

demo: .venv/installed
	$(BIN)/kinerja demo

test: .venv/installed lint
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The pages that are made, not typed; a test fails when one is out of date.
docs: .venv/installed
	$(BIN)/python docs/promises.py

# --no-deps: the list is complete; pip only has to check hashes.
.venv/installed: constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Needs uv; writes the pinned list anew from pyproject.toml.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml -o constraints.txt

clean:
	rm -rf .venv
