# Every target has a line of help; `make` alone prints them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export CDP_HOME ?= var
export HOST ?= 127.0.0.1
export PORT ?= 8000
EXAMPLES ?= 100
SEED ?= $(shell date +%s)
AUDIT_SERVICE ?= pypi
# Without bytecode kept, every process that a test starts would compile the service anew: a fifth of its start.
unexport PYTHONDONTWRITEBYTECODE

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.stamp ## Make .venv with the locked packages and the cdp command

$(VENV)/.stamp: requirements.lock pyproject.toml
	@echo "Installing the locked packages into $(VENV): some minutes, the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## Migrate, load the demo customers if the store is empty, serve on HOST:PORT
	@$(BIN)/cdp demo serve --bind $(HOST):$(PORT)

test: setup ## All tests that need no extra server
	@sh tests/install_servers.sh
	$(BIN)/python -m pytest -n logical --dist worksteal

test-fast: setup ## The tests without a store, a server or a browser: a minute or two
	$(BIN)/python -m pytest -n logical --dist worksteal -m "not slow"

fuzz: setup ## Requests made up from the API's description, EXAMPLES an operation by SEED, and chains of them
	$(BIN)/python -m pytest tests/api/test_fuzz.py --fuzz-examples=$(EXAMPLES) --fuzz-seed=$(SEED)

check: setup ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

audit: setup ## Ask the advisory database of PyPI about the locked packages
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet pip-audit
	@$(BIN)/python -m tests.audit $(VENV)-audit/bin/pip-audit --requirement requirements.lock --disable-pip --require-hashes --vulnerability-service $(AUDIT_SERVICE)

format: setup ## Write the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## The benchmarks; writes the tables of docs/results.md
	$(BIN)/python -m benchmarks

screenshots: setup ## Take the pictures of the console in docs/images anew
	$(BIN)/python -m tests.console.screenshots

messages: setup ## Bring the console's catalogues up to date with its texts
	$(BIN)/python -m tests.console.catalogues

lock: ## Write requirements.lock from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra dev --output-file requirements.lock pyproject.toml

clean: ## Remove var, where `make run` keeps its store, and caches; keep .venv
	rm -rf var .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help setup run test test-fast fuzz check format bench screenshots messages lock audit clean
