# The whole workflow: make demo · make test · make check · make bench
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
SPEED ?= 12
PORT ?= 8026
STATIC := src/chengmai/web/static/vendor

.PHONY: help demo test check fast lint types layers bench soak wheel reference front-end clean

help:
	@echo "make demo               start a living city on this machine and print its address"
	@echo "make demo DATA=FOLDER   the same, on the recordings in FOLDER"
	@echo "make test               everything CI runs: check, ports, faults, browser"
	@echo "make check              format, lint, types, layers, fast tests"
	@echo "make bench              measurements, into docs/performance.md"
	@echo "make soak               half an hour at half of what the machine can take"

# --- environment -------------------------------------------------------------------------------------
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Chengmai needs Python 3.11 or later; try: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); tools/apt.sh python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.run: pyproject.toml requirements.lock $(BIN)/python
	@echo "Installing what the city needs (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(STATIC)/.built: package.json package-lock.json tools/build_front_end.mjs
	@if command -v npm >/dev/null; then \
	  echo "Building the maps and charts of the screens (once) …"; \
	  npm ci --silent --no-progress && npm run --silent build && touch $@; \
	else \
	  echo "npm is not here: the screens will use plain tables and drawings (apt-get install npm, then make front-end)"; \
	fi

front-end: $(STATIC)/.built

# --- what people run ---------------------------------------------------------------------------------
demo: $(VENV)/.run front-end
	@$(BIN)/chengmai demo --port $(PORT) --speed $(SPEED) $(if $(DATA),--source "$(DATA)")

test: $(VENV)/.dev front-end
	@tools/apt.sh chromium mosquitto fonts-noto-cjk strace || true
	@$(MAKE) --no-print-directory lint types layers
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --ignore tests/e2e
	@# The browser's driver keeps an event loop of its own, which no other test may share.
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/e2e

check: $(VENV)/.dev lint types layers fast

fast:
	$(BIN)/python -m pytest -q -n 2 tests/unit tests/repo tests/packs

lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

layers:
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m bench $(BENCH)

soak: $(VENV)/.dev
	$(BIN)/python -m bench knee soak

reference: $(VENV)/.dev
	$(BIN)/python -m tools.make_reference

wheel: $(VENV)/.dev front-end
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

clean:
	rm -rf $(VENV) node_modules $(STATIC) dist build var .mypy_cache .ruff_cache .pytest_cache
