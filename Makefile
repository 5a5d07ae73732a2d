# Two commands are enough: `make demo` and `make test`. Everything lives in .venv; nothing else on the machine is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
CORPUS ?= ../shared

.PHONY: demo test bench lint corpus clean help

help:
	@echo "make demo    install, analyse the shipped capture, write demo-out/report.html"
	@echo "make test    install, run every check"
	@echo "make lint    formatter, linter, types, import contracts only"
	@echo "make bench   benchmarks, as ratios in one run"
	@echo "make corpus  score against captures with known truth (CORPUS=folder)"

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=... chooses one)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: apt install python3-venv"; exit 1; }
	@echo "installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.stamp-dev: $(STAMP) requirements-dev.lock
	@echo "installing the development tools ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(STAMP)
	@$(BIN)/bordertap analyze tests/data/demo.pcapng --out demo-out
	@echo "Open demo-out/report.html in a browser."

test: $(VENV)/.stamp-dev
	@$(BIN)/python -m pytest -q

lint: $(VENV)/.stamp-dev
	@$(BIN)/python -m pytest -q tests/test_house.py

bench: $(VENV)/.stamp-dev
	@$(BIN)/python benchmarks/run.py

corpus: $(VENV)/.stamp-dev
	@$(BIN)/python benchmarks/corpus.py --root $(CORPUS)

clean:
	@rm -rf $(VENV) demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
