# make demo   the main job on the embedded data set      make test   lint-free tests, as CI runs them
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test torture interop lint format bench docs real reference oldest clean

.venv/stamp: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	@$(BIN)/python -m pip install --quiet -e ".[crf]" || echo "pydensecrf2 did not build (it needs g++ and Python < 3.13): its backend goes untested"
	@touch $@

demo: .venv/stamp
	$(BIN)/wsss prepare shapes
	$(BIN)/wsss train irn
	$(BIN)/wsss evaluate --stage seeds
	$(BIN)/wsss evaluate --stage pseudo
	$(BIN)/wsss evaluate --crf
	$(BIN)/wsss report

lint: .venv/stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# a file's tests share what they trained, so they stay together; each worker has one thread
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

reference: .venv/stamp
	$(BIN)/python -m pytest -m reference

# the tests with the oldest release of each library that pyproject.toml allows
oldest:
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --upgrade pip
	.venv-oldest/bin/python -m pip install --quiet -e ".[dev]" -c .ci/oldest.txt
	OMP_NUM_THREADS=1 .venv-oldest/bin/python -m pytest -n auto --maxprocesses 8 --dist loadfile

# kills, damages, pairs of commands, full disks and wrong types at random, for half an hour; docs/reliability.md has a table
torture: .venv/stamp
	PYTHONPATH=tests:. $(BIN)/python tests/torture.py --minutes 30

# what we write and the programs that it is for, each read by the other; not among CI's tests, for their size
interop: .venv/stamp
	bash tests/interop/run.sh

bench: .venv/stamp
	$(BIN)/python -m pip install --quiet -e ".[bench]"
	$(BIN)/python -m bench

docs: .venv/stamp
	$(BIN)/python docs/generate.py

format: .venv/stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venv-oldest build dist
