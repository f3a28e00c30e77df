"""What logs prove of windows: where clocks are set, or processes end, under way."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from pytest_mighetero.devices.gpu import MigDevice
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.readers.reader import Reader
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.evidence.proof import background_proof, main_proof
from pytest_mighetero.terms.clock import Clock, Stamp
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs
from tests.lab.tools import LOADGEN

EPOCH = 1_700_000_000.0
# Set 5 s back at the tenth second.
BACK = [
    *(Stamp(EPOCH + second, second) for second in range(11)),
    *(Stamp(EPOCH + second - 5, second) for second in range(11, 31)),
]


def power(second: float) -> str:
    stamp = datetime.fromtimestamp(EPOCH + second, timezone.utc)
    return stamp.strftime("%m-%d-%Y %H:%M:%S.000")


def launched(folder: Path) -> tuple[Launch, HarnessProcess]:
    """Return one that was launched at the epoch, with an empty LOG_DIR."""
    command = Command(("make",), folder, {})
    launch = Launch(
        Pair("bert", "server"),
        "run_harness",
        MigDevice("MIG-1", "1g.10gb", None),
        5,
        RunArgs(),
        folder,
        command,
        folder,
        LOADGEN,
    )
    launch.log_dir.mkdir()
    harness = HarnessProcess(
        "main", command, launch.output, Markers(("Starting",), ("Finished",)), 1
    )
    harness.launched = Stamp(EPOCH, 0)
    return launch, harness


def write_log(launch: Launch, said: list[tuple[str, object]]) -> None:
    metadata = {"is_error": False, "is_warning": False}
    lines = [
        {"key": key, "value": value, "time_ms": 1.0, "metadata": metadata}
        for key, value in said
    ]
    text = "".join(f":::MLLOG {json.dumps(line)}\n" for line in lines)
    (launch.log_dir / "mlperf_log_detail.txt").write_text(text)


def test_a_step_between_two_windows_of_main_shortens_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SubmissionRun has two: its accuracy run's, then its performance run's."""
    launch, harness = launched(tmp_path)
    said: list[tuple[str, object]] = [("loadgen_version", "2.0 @ 0123456789")]
    # From the second to the eighth second, and from the 15th to the 25th: by then the
    # wall clock is 5 s behind.
    for begin, end in ((2, 8), (10, 20)):
        said += [("power_begin", power(begin)), ("power_end", power(end))]
    write_log(launch, said)
    clock = Clock()
    monkeypatch.setattr(clock, "_readings", BACK)
    harness.exited = Stamp(EPOCH + 22, 27)
    proof = main_proof(launch, harness, clock)
    assert not proof.doubts
    (window,) = proof.windows
    assert window.begin - EPOCH == pytest.approx(2)
    assert window.end - EPOCH == pytest.approx(25)


def test_who_ends_while_its_log_is_read_is_not_accused_of_a_log_without_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch, harness = launched(tmp_path)
    harness.launched = harness.started = Stamp()
    local = datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%SZ")
    begun = [("test_datetime", local), ("generated_query_count", 595)]
    write_log(launch, [("loadgen_version", "6.0.17 @ 0123456789"), *begun])
    read_all = Reader.read_all

    def read_and_end(reader: Reader, folder: Path, output: Path) -> list[Result]:
        found = read_all(reader, folder, output)
        harness.exit_code, harness.exited = 0, Stamp()
        return found

    monkeypatch.setattr(Reader, "read_all", read_and_end)
    proof = background_proof(launch, harness, Clock(), time.monotonic())
    assert proof.doubts == ()
    assert len(proof.windows) == 1


def test_a_sign_alone_proves_nothing_where_the_tools_log_does_not_bear_it_out(
    tmp_path: Path,
) -> None:
    """LoadGen's own log says when its first query was, or is not what was seen."""
    launch, harness = launched(tmp_path)
    harness.launched = harness.started = Stamp()
    write_log(launch, [("generated_query_count", 595)])
    proof = background_proof(launch, harness, Clock(), time.monotonic())
    assert proof.windows == ()
    (doubt,) = proof.doubts
    assert doubt.startswith("its first query is in no log in")
