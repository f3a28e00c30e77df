"""The tables at a session's end, from the facts of its runs."""

from __future__ import annotations

from pytest_mighetero.records.facts import Value, texts
from pytest_mighetero.show.report import block, table

OFFLINE: dict[str, Value] = {
    "benchmark": "bert",
    "scenario": "offline",
    "action": "run_harness",
    "run": "heterogeneous",
    "validity": True,
    "value": 518.387,
    "unit": "samples/s",
    "target_qps": 400.0,
    "p99_ms": 14.242991,
    "latency_limit_ms": 500.0,
}
SERVER: dict[str, Value] = {
    **OFFLINE,
    "benchmark": "dlrm",
    "scenario": "server",
    "action": "run_audit_test01",
    "validity": False,
    "damage": ["cut off"],
}


TABLE = """\
benchmark  scenario       valid             target  metric             p99 ms  limit ms
bert       offline        VALID                400  518.39  samples/s   14.24         -
dlrm       server-test01  INVALID, damaged     400  518.39  samples/s   14.24       500
"""


def test_a_run_is_a_row_and_what_nobody_knows_no_column() -> None:
    runs = [texts(OFFLINE), texts(SERVER)]
    assert table(runs) == TABLE.splitlines()
    timed = [{**run, "seconds": "600.000"} for run in runs[1:]]
    assert table(timed)[1].split()[-1] == "600.00"


def test_a_margin_by_markers_says_so() -> None:
    margin = {"end_margin_s": "2.500", "overlap_source": "marker"}
    (_, row) = table([{**texts(OFFLINE), **margin}])
    assert row.endswith("2.50 by markers")


def test_isolated_runs_are_told_apart() -> None:
    headings, row = table([texts({**OFFLINE, "run": "isolated"})])
    assert headings.split()[:3] == ["benchmark", "scenario", "run"]
    assert row.split()[:3] == ["bert", "offline", "isolated"]


def test_a_block_has_every_fact_in_its_order() -> None:
    assert block(texts({"benchmark": "bert", "seconds": 0.5})) == (
        "mighetero:\n  benchmark  bert\n  seconds    0.500\n"
    )
