# Everything runs in a virtual environment inside this folder; nothing is installed or written elsewhere.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export PIP_DISABLE_PIP_VERSION_CHECK := 1

ifdef UV
MAKE_VENV = uv venv --quiet --allow-existing --python "$(PYTHON)" $(VENV)
INSTALL = VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes
else
MAKE_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --require-hashes
endif
# As constraints too: pip does not see that `sqlalchemy==x` answers a package that asks for `sqlalchemy[asyncio]`.
LOCKED = --requirement requirements.lock --constraint requirements.lock
LOCKED_DEV = --requirement requirements-dev.lock --constraint requirements-dev.lock

.DEFAULT_GOAL := help
.PHONY: help refresh nightly setup test crash thirty-nights test-clients test-server lint format docs lock clean demo-live bench mutations report test-browser fuzz audit

help: ## show these targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# PREFECT=off does the same without Prefect's record of the run, and without the seconds its temporary server takes to start.
refresh: $(VENV)/.installed ## fetch the figures, score them and publish data/marts/inclusive_growth.duckdb
	@$(BIN)/python -m $(if $(filter off,$(PREFECT)),pipeline refresh,flows.refresh) $(ARGS)

nightly: $(VENV)/.installed ## refresh, build the report, delete old data, send messages: what a schedule runs (see docs/recipes)
	@$(BIN)/python -m $(if $(filter off,$(PREFECT)),pipeline nightly,flows.nightly) $(ARGS)

setup: $(VENV)/.installed ## only create the virtual environment with the locked packages

report: $(VENV)/.installed ## build the report site in data/marts/report from the published file
	@$(BIN)/python -m pipeline report $(ARGS)

demo-live: $(VENV)/.installed ## run a complete refresh over HTTP against a stand-in on this machine, in data/demo
	@$(BIN)/python -m tests.standin.demo $(ARGS)

mutations: $(VENV)/.installed-dev ## test the gates on thousands of plausible mistakes and every real edition (some minutes)
	@$(BIN)/python -m tests.gates.mutations $(ARGS)

bench: $(VENV)/.installed ## measure speed and memory against the limits
	@$(BIN)/python -m benchmarks $(ARGS)

test: $(VENV)/.installed-dev ## run all tests
	$(BIN)/python -m pytest $(ARGS)

test-server: $(VENV)/.installed-dev ## test with real Prefect servers, PostgreSQL and several workers (some minutes)
	IG_TEST_SERVERS=1 $(BIN)/python -m pytest -n0 -v tests/flows/test_on_a_server.py tests/scale/test_distributed.py tests/scale/test_distributed_bucket.py $(ARGS)

test-browser: $(VENV)/.installed-dev ## open the report in a real browser; screenshots go to .cache/screenshots
	$(BIN)/python -m pytest -n2 --dist worksteal tests/browser $(ARGS)

thirty-nights: $(VENV)/.installed-dev ## simulate thirty nights with faults, revisions, kills and a boundary change; one line a night
	@$(BIN)/python -m tests.nightly.thirty_nights .cache/thirty-nights $(ARGS)

crash: $(VENV)/.installed-dev ## kill a run at a hundred random moments and check what readers would find (a few minutes)
	@rm -rf .cache/crash && mkdir -p .cache/crash && $(BIN)/python -m tests.nightly.crash .cache/crash 100

test-clients: $(VENV)/.installed-dev ## query the published file from DuckDB 1.4, 1.5, the shell, Node, SQLAlchemy, ibis and R
	$(BIN)/python tests/clients/make.py
	$(BIN)/python -m pytest -n0 tests/clients $(ARGS)

COUNT ?= 100000
fuzz: $(VENV)/.installed-dev ## mutate real payloads and put them through every parser: make fuzz COUNT=1000000
	@$(BIN)/python -m tests.fuzz $(COUNT) $(ARGS)

AUDIT := $(BIN)/pip-audit --strict --require-hashes --no-deps --disable-pip --progress-spinner off --cache-dir .cache/pip-audit
audit: $(VENV)/.installed-dev ## check the locked packages against security advisories (needs the internet)
	@$(AUDIT) --requirement requirements.lock || { echo "The lock is not known to be clean: see what pip-audit says above. \
	It asks the Python Packaging Authority's advisories over the internet; where they cannot be reached, nothing was looked up."; exit 1; }

lint: $(VENV)/.installed-dev ## check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## format the code and fix what can be fixed automatically
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed ## renew the generated parts of README.md and docs/ from the published file
	@$(BIN)/python -m pipeline docs

lock: $(VENV)/.installed-uv ## renew the lock files from pyproject.toml, with hashes for every package
	$(VENV)-uv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 pyproject.toml --output-file requirements.lock
	$(VENV)-uv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra dev --extra team pyproject.toml --constraint requirements.lock --output-file requirements-dev.lock

clean: ## remove the virtual environment, caches and everything a run made (not the baseline)
	rm -rf data/demo
	rm -rf $(VENV) $(VENV)-uv .cache .prefect .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find data/marts -mindepth 1 ! -name .gitkeep -delete
	find data/raw -mindepth 1 -maxdepth 1 ! -name baseline ! -name .gitkeep -exec rm -rf {} +

# The stamps say for which lock the environment was made; a newer lock makes it again.
$(VENV)/.installed: requirements.lock
	@echo "Setting up $(VENV) (once; about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(MAKE_VENV)
	@$(INSTALL) $(LOCKED)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Adding the tools for tests ..."
	@$(INSTALL) $(LOCKED_DEV)
	@touch $@

$(VENV)/.installed-uv:
	@$(PYTHON) -m venv $(VENV)-uv
	@$(VENV)-uv/bin/python -m pip install --quiet uv
	@mkdir -p $(VENV) && touch $@
