# `make` alone lists the targets. Windows and macOS without make: README.md.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv/bin/python

# Nothing here may call home, and no test may use the network.
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: help setup studio test fix golden bench update development chromium lint types unit client browser

help:  ## list the targets
	@echo "Framewright. make setup, then make studio."
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup:  ## install into .venv and try what was installed
	@echo "make setup: Framewright and what it needs, into .venv"
	@$(PYTHON) scripts/set_up.py

studio: setup  ## open the studio on http://127.0.0.1:7860 (installs first)
	@echo "make studio: opening the studio on http://127.0.0.1:7860, Ctrl+C ends it"
	@$(VENV) app.py

test: development  ## lint, types, import contracts, unit, client and browser tests
	@$(MAKE) --no-print-directory -j 2 lint types
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory client
	@$(MAKE) --no-print-directory browser
	@echo "make test: all passed"

fix: development  ## repair what ruff can repair: lint and format
	@echo "make fix: ruff check --fix, ruff format"
	@$(VENV) -m ruff check --fix .
	@$(VENV) -m ruff format .

golden: development  ## renew the golden files on purpose (look at the diff before you commit)
	@echo "make golden: renewing golden files, then git diff --stat"
	@FRAMEWRIGHT_RENEW_GOLDEN=1 HF_HUB_OFFLINE=1 $(VENV) -m pytest -k golden
	@git diff --stat

bench: setup  ## one benchmark into benchmarks/results: make bench NAME=text_to_video [QUICK=1]
	@test -n "$(NAME)" || { echo "Say which: make bench NAME=text_to_video. There are:"; \
	    ls benchmarks/[!_]*.py 2>/dev/null | xargs -r -n 1 basename -s .py | sed 's/^/  /'; exit 2; }
	@mkdir -p outputs benchmarks/results
	@echo "make bench: $(NAME)$(if $(QUICK), quick, in full)"
	@$(VENV) -m benchmarks.$(NAME) $(if $(QUICK),--quick --json outputs/$(NAME).quick.json,--json benchmarks/results/$(NAME).json)

update:  ## fetch the newest version and install it; says how to go back
	@echo "make update: git pull, then make setup"
	@echo "To go back afterwards: git checkout $$(git rev-parse --short HEAD) && make setup"
	@git pull --ff-only
	@$(MAKE) --no-print-directory setup

# The parts of make test, each callable by itself.

development:
	@$(PYTHON) scripts/set_up.py --development

chromium:
	@bash scripts/install_chromium.sh

lint: development
	@echo "make lint: ruff check, ruff format --check, import contracts"
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@PYTHONPATH=. .venv/bin/lint-imports

types: development
	@echo "make types: mypy"
	@$(VENV) -m mypy

unit: development
	@echo "make unit: tests without a running studio"
	@# One process for each core; a file stays in one, for what it loads.
	@OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(VENV) -m pytest -m "not client and not browser" -n auto --maxprocesses 4 --dist loadfile

client: development
	@echo "make client: gradio_client against the running studio"
	@HF_HUB_OFFLINE=1 $(VENV) -m pytest -m client

browser: development chromium
	@echo "make browser: Debian's Chromium against the running studio"
	@# Half of a test is waiting for the page: two at once, each with a studio of its own.
	@HF_HUB_OFFLINE=1 $(VENV) -m pytest -m browser -n 2 --dist loadfile
