# Every target sets up what it needs: Python 3.11 with python3-venv, and make, are enough.
.POSIX:
.NOTPARALLEL:
.PHONY: help demo test long check lint types layers audit format slow bench clean

PYTHON ?= python3
PYTEST_ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder

VENV = .venv
BIN = $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints-py311.txt
PINS = pyproject.toml constraints-py311.txt

# An environment that misses pip, or has an old Python, is made anew: a killed `venv` leaves such a one behind.
MAKE_VENV = $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "custvalue needs Python 3.11 or newer; '$(PYTHON)' answers: $$($(PYTHON) --version 2>&1 | head -n 1)." \
			"Name another one, for example: make demo PYTHON=python3.11" >&2; exit 1; }; \
	$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	echo "Making $(VENV) with $$($(PYTHON) --version)"; \
	$(PYTHON) -m venv --clear $(VENV); }

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed ## simulate an operator, train, score and write one night's lists to output/demo
	@$(BIN)/custvalue demo

test: $(VENV)/.installed-dev ## run the tests (PYTEST_ARGS="-k tiers" picks some)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

long: $(VENV)/.installed-dev ## the longer tests: demonstrations, notebooks, killed nights, Spark, the pages in Chromium
	@$(BIN)/python -m pytest -m 'long and not slow' $(PYTEST_ARGS)

check: lint types layers audit test long ## lint, types, layers, audit and all tests but the slow ones: what a change must pass

lint: $(VENV)/.installed-dev ## ruff: format and rules, changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev ## mypy, strict on src
	$(BIN)/python -m mypy

layers: $(VENV)/.installed-dev ## import-linter: rooms import downwards only
	$(BIN)/lint-imports

audit: $(VENV)/.installed-dev ## bandit on src, pip-audit on the pinned packages (asks the package index)
	$(BIN)/bandit -q -ll -r src --skip B608  # ruff's S608 judges every statement, and each exception gives its reason
	$(BIN)/pip-audit -r constraints-py311.txt --no-deps --disable-pip --progress-spinner off

format: $(VENV)/.installed-dev ## rewrite the files: ruff format and sorted imports
	$(BIN)/ruff check -q --select I --fix-only .
	$(BIN)/ruff format .

slow: $(VENV)/.installed-dev ## soak and scale tests, run by hand
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/.installed-dev ## quality on the real data sets, beside a logistic regression and a default LightGBM
	$(BIN)/python benchmarks/real_input.py

clean: ## remove .venv, caches and build leftovers; models/ and output/ stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: $(PINS)
	@$(MAKE_VENV)
	@echo "Installing custvalue into $(VENV) (a minute or two, once) ..."
	@$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: $(PINS)
	@$(MAKE_VENV)
	@echo "Installing custvalue and its test tools into $(VENV) (a minute or two, once) ..."
	@$(PIP_INSTALL) -e '.[dev,spark,database,oidc]'
	@touch $(VENV)/.installed $@
