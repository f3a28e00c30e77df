# make demo   a heterogeneous run of DLRM/Server on the CPU, with report.xml
# make test   the tests, the slow ones too: first those that mostly wait, by eight
#             workers, then those that measure, by two
# make lint   ruff, mypy, and the one direction of imports
# make matrix the fault matrix alone, printed as a table
# make bench  what the plugin costs against other ways, in 10 minutes; build/bench.json
# make bench-quick   each benchmark once and shortened, in a minute: do they run?
#
# Each makes .venv first if it is not there. Python 3.10 or newer, pip, make and gcc
# are needed, and PyPI.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test matrix lint bench bench-quick clean

demo: $(VENV)/installed
	$(BIN)/pytest -k dlrm_server --mig-suite=cpu --junitxml=report.xml

# Each of a thousand pytests would compile the plugin anew.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/installed
	$(BIN)/pytest tests -n 8 --dist worksteal -m "not loadgen"
	$(BIN)/pytest tests -n 2 -m loadgen

matrix: $(VENV)/installed
	$(BIN)/pytest tests/harness/test_matrix.py --matrix --quiet

lint: $(VENV)/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed
	$(BIN)/python benchmarks/loadgen_reader.py
	$(BIN)/python benchmarks/harness_control.py --json build/bench.json
	$(BIN)/python benchmarks/target_search.py
	$(BIN)/python benchmarks/sharing.py
	$(BIN)/python benchmarks/records.py

bench-quick: $(VENV)/installed
	$(BIN)/python benchmarks/loadgen_reader.py
	$(BIN)/python benchmarks/harness_control.py --quick --json build/bench-quick.json
	$(BIN)/python benchmarks/target_search.py
	$(BIN)/python benchmarks/sharing.py --quick
	$(BIN)/python benchmarks/records.py --quick

# Debian's python3 comes without ensurepip, which venv needs to bring pip along.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV) || \
	    ($(PYTHON) -m venv --without-pip $(VENV) && \
	     $(PYTHON) -m pip --python $(BIN)/python install --quiet pip)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) results build report.xml
