# The two commands of the README are `make demo` and `make test`; the rest serves them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled modules halve every start; some shells switch them off.
unexport PYTHONDONTWRITEBYTECODE
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: help setup demo test test-slow lint ui docs lock bench clean

help:
	@echo "make demo   set up, then run the whole graph on a fictional town and show what comes out"
	@echo "make test   set up for tests, then prove all of it"
	@echo "make ui     the Dagster UI on http://127.0.0.1:3000"
	@echo "make lint   ruff and mypy          make docs   rebuild the generated pages"
	@echo "make bench  speed, as ratios       make lock   resolve the locked versions anew"

setup: $(VENV)/.runtime

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is needed; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing the locked versions into $(VENV) (two to three minutes the first time)"
	@test -f $(VENV)/.tests || $(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.tests: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing the locked versions and the test tools into $(VENV)"
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.runtime

demo: setup
	@$(BIN)/leadflow demo

# Tests write and sync thousands of small files: in memory, where there is room, they take half as long.
SCRATCH := $(shell df -k --output=avail /dev/shm 2>/dev/null \
	| awk 'NR == 2 && $$1 > 4000000 { print "/dev/shm/leadflow-tests-$(shell id -u)" }')
# Two workers, a file each: most tests keep one core busy.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile $(if $(SCRATCH),--basetemp=$(SCRATCH))
TIDY = status=$$?; $(if $(SCRATCH),rm -rf $(SCRATCH);) exit $$status

test: $(VENV)/.tests
	@$(PYTEST) -m "not slow"; $(TIDY)

# The same kills and races many times over; ten minutes more.
test-slow: $(VENV)/.tests
	@$(PYTEST) -m slow; $(TIDY)

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

ui: setup
	@$(BIN)/leadflow ui

docs: $(VENV)/.tests
	$(BIN)/python docs/generate.py

bench: $(VENV)/.tests
	$(BIN)/python -m benchmarks.one_town
	$(BIN)/python -m benchmarks.statewide

# Needs uv. The runtime lock is a part of the test lock, so that tests prove what users run.
LOCK := uv pip compile pyproject.toml --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-annotate --no-header --quiet --extra build
lock:
	$(LOCK) --upgrade --extra dev -o requirements-dev.lock
	$(LOCK) -c requirements-dev.lock -o requirements.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
