# Everything that a newcomer, a developer and CI type. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SECONDS_OF_DEMO ?=

.DEFAULT_GOAL := help
.PHONY: help demo setup setup-dev test test-kafka lint format bench lock schemas dashboards golden env clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup ## Set up, then run the whole product on real reviews (SECONDS_OF_DEMO=90 ends it by itself)
	@$(BIN)/peakwatch demo $(if $(SECONDS_OF_DEMO),--seconds $(SECONDS_OF_DEMO))

test: setup-dev lint ## Set up, then check style and types and run all tests on the embedded servers
	@$(BIN)/python -m pytest

test-kafka: setup-dev ## The tests that speak to a broker, on Apache Kafka (Java 17 and Maven are needed)
	@PEAKWATCH_TEST_BROKER=apache $(BIN)/python -m pytest -m "kafka or broker" tests/services tests/parity

lint: setup-dev ## Style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: setup-dev ## Put the code into house style
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: setup-dev ## Every benchmark, with the other side in the same run
	@for name in sentiment text sla clickhouse writer transport replay; do $(BIN)/python -m bench.$$name || exit 1; done
	@$(BIN)/python -m bench.wall --windows 1 && $(BIN)/python -m bench.alerts

schemas: setup-dev ## Write schemas/json from the event types
	@$(BIN)/python -m schemas.jsonschema

dashboards: setup-dev ## Write grafana/dashboards from the code beside it
	@$(BIN)/python -m grafana.build

golden: setup-dev ## Write tests/golden anew: only where a change of what is said is meant
	@$(BIN)/python -m tests.golden.make

env: ## Write .env with secrets by chance, for docker-compose.yml
	@scripts/make-env

setup: $(VENV)/.ready ## Create the virtual environment for running

setup-dev: $(VENV)/.ready-dev ## … and for developing

$(VENV)/.ready: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) from requirements.lock (about a minute, some 1.2 GB of packages) ..."
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "PeakWatch needs Python 3.11 or newer; say which with make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

lock: ## Resolve pyproject.toml anew into the three lock files
	@$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
		--extra embedded --group build pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
		--extra embedded --extra grafana --group build --group dev --group train -c requirements.lock pyproject.toml -o requirements-dev.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
		--group build -c requirements.lock pyproject.toml -o deploy/requirements.lock

clean: ## Remove what set-up and runs left behind
	@rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
