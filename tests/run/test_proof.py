"""What main's log proves of its window where the wall clock is set under way."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from pytest_mighetero.devices.gpu import MigDevice
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.run.proof import main_proof
from pytest_mighetero.terms.clock import Clock, Stamp
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs

EPOCH = 1_700_000_000.0
# Set 5 s back at the tenth second.
BACK = [
    *(Stamp(EPOCH + second, second) for second in range(11)),
    *(Stamp(EPOCH + second - 5, second) for second in range(11, 31)),
]


def power(second: float) -> str:
    stamp = datetime.fromtimestamp(EPOCH + second, timezone.utc)
    return stamp.strftime("%m-%d-%Y %H:%M:%S.000")


def test_a_step_between_two_windows_of_main_shortens_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SubmissionRun has two: its accuracy run's, then its performance run's."""
    command = Command(("make",), tmp_path, {})
    launch = Launch(
        Pair("bert", "server"),
        "run_harness",
        MigDevice("MIG-1", "1g.10gb", None),
        5,
        RunArgs(),
        tmp_path,
        command,
        tmp_path,
    )
    launch.log_dir.mkdir()
    said = [("loadgen_version", "2.0 @ 0123456789")]
    # From the second to the eighth second, and from the 15th to the 25th: by then the
    # wall clock is 5 s behind.
    for begin, end in ((2, 8), (10, 20)):
        said += [("power_begin", power(begin)), ("power_end", power(end))]
    metadata = {"is_error": False, "is_warning": False}
    lines = [
        {"key": key, "value": value, "time_ms": 1.0, "metadata": metadata}
        for key, value in said
    ]
    text = "".join(f":::MLLOG {json.dumps(line)}\n" for line in lines)
    (launch.log_dir / "mlperf_log_detail.txt").write_text(text)
    clock = Clock()
    monkeypatch.setattr(clock, "_readings", BACK)
    harness = HarnessProcess(
        "main", command, launch.output, Markers(("Starting",), ("Finished",)), 1
    )
    harness.launched, harness.exited = Stamp(EPOCH, 0), Stamp(EPOCH + 22, 27)
    proof = main_proof(launch, harness, clock)
    assert not proof.doubts
    (window,) = proof.windows
    assert window.begin - EPOCH == pytest.approx(2)
    assert window.end - EPOCH == pytest.approx(25)
