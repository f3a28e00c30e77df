"""Records and LoadGen summaries as the tests need them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PASSED = {
    when: {"outcome": "passed", "text": "", "seconds": 1.5}
    for when in ("setup", "call", "teardown")
}
FACTS = {
    "benchmark": "bert",
    "scenario": "server",
    "action": "run_harness",
    "suite": "v2.0",
    "run": "heterogeneous",
    "backgrounds": "dlrm,resnet50",
    "gpu": "NVIDIA A100-SXM4-80GB",
    "driver": "550.54.15",
    "run_args": "--benchmarks=bert --server_target_qps=100",
    "command": "make run_harness",
    "validity": "VALID",
    "mode": "PerformanceOnly",
    "value": "99.8",
    "unit": "samples/s",
    "target_qps": "100",
    "p99_ms": "50",
    "latency_limit_ms": "130",
}
ISOLATED: dict[str, Any] = {"run": "isolated", "backgrounds": None}


def write_run(
    results: Path,
    name: str = "20260722-101500-bert_server",
    phases: dict[str, Any] | None = None,
    record: dict[str, Any] | None = None,
    **facts: str | None,
) -> Path:
    """Write the record of a run and return its folder; a fact of None is absent."""
    known = {k: v for k, v in {**FACTS, **facts}.items() if v is not None}
    data = {
        "version": 1,
        "test": f"test_run.py::test_heterogeneous[{name[16:]}]",
        "phases": PASSED if phases is None else phases,
        "facts": known,
        **(record or {}),
    }
    folder = results / name
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps(data))
    return folder


def failed(when: str, text: str) -> dict[str, Any]:
    """Return the phases of a run that failed in one of them."""
    phases = {**PASSED, when: {"outcome": "failed", "text": text}}
    if when == "setup":
        del phases["call"]
    return phases


def write_logs(
    folder: Path,
    metric: str = "Samples per second: 100",
    scenario: str = "Offline",
    *,
    mode: str = "PerformanceOnly",
    verdict: str = "VALID",
    p99_ms: float = 50,
    target: float = 100,
) -> None:
    """Write what LoadGen's summary says."""
    folder.mkdir(parents=True)
    lines = [
        "MLPerf Results Summary",
        f"Scenario : {scenario}",
        f"Mode     : {mode}",
        metric,
        f"Result is : {verdict}",
        "Additional Stats",
        f"99.00 percentile latency (ns)   : {p99_ms * 1e6:.0f}",
        "Test Parameters Used",
        f"target_qps : {target:g}",
        "target_latency (ns): 130000000",
    ]
    (folder / "mlperf_log_summary.txt").write_text("\n".join(lines))


def server(rate: float) -> str:
    """Return the line of the Server scenario's metric."""
    return f"Scheduled samples per second : {rate:g}"
