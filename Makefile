# Recede: `make run` opens it, `make test` tests it; both install into .venv first.
# `make run` installs the extra `worker` (PyTorch), the others the extra `dev` (everything).

PYTHON ?= python3
DATA ?= $(or $(RECEDE_DATA),./data)
PORT ?= $(or $(RECEDE_PORT),8400)
ARGS ?=
JOBS ?= 2
ROUNDS ?= 10
NODE ?= optional

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
JS := tests/js
BENCHMARKS := $(basename $(notdir $(filter-out %/__init__.py,$(wildcard benchmarks/*.py))))

.DEFAULT_GOAL := help
.PHONY: help run test test-all soak lint lint-js format bench screenshots clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
	@echo "Settings: DATA=$(DATA) PORT=$(PORT) PYTHON=$(PYTHON) JOBS=$(JOBS) ARGS=…"

run: .venv/.installed  ## Install, start everything and open the page
	$(BIN)/recede up --data "$(DATA)" --port $(PORT) $(ARGS)

# Slow files first, so that none is left for the end (tests/conftest.py orders them).
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test: .venv/.installed-dev  ## Install and run the tests; ARGS="-k cost" chooses some
	$(PYTEST) $(ARGS)

test-all: .venv/.installed-dev  ## The same, with every network of every family
	$(PYTEST) -m "" $(ARGS)

soak: .venv/.installed-dev  ## Faults, whole trainings and the browser, ROUNDS times in a row
	@set -e; for round in $$(seq $(ROUNDS)); do echo "Round $$round of $(ROUNDS)"; \
	 $(PYTEST) -m "" tests/faults tests/integration tests/browser $(ARGS); done

lint: .venv/.installed-dev  ## Check style, format and types, Python and JavaScript
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	@$(BIN)/python -m tests.architecture.lengths
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory lint-js; \
	 elif [ "$(NODE)" = required ]; then echo "There is no npm here, and NODE=required."; exit 1; \
	 else echo "Skipped: the JavaScript checks, which need npm and Node.js 18.18 or newer."; fi

lint-js: $(JS)/node_modules/.installed
	@npm run -s lint --prefix $(JS)

format: .venv/.installed-dev  ## Put the code into its one format
	$(BIN)/python -m ruff check --fix-only
	$(BIN)/python -m ruff format

bench: .venv/.installed-dev  ## Run every benchmark
	@set -e; for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name; echo; done

screenshots: .venv/.installed-dev  ## Take the pictures of README and docs/tour.md anew
	$(BIN)/python -m benchmarks.parts.page.screenshots $(ARGS)

clean:  ## Remove .venv and caches, but no data
	rm -rf .venv $(JS)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is older than what it depends on after a checkout too, or missing in a .venv that came
# out of a cache: .ci/installed.py then looks whether anything is missing at all, so that a
# complete .venv needs no network.
.venv/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@$(BIN)/python .ci/installed.py worker || $(PIP) install -c constraints.txt -e '.[worker]'
	@touch $@

.venv/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@$(BIN)/python .ci/installed.py dev || $(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ .venv/.installed

# The stamp lies in the folder that it speaks of, so that both come and go together.
$(JS)/node_modules/.installed: $(JS)/package.json $(JS)/package-lock.json
	@npm ci --ignore-scripts --no-audit --no-fund --silent --prefix $(JS) || { \
	 echo "npm could not install what $(JS)/package-lock.json lists."; exit 1; }
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Recede needs Python 3.11 to 3.13, and there is\
	 no '$(PYTHON)'. Install it, or name another one: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	 echo "Recede needs Python 3.11 to 3.13; '$(PYTHON)' is $$($(PYTHON) --version 2>&1).\
	 Name another one: make run PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
