"""What LoadGen ran with in an audit: what that changes by design, and what else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pytest_mighetero.devices.gpu import MigDevice
from pytest_mighetero.harness.command import Command
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.run.evidence.traces import (
    AuditSettings,
    audit_settings,
    audit_verdicts,
)
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs
from tests.lab.tools import LOADGEN

SINCE = 1_600_000_000.0
FOUND = "Found Audit Config file (audit.config)."


def launch(folder: Path, test: str) -> Launch:
    return Launch(
        Pair("bert", "server"),
        f"run_audit_{test}",
        MigDevice("MIG-1", "1g.10gb", None),
        0.6,
        RunArgs.read("--min_duration=600 --server_target_qps=500"),
        folder,
        Command(("make",), folder, {}),
        folder / "compliance_logs",
        LOADGEN,
    )


def log(part: Path, *, audited: bool = True, qps: float = 500, ms: int = 600) -> None:
    part.mkdir(parents=True)
    lines = [
        ("effective_scenario", "Server", False),
        ("requested_server_target_qps", qps, False),
        ("effective_target_qps", qps, False),
        ("effective_min_duration_ms", ms, False),
    ]
    if audited:
        lines.append(("warning_generic_message", FOUND, True))
    said = [
        {
            "key": key,
            "value": value,
            "time_ms": 1.0,
            "metadata": {"is_error": False, "is_warning": warning},
        }
        for key, value, warning in lines
    ]
    text = "".join(f":::MLLOG {json.dumps(line)}\n" for line in said)
    (part / "mlperf_log_detail.txt").write_text(text)


def settings(folder: Path, test: str = "test04") -> AuditSettings:
    return audit_settings(launch(folder, test), folder / "compliance_logs", SINCE)


def test_each_part_of_an_audit_has_its_config(tmp_path: Path) -> None:
    log(tmp_path / "compliance_logs" / "TEST04-A" / "bert")
    log(tmp_path / "compliance_logs" / "TEST04-B" / "bert", audited=False)
    (problem,) = settings(tmp_path).problems
    assert problem.startswith("no audit.config reached LoadGen in TEST04-B")


def test_a_reference_run_within_an_audit_needs_none(tmp_path: Path) -> None:
    log(tmp_path / "compliance_logs" / "TEST01" / "bert")
    log(tmp_path / "compliance_logs" / "TEST01" / "bert" / "reference", audited=False)
    assert not settings(tmp_path, "test01").problems


def test_an_audit_whose_logs_are_all_older_ran_nothing(tmp_path: Path) -> None:
    part = tmp_path / "compliance_logs" / "TEST01" / "bert"
    log(part)
    os.utime(part / "mlperf_log_detail.txt", (SINCE - 60, SINCE - 60))
    (problem,) = settings(tmp_path, "test01").problems
    assert problem.startswith("TEST01 left no LoadGen log of its own under")


@pytest.mark.parametrize(
    ("qps", "ms", "problems"),
    [
        (460, 600, 0),  # the Makefiles of v2.1 and later: x 0.92
        (480, 600, 0),  # TEST05: x 0.96
        (500, 0, 0),  # without a minimum duration
        (450, 600, 1),
        (500, 300, 1),
    ],
)
def test_what_an_audit_may_change(
    tmp_path: Path, qps: float, ms: int, problems: int
) -> None:
    log(tmp_path / "compliance_logs" / "TEST01" / "bert", qps=qps, ms=ms)
    found = settings(tmp_path, "test01")
    assert len(found.problems) == problems
    assert len(found.meant) == 1 - problems


def test_what_is_no_file_is_no_verdict(tmp_path: Path) -> None:
    part = tmp_path / "compliance_logs" / "TEST01"
    (part / "folder.txt").mkdir(parents=True)
    os.mkfifo(part / "fifo.txt")
    (part / "nothing.txt").symlink_to("nowhere.txt")
    (part / "mlperf_log_summary.txt").symlink_to("nowhere.txt")
    (part / "verify_performance.txt").write_text("TEST PASS")
    found = audit_verdicts("TEST01", part.parent, SINCE)
    assert [*found.values()] == ["TEST PASS"]
    (problem,) = settings(tmp_path, "test01").problems
    assert "left no LoadGen log" in problem
