# Two commands: `make demo` shows a working hub, `make test` proves it. Both set everything up first.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
STAMP := $(VENV)/.installed
MANIFEST := dbt_project/target/manifest.json
# what is checked is the code: a hub that is stopped, or has something to repair, holds up no upgrade
CHECK_CODE := $(BIN)/hdh --home $(VENV)/no-hub check --deep
DBT_SOURCES := $(shell find dbt_project hdh_assets/sources -name target -prune -o \
	-type f \( -name '*.sql' -o -name '*.yml' -o -name '*.yaml' -o -name '*.csv' \) ! -name _sources.yml -print)

.DEFAULT_GOAL := help
.PHONY: help setup demo up test slow check format bench lock clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 16

setup: $(MANIFEST) ## virtual environment, pinned dependencies, dbt manifest

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "No virtual environment could be made. On Debian: apt-get install python3.11-venv" >&2; exit 1; }

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(MANIFEST): $(STAMP) $(DBT_SOURCES)
	$(CHECK_CODE)
	@touch $@

demo: setup ## a hub with synthetic deliveries, OMOP, a catalogue and one project extract, in ./hub
	$(BIN)/hdh demo

up: setup ## the Dagster UI, code servers and daemon on ./hub
	$(BIN)/hdh up

test: setup ## the tests, minutes: PostgreSQL, a running daemon and a browser included
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

slow: setup ## the long tests: crashes at every point of standardisation, whole lives, the real export, load times
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m slow

check: setup ## format, lint, strict types, SQL, descriptors, import graph
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(CHECK_CODE)
	$(BIN)/sqlfluff lint dbt_project/models --disable-progress-bar
	$(BIN)/python -m pytest -q tests/definitions/test_import_graph.py

format: setup ## rewrite the code as `make check` wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## the benchmarks, as ratios within one run
	$(BIN)/python -m benchmarks

lock: ## pin every dependency anew (no registry address is written)
	$(BIN)/pip-compile --quiet --upgrade --extra dev --strip-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --allow-unsafe -o requirements.lock pyproject.toml

clean: ## remove the virtual environment and caches; never a hub
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dbt_project/target
