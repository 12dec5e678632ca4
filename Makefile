# Everything runs in .venv, which each target makes or brings up to date first, and only when that is needed.

PYTHON ?= python3
PRESET ?= fast
FLAGS  ?=
IN     := .venv/bin/python -m
PIP    := $(IN) pip install --quiet --constraint constraints.txt --editable
PYTEST := $(IN) pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help train test acceptance check format reader page site tutorial docs bench

help: ## List the targets
	@echo "digitnet: make TARGET"
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

train: .venv/.train ## Train on MNIST in seconds and write a report (the original: make train PRESET=blog)
	@$(IN) digitnet train $(PRESET) $(FLAGS)

test: .venv/.dev ## Run the tests: a few minutes
	@$(PYTEST)

acceptance: .venv/.dev ## Run the long tests: the promises that take real runs
	@$(PYTEST) -m acceptance

check: .venv/.dev ## Check style, types and documents
	@$(IN) ruff check .
	@$(IN) ruff format --check .
	@$(IN) mypy
	@$(IN) docs.generate --check

format: .venv/.dev ## Put the code in its format
	@$(IN) ruff check --fix .
	@$(IN) ruff format .

reader: .venv/.train ## Train the reader that comes with digitnet anew: half an hour on one core
	@$(IN) digitnet train reader --out runs/reader --threads 1 $(FLAGS)
	@$(IN) digitnet export runs/reader --out src/digitnet/reading/reader.onnx

page: .venv/.train ## Train the small network that the page shows inside anew: minutes on one core
	@$(IN) digitnet train blog --filters 4 8 --hidden 0 --seed 2 --keep-checkpoints --threads 1 --out runs/page $(FLAGS)
	@$(IN) digitnet export runs/page --out src/digitnet/reading/blog.onnx

site: .venv/.dev ## Build the documents and the page to draw on as a folder, site, that any web server can publish
	@rm -rf site
	@$(IN) sphinx --quiet --fresh-env --fail-on-warning --doctree-dir .sphinx_cache docs site
	@$(IN) digitnet serve --static site/draw

tutorial: .venv/.dev ## Execute the tutorial's notebook anew, and make its page: a few minutes
	@$(IN) docs.tutorial
	@$(IN) docs.generate

docs: .venv/.dev ## Write the generated parts of the documents anew
	@$(IN) docs.generate

bench: .venv/.dev ## Measure speed (10 minutes), then digitnet and its peers in turn (an hour; goes on after a stop)
	@$(IN) benchmarks.step_time
	@$(IN) benchmarks.trials
	@$(IN) benchmarks.peers

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "digitnet needs Python 3.11 or newer, found " + sys.version.split()[0] + ". Name one: make train PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv

.venv/.train: .venv/bin/python pyproject.toml constraints.txt
	@echo "Setting up .venv (once; about a minute)" >&2
	@$(PIP) ".[train,serve]"
	@touch $@

.venv/.dev: .venv/.train
	@echo "Adding the test tools to .venv (once)" >&2
	@$(PIP) ".[dev]"
	@touch $@
