# Two commands do everything: `make run` and `make test`. Both install what they need into .venv first.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PY := .venv/bin/python

# DVC calls stages as `python stages/x.py`: that must be the Python of .venv.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONHASHSEED := 0
# Nothing here phones home.
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := false
export HF_HUB_DISABLE_TELEMETRY := 1
export MLFLOW_DISABLE_TELEMETRY := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1

CODE := $(wildcard src stages tests bench examples)

.PHONY: help run example embedded test check format fuzz audit bench setup clean

help: ## This list
	@echo "Usage: make TARGET  (PYTHON=/path/to/python picks an interpreter, ARGS=... goes to pytest, the fuzzer or the benchmark)"
	@sed -n 's/^\([a-z]*\):[^#]*## /\1	/p' Makefile | awk -F '\t' '{ printf "  %-8s %s\n", $$1, $$2 }'

run: ## Install, run the whole pipeline (only what changed), print the results
	@sh tools/preflight.sh run
	@.venv/bin/tripost mend
	@.venv/bin/tripost check
	@.venv/bin/tripost plan --if-paid
	@.venv/bin/dvc repro
	@.venv/bin/tripost table

example: ## A new task in one file, run to its table in a copy: examples/addition
	@sh tools/preflight.sh run
	@sh examples/addition/run.sh

test: ## The tests; the slow ones too: make test ARGS="-m 'slow or not slow'"
	@sh tools/preflight.sh dev
	@$(PY) -m pytest $(ARGS)

check: ## Style, types and layers
	@sh tools/preflight.sh dev
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy $(CODE)
	@.venv/bin/lint-imports --no-logo

format: ## Rewrite the code into the house style
	@sh tools/preflight.sh dev
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

embedded: ## Train the embedded base anew: hours of two cores, goes on where it was stopped (needs a C++ compiler)
	@sh tools/preflight.sh dev
	@$(PY) stages/embedded_model.py --out models/embedded --work .tripost/embedded

fuzz: ## Hostile text, guided by coverage: make fuzz ARGS="-max_total_time=1200"
	@sh tools/preflight.sh fuzz
	@$(PY) -m tests.fuzz $(ARGS)

audit: ## Known vulnerabilities of the pinned dependencies (needs the network)
	@$(or $(PYTHON),python3) -m venv .venv-audit
	@.venv-audit/bin/python -m pip install -qq pip-audit==2.10.1
	@.venv-audit/bin/pip-audit --strict --disable-pip --no-deps -r constraints.txt $(ARGS)

bench: ## Speed beside what others would use; other measurements: make bench ARGS=--help
	@sh tools/preflight.sh dev
	@$(PY) -m bench $(ARGS)

setup: ## Only install into .venv, the tools for tests and checks included
	@sh tools/preflight.sh dev

clean: ## Remove .venv and caches; data, models, results and the DVC cache stay
	@rm -f .venv/.installed-*
	@rm -rf .venv .venv-audit .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .grimp_cache .hypothesis build src/tripost.egg-info
	@find src stages tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
