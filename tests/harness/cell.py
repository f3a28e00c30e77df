"""One cell of the fault matrix: a real pytest, real trees, and what is left of them."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from tests.harness.ending import Ending, Fault, Served
from tests.harness.matrix import behaviour
from tests.lab.driver import FAKE, OUTER, RUN_TEST, Files, arguments_of, ini_of
from tests.lab.forked import Forked, Pytests
from tests.lab.processes import below, in_the_run, wait_for_end
from tests.lab.web_suite import ONE, SUITE, changed

PATIENCE = 60  # seconds for anything to happen, on however busy a machine
PROMISE = 3.0  # seconds after pytest's end by which nothing is left
GRACE = "--mig-stop-grace=300ms"
LONG = "--main-benchmark-duration=40s"

# A job that a shell put into the background starts with SIGINT ignored, one under nohup
# with SIGHUP.
AS_IN_A_TERMINAL = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
runpy.run_module("pytest", run_name="__main__", alter_sys=True)
"""

# Arms pytest-timeout's own timer when a phase begins, breaks logs before they are
# opened, and says which process runs the tests.
CONFTEST = """
import os
from pathlib import Path

import pytest
import pytest_timeout

at, _, seconds = os.environ.get("ARM", "").partition(":")
broken, _, how = os.environ.get("BREAK", "").partition(":")


def pytest_configure(config):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    Path(f"{worker}.pid").write_text(str(os.getpid()))


def arm(item, phase):
    if phase == at:
        hook = item.config.hook
        settings = pytest_timeout._get_item_settings(item)
        hook.pytest_timeout_cancel_timer(item=item)
        settings = settings._replace(timeout=float(seconds))
        hook.pytest_timeout_set_timer(item=item, settings=settings)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    arm(item, "setup")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    arm(item, "call")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item):
    arm(item, "teardown")


@pytest.fixture(autouse=True)
def break_log(main):
    if broken:
        (run,) = Path("results").iterdir()
        (run / broken).parent.mkdir(exist_ok=True)
        if how == "full":
            (run / broken).symlink_to("/dev/full")
        else:
            (run / broken).mkdir()
"""


@dataclass(frozen=True)
class Outcome(Files):
    """What became of one cell.

    Attributes:
        code: pytest's exit code.
        terminal: what it printed.
        gone_s: seconds from its end until no process of the run was left; None for
            never.
        left: the processes that were left then, after ``PROMISE`` seconds.
        leased: the leases that were not free by then.
    """

    code: int
    terminal: str
    gone_s: float | None
    left: tuple[str, ...]
    leased: tuple[str, ...]


class Run:
    """A pytest run in progress, in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        load: Path,
        fault: Fault,
        ending: Ending,
        pytests: Pytests | None,
    ):
        self.folder = folder
        (folder / "test_run.py").write_text(RUN_TEST)
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "pytest.ini").write_text("\n".join(ini_of()))
        (folder / "far").write_text(f'#!/bin/sh\n{sys.executable} "$@"; exit $?\n')
        (folder / "far").chmod(0o755)
        outside = {k: v for k, v in os.environ.items() if k not in OUTER}
        self._output = (folder / "terminal.txt").open("wb")
        use = [f"--mig-suite={FAKE / 'fake.toml'}", f"--mig-harness-dir={FAKE}"]
        which = ["-k", "dlrm_server"]
        environment = {
            **outside,
            **ending.environment,
            # At its end it would clean up after every pytest of this machine.
            "PYTEST_DEBUG_TEMPROOT": str(folder),
            "FAKE_LOAD": str(load),
            "FAKE_HARNESS": behaviour(fault, ending),
        }
        self._served, self._taken = fault.served, socket.socket()
        if fault.served is not None:
            use = [f"--mig-suite={self._suite(fault.served)}", ONE]
            which = ["-k", "alpha_server", LONG if ending.code else "--verbose"]
            environment["WEB_SERVER"] = json.dumps(fault.served.servers)
        arguments = [*use, *arguments_of(3), GRACE, *which, *ending.options]
        self.process: subprocess.Popen[bytes] | Forked
        if pytests is not None:
            self.process = pytests.start(
                arguments, folder, self._output, environment=environment
            )
            return
        self.process = subprocess.Popen(
            [sys.executable, "-c", AS_IN_A_TERMINAL, *arguments],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
        )

    def _suite(self, served: Served) -> Path:
        """Write the suite of clients and servers."""
        said = changed(SUITE, {"harnesses": {"web": {"server": served.suite}}})
        if served.taken:
            self._taken.bind(("127.0.0.1", 0))
            self._taken.listen()
            url = f"http://127.0.0.1:{self._taken.getsockname()[1]}/health"
            server = {"command": ["true", "{port}"], "ready_url": url}
            said = changed(said, {"harnesses": {"web": {"server": server}}})
        path = self.folder / "site.toml"
        path.write_text(tomlkit.dumps(said))
        return path

    def send(self, number: signal.Signals) -> None:
        """Signal pytest, and give it the time to begin what that means."""
        self.process.send_signal(number)
        time.sleep(0.1)

    def signal(self, process: str, number: signal.Signals) -> None:
        os.kill(int((self.folder / f"{process}.pid").read_text()), number)

    def guard(self, role: str) -> tuple[int, int]:
        """Return the guard of *role*: the first leads the session of the harness."""
        (log,) = self.folder.glob(f"results/*/{role}/logs")
        mark = os.fsencode(f"MIGHETERO_FOLDER={log.parent}\0")
        (guard,) = [
            pid
            for pid in in_the_run(self.folder)
            if mark in Path(f"/proc/{pid}/environ").read_bytes()
            and os.getsid(pid) == pid
        ]
        return guard, below(guard)[0]

    def wait(self, at: str) -> None:
        """Wait until the run is in the phase *at*, with its trees grown."""
        ready = {
            "setup": self._in_setup,
            "settling": self._settles,
            "call": self._in_call,
            "teardown": self._ended,
        }[at]
        limit = time.monotonic() + PATIENCE
        while not ready() and self.process.poll() is None:
            assert time.monotonic() < limit, f"the run did not get to {at}"
            time.sleep(0.02)
        # Each background is at least a guard, make, Python and the compiled program;
        # each server a guard and Python.
        least = 6 if self._served else 8
        assert self.process.poll() is not None or len(in_the_run(self.folder)) >= least

    def _in_setup(self) -> bool:
        if self._served:
            return len(list(self.folder.glob("results/*/*/logs/server-*.json"))) == 2
        return len(list(self.folder.glob("results/*/background*/logs/fake_*"))) == 2

    def _settles(self) -> bool:
        return len(list(self.folder.glob("results/*/background*/logs/fake_*/*/*"))) == 2

    def _in_call(self) -> bool:
        if self._served:
            logs = self.folder.glob("results/*/main/output.log")
            return any("first answer" in log.read_text() for log in logs)
        return any(self.folder.glob("results/*/main/logs/fake_system"))

    def _ended(self) -> bool:
        records = self.folder.glob("results/*/record.json")
        return any("call" in json.loads(r.read_text())["phases"] for r in records)

    def finish(self) -> Outcome:
        """Wait for pytest's end, and then for the end of everything else."""
        code = self.process.wait(PATIENCE)
        self._taken.close()
        self._output.close()
        end = time.monotonic()
        gone = None
        while (left := in_the_run(self.folder)) or self._leased():
            if (seconds := end + PROMISE - time.monotonic()) < 0:
                break
            wait_for_end(left, seconds)
            time.sleep(0.01)
        else:
            gone = time.monotonic() - end
        lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in left]
        for pid in left:
            os.kill(pid, 9)
        terminal = (self.folder / "terminal.txt").read_text(errors="replace")
        return Outcome(self.folder, code, terminal, gone, tuple(lines), self._leased())

    def _leased(self) -> tuple[str, ...]:
        leases = self.folder.glob("leases/*.lease")
        return tuple(path.name for path in leases if is_locked(path))


def is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def run_cell(
    folder: Path, load: Path, fault: Fault, ending: Ending, pytests: Pytests | None
) -> Outcome:
    """Run one cell to its end, in a pytest of *pytests* or in an interpreter's own."""
    run = Run(folder, load, fault, ending, pytests)
    try:
        if ending.act is not None:
            run.wait(ending.at)
            ending.act(run)
        return run.finish()
    finally:
        run.process.kill()


def log_gaps(outcome: Outcome, *, complete: bool) -> list[str]:
    """Compare each harness's log with what its compiled program says it has written.

    Args:
        outcome: of a cell.
        complete: whether everything must be there; else only from the beginning on.
    """
    gaps = []
    for counter in outcome.folder.glob("results/*/*/logs/printed"):
        log = counter.parent.parent / "output.log"
        if not log.is_file():
            continue  # it was broken on purpose
        (written,) = struct.unpack("l", counter.read_bytes())
        printed = log.read_bytes().splitlines()
        lines = [line for line in printed if line.startswith(b"load ")]
        expected = [b"load %d" % number for number in range(1, len(lines) + 1)]
        # It may have ended after writing and before counting.
        most, least = written + 1, written if complete else 0
        if lines != expected or not least <= len(lines) <= most:
            gaps.append(f"{log}: {len(lines)} of {written}")
    return gaps
