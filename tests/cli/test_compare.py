"""``mighetero compare``: published logs, trees of one's own, records."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.cli.runs import ISOLATED, failed, server, write_logs, write_run

Capture = pytest.CaptureFixture[str]
LOGS = Path(__file__).resolve().parents[3] / "shared" / "loadgen-logs"


def compared(capsys: Capture, *words: object) -> dict[str, Any]:
    """Return the document of a comparison, its rows by benchmark and scenario."""
    code = main(["compare", *map(str, words), "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == (0 if document["rows"] else 1)
    rows = document["rows"]
    document["rows"] = {f"{row['benchmark']}_{row['scenario']}": row for row in rows}
    return document


def reasons(document: dict[str, Any]) -> set[str]:
    return {
        f"{each['benchmark']}_{each['scenario']} {each['side']}: {each['reason']}"
        for each in document["left_out"]
    }


def shown(capsys: Capture, *words: object) -> str:
    assert main(["compare", *map(str, words)]) == 0
    return capsys.readouterr().out


# What MLPerf published

V1_0 = """
benchmark  scenario       A       B  unit       change  verdict
bert-99    offline   502.49  492.27  samples/s  -2.0 %  worse, single runs
resnet50   offline     5171  5108.2  samples/s  -1.2 %  worse, single runs

not compared:
  benchmark   scenario  in  value             why
  3d-unet-99  offline   B   7.1845 samples/s  not in A
  bert-99     server    B   380.87 samples/s  not in A
  dlrm-99     server    B   35991 samples/s   not in A
  resnet50    server    B   3601.8 samples/s  not in A
"""
V2_0 = """
benchmark  scenario       A       B  unit        change  verdict
bert-99    offline   484.02  483.64  samples/s  -0.08 %  worse, single runs
resnet50   offline   5231.1  5200.5  samples/s   -0.6 %  worse, single runs

not compared:
  benchmark  scenario  in  value             why
  bert-99    server    B   379.98 samples/s  not in A
  resnet50   server    B   3597.2 samples/s  not in A
"""


@pytest.mark.parametrize(("round_", "table"), [("v1.0", V1_0), ("v2.0", V2_0)])
def test_published_logs(round_: str, table: str, capsys: Capture) -> None:
    a, b = LOGS / round_ / "isolated", LOGS / round_ / "hetero"
    if not a.is_dir():
        pytest.skip(f"no LoadGen logs in {LOGS}")
    out = shown(capsys, a, b).replace("  throughput", "").replace("  figure    ", "")
    assert out == f"A: {a}\nB: {b}\n{table}"


# Trees


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    a, b = tmp_path / "system", tmp_path / "system_HeteroMultiUse"
    for tree in (a, b):
        write_logs(tree / "bert-99" / "Offline" / "performance" / "run_1")
    return a, b


def test_server_runs_at_one_target_are_compared_by_p99(
    trees: tuple[Path, Path], capsys: Capture
) -> None:
    for tree, p99_ms, target in zip(trees, (95.8, 105.9), (98, 100), strict=True):
        run = tree / "bert-99" / "Server" / "performance" / "run_1"
        write_logs(run, server(379.98), "Server", p99_ms=p99_ms, target=380)
        run = tree / "rnnt" / "Server"
        write_logs(run, server(target), "Server", p99_ms=p99_ms, target=target)
    out = shown(capsys, *trees)
    cells = [line.split() for line in out.splitlines() if " server " in line]
    assert " ".join(cells[0]) == (
        "bert-99 server p99 95.8 105.9 ms +10.5 % worse, single runs 380 "
        "95.8 -> 105.9 130"
    )
    assert " ".join(cells[1]) == (
        "rnnt server highest VALID target 98 100 QPS +2.0 % better, single runs "
        "98 -> 100 95.8 -> 105.9 130"
    )
    row = compared(capsys, *trees)["rows"]["bert-99_server"]
    assert row["figure"] == "p99 at target 380"
    assert (row["a"]["median"], row["b"]["values"]) == (95.8, [105.9])
    assert row["b"]["server"] == {"target_qps": 380, "p99_ms": 105.9, "limit_ms": 130}
    assert (row["higher_is_better"], row["verdict"]) == (False, "worse, single runs")


def test_what_is_not_compared_is_listed_with_the_reason(
    trees: tuple[Path, Path], capsys: Capture
) -> None:
    a, b = trees
    p90 = "90th percentile latency (ns) : 3602375726"
    for tree in trees:
        logs = tree / "3d-unet-99" / "Offline" / "performance" / "run_1"
        write_logs(logs, p90, "SingleStream")
        write_logs(tree / "bert-99" / "Offline" / "accuracy", mode="AccuracyOnly")
    write_logs(a / "bert-99.9" / "Offline")
    write_logs(b / "bert-99" / "Offline-accuracy", mode="AccuracyOnly")
    write_logs(b / "bert-99" / "Offline" / "TEST01" / "performance" / "run_1")
    write_logs(b / "bert-99" / "Offline" / "run_1")
    write_logs(b / "dlrm-99" / "Offline", verdict="INVALID")
    write_logs(a / "dlrm-99" / "Offline")
    (b / "rnnt" / "Server").mkdir(parents=True)
    (b / "rnnt" / "Server" / "mlperf_log_summary.txt").touch()
    write_logs(
        b / "resnet50" / "Server", server(10), "Server", mode="FindPeakPerformance"
    )
    document = compared(capsys, *trees)
    assert set(document["rows"]) == {"bert-99_offline"}
    other = "folder says Offline, LoadGen's log says SingleStream"
    modes = "expected PerformanceOnly or SubmissionRun"
    place = "expected <benchmark>/<Scenario>/[performance/run_1/]mlperf_log_*.txt"
    assert reasons(document) == {
        f"3d-unet-99_offline A: {other}",
        f"3d-unet-99_offline B: {other}",
        "bert-99.9_offline A: not in B, which has bert-99",
        "bert-99_offline B: an audit, TEST01",
        f"bert-99_offline B: {place}, found another place",
        "dlrm-99_offline A: no good run in B",
        "dlrm-99_offline B: INVALID",
        "rnnt_server B: LoadGen's log is cut off: it has no verdict",
        f"resnet50_server B: LoadGen's mode is FindPeakPerformance, {modes}",
    }


def test_several_runs_are_a_sample(trees: tuple[Path, Path], capsys: Capture) -> None:
    for tree, rates in zip(trees, ([100.0, 102, 101], [90.0, 95, 91]), strict=True):
        for number, rate in enumerate(rates, 1):
            run = tree / "dlrm-99" / "Offline" / "performance" / f"run_{number}"
            write_logs(run, f"Samples per second: {rate:g}")
    out = shown(capsys, *trees)
    assert "  101 [100..102, 3 runs]  91 [90..95, 3 runs]  samples/s  -9.9 %  w" in out
    row = compared(capsys, *trees)["rows"]["dlrm-99_offline"]
    assert (row["significant"], row["verdict"]) == (True, "worse")


def test_one_system_at_a_time(trees: tuple[Path, Path], capsys: Capture) -> None:
    assert main(["compare", str(trees[0].parent), str(trees[1])]) == 2
    names = f"choose among {trees[0]}, {trees[1]}"
    assert f"logs of 2 systems, expected one: {names}" in capsys.readouterr().err


def test_nothing_in_common(tmp_path: Path, capsys: Capture) -> None:
    write_logs(tmp_path / "a" / "bert-99" / "Offline")
    write_logs(tmp_path / "b" / "dlrm-99" / "Offline")
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    assert "\nNothing could be compared.\n" in capsys.readouterr().out


# Records


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Isolated and heterogeneous repeats of bert in one folder."""
    folder = tmp_path / "results"
    for number, p99_ms in enumerate((50, 51, 52)):
        name = f"20260722-10150{number}-bert_server"
        write_run(folder, name, **ISOLATED, p99_ms=f"{p99_ms}")
    for number, p99_ms in enumerate((60, 58, 61), 3):
        write_run(folder, f"20260722-10150{number}-bert_server", p99_ms=f"{p99_ms}")
    return folder


def test_the_price_of_neighbours(results: Path, capsys: Capture) -> None:
    kinds = "--runs-a=isolated", "--runs-b=heterogeneous"
    out = shown(capsys, results, results, *kinds)
    assert out.startswith(f"A: {results} (isolated runs)\nB: {results} (heterogeneous")
    assert "51 [50..52, 3 runs]  60 [58..61, 3 runs]  ms    +17.6 %  worse  " in out
    assert "not compared" not in out
    assert "besides" not in out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "isolated and heterogeneous runs, which are not one sample: choose with "),
        ([], "--runs-a=isolated or --runs-a=heterogeneous"),
        (["--runs-a=isolated"], "--runs-b=isolated or --runs-b=heterogeneous"),
        (["--runs-a=other"], "argument --runs-a: invalid choice: 'other'"),
    ],
)
def test_a_mixed_folder_needs_a_choice(
    options: list[str], says: str, results: Path, capsys: Capture
) -> None:
    assert main(["compare", str(results), str(results), *options]) == 2
    assert says in capsys.readouterr().err


def test_runs_of_another_kind(
    tmp_path: Path, trees: tuple[Path, Path], capsys: Capture
) -> None:
    """Records without the fact ``run`` are told by their backgrounds."""
    write_run(tmp_path / "a", run=None, backgrounds=None)
    write_run(tmp_path / "b", run=None)
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    document = compared(capsys, a, b)
    assert (document["a"]["runs"], document["b"]["runs"]) == (
        "isolated", "heterogeneous",
    )  # fmt: skip
    assert main(["compare", a, b, "--runs-b=isolated"]) == 2
    assert "has no isolated run; it has heterogeneous" in capsys.readouterr().err
    assert main(["compare", a, str(trees[0]), "--runs-b=isolated"]) == 2
    assert "holds LoadGen's logs, which do not say" in capsys.readouterr().err


def test_bad_records_are_named(tmp_path: Path, capsys: Capture) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    for number, (facts, phases) in enumerate(
        [
            ({}, None),
            ({"validity": "INVALID"}, failed("call", "Main failed.\nLast lines")),
            ({}, failed("teardown", "did not outlast main")),
            ({"command": None, "backgrounds": None}, failed("setup", "died")),
            ({"overlap_ok": "false"}, None),
            ({}, {"setup": {"outcome": "passed"}}),
            ({"action": "run_audit_test01"}, None),
            ({"mode": "AccuracyOnly", "validity": None}, None),
        ]
    ):
        write_run(a, f"20260722-10150{number}-bert_server", phases, **facts)  # type: ignore[arg-type]
    damaged = a / "20260722-101509-bert_server" / "record.json"
    damaged.parent.mkdir()
    damaged.write_text("{}")
    document = compared(capsys, a, write_run(b))
    assert set(document["rows"]) == {"bert_server"}
    assert len(document["rows"]["bert_server"]["a"]["values"]) == 1
    expected = "expected a record.json, a run's folder, or a results folder"
    assert reasons(document) == {
        "bert_server A: call failed: Main failed.",
        "bert_server A: teardown failed: did not outlast main",
        "bert_server A: setup failed: died",
        "bert_server A: the backgrounds did not cover main",
        "bert_server A: the run did not end",
        "bert_server-test01 A: not in B",
        "bert_server A: accuracy run",
        f"-_- A: {damaged} is no record of a run; {expected}",
    }
    paths = {each["path"] for each in document["left_out"]}
    assert "20260722-101501-bert_server" in paths


def test_what_else_is_different_is_said(
    tmp_path: Path, trees: tuple[Path, Path], capsys: Capture
) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    write_run(a, run_args="--x=2 --server_target_qps=100")
    write_run(a, "20260722-101501-rnnt_server", benchmark="rnnt")
    write_run(b, driver="560", run_args="--x=1 --server_target_qps=90")
    write_run(b, "20260722-101501-rnnt_server", benchmark="rnnt", driver="560")
    notes = (
        "\ndifferent between A and B, besides:\n"
        "  driver: 550.54.15 in A, 560 in B (all rows)\n"
        "  settings: --x=2 in A, --x=1 in B (bert server)\n"
    )
    assert shown(capsys, a, b).endswith(notes)
    write_run(
        a, "20260722-101502-bert_offline", benchmark="bert-99", scenario="offline"
    )
    logs = f"{trees[0]} holds LoadGen's logs alone: GPU and settings unknown"
    assert compared(capsys, a, trees[0])["notes"] == [logs.replace(str(trees[0]), "B")]


def test_the_power_meters_rehearsal_is_no_run(
    trees: tuple[Path, Path], capsys: Capture
) -> None:
    for tree in trees:
        ranging = tree / "bert-99" / "Offline" / "performance" / "ranging"
        write_logs(ranging, "Samples per second: 120")
    document = compared(capsys, *trees)
    assert document["rows"]["bert-99_offline"]["a"]["values"] == [100]
    assert document["left_out"] == []


def test_damaged_logs_are_left_out(trees: tuple[Path, Path], capsys: Capture) -> None:
    for tree in trees:
        logs = tree / "dlrm-99" / "Offline"
        write_logs(logs, "Samples per second: -5")
        os.mkfifo(logs / "mlperf_log_detail.txt")
    says = "cannot be read: it is a FIFO, expected a file"
    left_out = reasons(compared(capsys, *trees))
    assert len(left_out) == 2
    assert all(says in reason for reason in left_out)


def test_the_harnesss_name_and_its_results_folders_are_of_one_benchmark(
    trees: tuple[Path, Path], capsys: Capture
) -> None:
    for tree, name in zip(trees, ("llama3_1-8b", "llama3.1-8b-99"), strict=True):
        write_logs(tree / name / "Interactive", server(10), "Server", target=1.5)
    assert reasons(compared(capsys, *trees)) == {
        "llama3_1-8b_interactive A: not in B, which has llama3.1-8b-99",
        "llama3.1-8b-99_interactive B: not in A, which has llama3_1-8b",
    }
