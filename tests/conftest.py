"""What tests of several folders share."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.harness.matrix import table
from tests.lab import needs
from tests.lab.driver import Lab
from tests.lab.forked import Pytests, fork_server
from tests.lab.preload import import_all
from tests.lab.processes import until
from tests.lab.slurm.cluster import PROGRAMS, Cluster, layout_of, outside
from tests.lab.slurm.eight import Eight
from tests.lab.web_suite import Web

Compiled = Callable[..., Path]
SOURCES = Path(__file__).parent / "lab"


# A pytest within a test forgets what it imported, and would import it all again in the
# next one: three quarters of the CPU time of a small run. What is there before stays.
import_all()

# A shell has its background jobs ignore Ctrl-C, and so would whatever tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """Build a C source of ``tests/lab`` into a folder of its own."""

    def build(source: str, name: str, *flags: str) -> Path:
        if (compiler := shutil.which("cc") or shutil.which("gcc")) is None:
            needs.lacking("a C compiler")
        target = tmp_path_factory.mktemp("compiled") / name
        command = [compiler, *flags, "-o", str(target), str(SOURCES / source)]
        subprocess.run(command, check=True, timeout=60)
        return target

    return build


@pytest.fixture(scope="session")
def library_of(
    compiled: Compiled, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Build the library of a machine, once for each."""

    @cache
    def build(text: str) -> Path:
        folder = tmp_path_factory.mktemp("machine")
        (folder / "machine.h").write_text(text)
        name = "libnvidia-ml.so.1"
        flags = ("-shared", "-fPIC", f"-Wl,-soname,{name}", f"-I{folder}")
        return compiled("nvml.c", name, *flags)

    return build


@pytest.fixture(scope="session")
def load(compiled: Compiled) -> Path:
    """The compiled program at the end of a harness's tree."""
    return compiled("load.c", "load", "-O1")


@pytest.fixture(scope="session")
def pytests() -> Iterator[Pytests]:
    """Starts pytests as processes of their own."""
    with fork_server() as pytests:
        yield pytests


@pytest.fixture
def lab(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pytests: Pytests
) -> Lab:
    return Lab(pytester, monkeypatch, pytests)


@pytest.fixture
def web(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Web:
    return Web(lab, monkeypatch)


@pytest.fixture(scope="session")
def slurm_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The Slurm of this session, or of this xdist worker: it has ports of its own."""
    needs.programs(*PROGRAMS, of="Slurm")
    cluster = Cluster(layout_of(tmp_path_factory.mktemp("slurm")))
    try:
        cluster.start(tethered=True)
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def slurm(slurm_lab: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A Slurm with nothing in it that every program finds, and nothing left in it."""
    for name in os.environ.keys() - outside(os.environ).keys():
        monkeypatch.delenv(name)
    for name, value in slurm_lab.environment.items():
        monkeypatch.setenv(name, value)
    yield slurm_lab
    try:
        until(lambda: not slurm_lab.jobs())  # what has ended is cleaned up after
    finally:
        slurm_lab.cancel_all()


@pytest.fixture
def prolog(slurm: Cluster) -> Iterator[Path]:
    """What nodes run before each task, to be written anew for one test."""
    path = slurm.layout.prolog
    text = path.read_text()
    yield path
    path.write_text(text)


@pytest.fixture
def eight(lab: Lab, slurm: Cluster) -> Iterator[Eight]:
    assert slurm.jobs() == []
    tests = Eight(lab)
    yield tests
    tests.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--matrix",
        action="store_true",
        help="print the fault matrix: seconds from pytest's end until nothing was left",
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not terminalreporter.config.getoption("matrix"):
        return
    cells = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            gone_s = dict(report.user_properties).get("gone_s")
            name = report.nodeid.rpartition("[")[2].removesuffix("]")
            if gone_s is not None:
                cells[name] = f"{gone_s} s" if outcome == "passed" else "FAILED"
    terminalreporter.section("fault matrix: until nothing was left after pytest's end")
    for line in table(cells):
        terminalreporter.write_line(line)
