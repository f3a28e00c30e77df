# make demo   a heterogeneous run of DLRM/Server on the CPU, with report.xml
# make test   the tests, the slow ones too: first those that mostly wait, by eight
#             workers, then those on a Slurm, by three, then those that measure, by two
# make clients   AIPerf, 1.2 GB, which the suites llm and llm-cpu call; tests of it are
#             skipped where it is not on PATH, or fail where CI is set
# make lint   ruff, mypy, and the one direction of imports
# make lowest the faster tests of what meets a library, with the oldest libraries that
#             pyproject.toml allows, on $(PYTHON)
# make audit  known vulnerabilities in what users install, where advisories can be had
# make docs   the site, build/docs/index.html; a warning fails it
# make dist   wheel and sdist in build/dist, checked, and README's first run made from
#             the wheel, on the oldest and the newest Python that are here
# make matrix the fault matrix alone, printed as a table
# make slurm-lab   a Slurm of two virtual nodes with two GPUs each on this host, for
#             --mig-slurm; make slurm-lab-stop ends it
# make bench  what the plugin costs against other ways, in 45 minutes; build/bench.json
# make bench-quick   each benchmark once and shortened, in three minutes: do they run?
#
# Each makes .venv first if it is not there. Python 3.10 or newer, pip, make and gcc
# are needed, and PyPI.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AIPERF := .venv-aiperf
LOWEST := .venv-lowest
MEET := $(addprefix tests/,cli cpu devices harness plugin/test_dealer.py records show spec) \
    $(wildcard $(patsubst %,tests/acceptance/test_%.py,allure annotations clean collection \
    escapes executions export help html_* live options reference* reportlog run terminal \
    timeline))

# Debian's python3 comes without ensurepip, which venv needs to bring pip along.
new_venv = $(1) -m venv $(2) || \
    ($(1) -m venv --without-pip $(2) && \
     $(1) -m pip --python $(2)/bin/python install --quiet pip)

.PHONY: demo test lowest audit docs dist clients matrix slurm-lab slurm-lab-stop lint bench bench-quick clean

demo: $(VENV)/installed
	$(BIN)/pytest -k dlrm_server --mig-suite=cpu --junitxml=report.xml

# Each of a thousand pytests would compile the plugin anew.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/installed
	$(BIN)/pytest tests -n 8 --dist worksteal -m "not loadgen and not slurm"
	$(BIN)/pytest tests -n 3 --dist loadfile -m slurm
	$(BIN)/pytest tests -n 2 -m loadgen

lowest: export PYTHONDONTWRITEBYTECODE =
lowest: $(LOWEST)/installed
	$(LOWEST)/bin/pytest $(MEET) -n 8 --dist worksteal \
	    -m "not slow and not loadgen and not slurm"

$(LOWEST)/installed: pyproject.toml $(VENV)/installed
	$(call new_venv,$(PYTHON),$(LOWEST))
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python \
	    --resolution lowest-direct --editable '.[dev]'
	touch $@

audit: $(VENV)/installed
	.ci/audit $(BIN)/python

# A venv of its own: it pins what others want newer, and needs Python 3.11 to 3.13.
clients: $(AIPERF)/installed

$(AIPERF)/installed:
	for python in $(PYTHON) python3.13 python3.12 python3.11; do \
	    $$python -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" \
	        2> /dev/null && break; \
	done; $(call new_venv,$$python,$(AIPERF))
	$(AIPERF)/bin/python -m pip install --quiet 'aiperf>=0.13,<0.14'
	touch $@

docs: $(VENV)/installed
	$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going \
	    docs build/docs

dist: $(VENV)/installed
	rm -rf build/dist
	$(BIN)/python -m build --outdir build/dist .
	$(BIN)/twine check --strict build/dist/*
	.ci/try-wheel build/dist/*.whl

matrix: $(VENV)/installed
	$(BIN)/pytest tests/harness/test_matrix.py --matrix --quiet

slurm-lab: $(VENV)/installed
	$(BIN)/python -m tests.lab.slurm start

slurm-lab-stop: $(VENV)/installed
	$(BIN)/python -m tests.lab.slurm stop

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
	$(BIN)/python benchmarks/interference.py
	$(BIN)/python benchmarks/records.py
	$(BIN)/python benchmarks/pictures.py
	$(BIN)/python benchmarks/report.py
	$(BIN)/python benchmarks/live.py
	$(BIN)/python benchmarks/slurm.py

bench-quick: $(VENV)/installed
	$(BIN)/python benchmarks/loadgen_reader.py
	$(BIN)/python benchmarks/harness_control.py --quick --json build/bench-quick.json
	$(BIN)/python benchmarks/target_search.py
	$(BIN)/python benchmarks/sharing.py --quick
	$(BIN)/python benchmarks/interference.py --quick
	$(BIN)/python benchmarks/records.py --quick
	$(BIN)/python benchmarks/pictures.py --quick
	$(BIN)/python benchmarks/report.py --quick
	$(BIN)/python benchmarks/live.py --quick
	$(BIN)/python benchmarks/slurm.py --quick

$(VENV)/installed: pyproject.toml
	$(call new_venv,$(PYTHON),$(VENV))
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) $(LOWEST) $(AIPERF) results build report.xml
