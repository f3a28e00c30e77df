"""Nothing of this looks at the network, whatever it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Compiled
from tests.lab import needs

pytestmark = pytest.mark.slow
RUN = [
    *("-m", "pytest", "--pyargs", "pytest_mighetero.runs", "--mig-suite=cpu"),
    *("-k", "rnnt_offline", "--background-benchmarks=bert", "--mig-report=report.html"),
    *("--background-benchmark-duration=automatic", "--main-benchmark-duration=1s"),
    *("--junitxml=report.xml", "--mig-lease-dir=leases"),
    # Above any machine's rate: the calibrated one moves with who else is busy.
    "--main-benchmark-runargs=--offline_expected_qps=5000",
]
VERBS = [
    *(["init", "mine"], ["doctor"], ["list"], ["show", "results"]),
    *(["compare", "results", "results"], ["trend", "results"]),
    *(["interference", "results"], ["--completion", "bash"]),
    *(["timeline", "results", "-o", "when.svg"], ["trace", "results", "-o", "t.json"]),
    *(["report", "results", "-o", "page.html"], ["junit", "results", "-o", "j.xml"]),
    *(["export", "--csv", "results"], ["export", "--openmetrics", "results"]),
]
MAY_FAIL = ("doctor", "interference")  # of this machine, and of one run
LOOKS = {
    "connects to": "socket.socket().connect(('192.0.2.1', 9))",
    "sends to": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    "looks up": "socket.gethostbyname_ex('192.0.2.1')",
}
SEND = "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 9))"
SUITE = """
devices = "cpu"
[harness]
command = {command}
reader = "lines"
result = {{ tool = "it", value = "(?P<value>x)", unit = "x", issuing = "x" }}
[benchmarks]
looks = {{ scenarios = ["offline"] }}
"""


class Watched:
    """Starts programs that have no network, and knows who wanted it."""

    def __init__(self, shim: Path, folder: Path):
        self.folder, self._told = folder, folder / "told"
        self._environment = {"LD_PRELOAD": str(shim), "NETWORK_TOLD": str(self._told)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=os.environ | self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def told(self) -> str:
        return self._told.read_text() if self._told.exists() else ""


@pytest.fixture
def watched(compiled: Compiled, tmp_path: Path) -> Watched:
    shim = compiled("network.c", "network.so", "-shared", "-fPIC", "-O1")
    return Watched(shim, tmp_path)


@pytest.mark.parametrize(("how", "look"), [*LOOKS.items(), ("sends to", SEND)], ids=str)
def test_whoever_looks_is_seen(watched: Watched, how: str, look: str) -> None:
    watched.run("-c", f"import socket\n{look}")
    assert f"{how} 192.0.2.1" in watched.told


def test_what_a_harness_looks_for_is_seen(watched: Watched) -> None:
    looks = [sys.executable, "-c", f"import socket; {LOOKS['connects to']}"]
    command = ["sh", "-c", '"$@"; exit 3', "sh", *looks]
    suite = watched.folder / "looks.toml"
    suite.write_text(SUITE.format(command=json.dumps(command)))
    own = ("--background-benchmarks=none", "--mig-lease-dir=leases")
    words = ("-m", "pytest", "--pyargs", "pytest_mighetero.runs", "-k", "looks", *own)
    done = watched.run(*words, f"--mig-suite={suite}")
    assert "connects to 192.0.2.1" in watched.told, done.stdout


@pytest.mark.loadgen
def test_neither_a_run_nor_a_verb_looks(watched: Watched) -> None:
    needs.module("mlperf_loadgen")
    done = watched.run(*RUN)
    assert " 1 passed" in done.stdout, done.stdout
    for verb in VERBS:
        said = watched.run("-m", "pytest_mighetero.cli", *verb)
        assert "Traceback" not in said.stderr, said.stderr
        assert said.returncode == 0 or verb[0] in MAY_FAIL, said.stderr
    assert watched.told == ""
