# The only door: `make` lists what there is. Every target prepares what it needs by itself.

PYTHON := .venv/bin/python
UV     := .tools/uv/bin/uv
SAM    := SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam

.DEFAULT_GOAL := help
.PHONY: help setup demo gallery test faults mutants check bench load local-up local-down messages lock clean
.SILENT: help setup demo gallery test faults local-up local-down clean

help: ## List the targets
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Prepare everything; costs nothing when nothing has changed
	python3 -I local/setup.py

demo: setup ## Run the whole product on this machine: build, deploy, report, mail
	$(PYTHON) -m local.demo

gallery: setup ## Render the invented clients into docs/gallery
	$(PYTHON) -m local.gallery

test: setup ## Run the tests
	python3 -I local/setup.py --browser
	$(PYTHON) -m pytest --numprocesses auto --dist loadfile --ignore tests/faults

faults: setup ## Let every fault happen to the deployed product; write docs/FAULTS.md
	$(PYTHON) -m pytest tests/faults --quiet

runbook: setup ## Work through every command of docs/RUNBOOKS.md on the local stack
	$(PYTHON) -m pytest tests/runbook --quiet

mutants: setup ## Change the rules of ledger, periods, money and approvals in small ways; a test must fail each time (10 min)
	.venv/bin/mutmut run && .venv/bin/mutmut results

bench: setup ## Measure speed and size against the limits (see benchmarks/README.md)
	missed=0; for each in render memory paid sizes scale logos; do $(PYTHON) benchmarks/$$each.py || missed=1; done; exit $$missed

load: setup ## A run of many clients on the local stack (make load CLIENTS=1000; 300 take some minutes)
	$(PYTHON) benchmarks/load.py --runs $(or $(CLIENTS),300)

check: setup ## Lint, formatting, types, import rules, template
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	$(SAM) validate --lint --region us-east-1

local-up: setup ## Start the emulated AWS account and deploy to it
	$(PYTHON) -m local.stack up

local-down: setup ## Stop the emulated AWS account
	$(PYTHON) -m local.stack down

messages: setup ## Collect the report's messages for translation and compile the translations
	PYTHONPATH=src:layers/pdf:. $(PYTHON) scripts/messages.py

lock: setup ## Rewrite the locks (make lock UPGRADE=--upgrade for newer versions)
	$(UV) pip compile --quiet $(UPGRADE) --python .tools/python --extra pdf --group dev -o requirements/project.txt pyproject.toml
	$(UV) pip compile --quiet $(UPGRADE) --python .tools/python -c requirements/project.txt -o src/requirements.txt src/requirements.in
	$(UV) pip compile --quiet $(UPGRADE) --python .tools/python -c requirements/project.txt -o layers/pdf/requirements.txt layers/pdf/requirements.in
	$(UV) pip compile --quiet $(UPGRADE) --python .tools/python -o requirements/sam.txt requirements/sam.in
	$(UV) pip compile --quiet $(UPGRADE) --python .tools/python -o requirements/emulator.txt requirements/emulator.in
	$(UV) pip compile --quiet $(UPGRADE) --python .tools/python -o requirements/uv.txt requirements/uv.in

clean: ## Remove environments, build results and caches
	rm -rf .venv .tools .aws-sam out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
