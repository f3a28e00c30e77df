"""Records of runs whose course is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import read_record
from tests.cli.runs import FACTS, failed, write_run

BEGIN = 1795794974.0


def harness(number: int, **changes: Any) -> dict[str, Any]:
    """Return what a record holds of one harness; number 0 is main."""
    launched = BEGIN + (20 if number == 0 else 0.1 * number)
    end = BEGIN + (60 if number == 0 else 70)
    return {
        "role": "main" if number == 0 else f"background-{number}-bert",
        "benchmark": "bert" if number else "dlrm",
        "scenario": "offline" if number else "server",
        "device": {"uuid": f"MIG-{number:08d}", "profile": "1g.10gb"},
        "launched": launched,
        "started": launched + 1,
        "first_query": launched + 2.4,
        "finished": end if number == 0 else None,
        "stopped": end if number else None,
        "exited": end + 1,
        "exit_code": 143 if number else 0,
        "windows": [{"begin": launched + 2, "end": end, "source": "loadgen"}],
        **changes,
    }


def course(**changes: Any) -> dict[str, Any]:
    """Return what else a record holds of it."""
    moments = [BEGIN + 20 + second for second in range(40)]
    return {
        "seen": BEGIN + 72,
        "settle": {"asked_s": 10, "begin": BEGIN + 8, "end": BEGIN + 20},
        "end_buffer": {"asked_s": 5, "begin": BEGIN + 61, "end": BEGIN + 70},
        "problems": [],
        "samples": {"power_w": {"at": moments, "values": list(range(280, 320))}},
        **changes,
    }


def run_of(
    tmp_path: Path,
    harnesses: list[dict[str, Any]] | int = 7,
    *,
    failure: str = "",
    facts: dict[str, str] | None = None,
    **changes: Any,
) -> Record:
    """Return the record of a run; *changes* are of what it holds."""
    if isinstance(harnesses, int):
        harnesses = [harness(number) for number in range(harnesses)]
    record = {"harnesses": harnesses, "course": course(), **changes}
    phases = failed("call", failure) if failure else None
    known = {**FACTS, **(facts or {})}
    folder = write_run(tmp_path / "results", phases=phases, record=record, **known)
    return read_record(folder / "record.json")
