"""``mighetero export --csv`` and ``--openmetrics``, read by what reads them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as text_format

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.records.facts import PROPERTIES
from tests.cli.runs import FACTS, ISOLATED, failed, write_run
from tests.cli.strange import STRANGE
from tests.lab.driver import Lab

Capture = pytest.CaptureFixture[str]
Parser = Callable[[str], Iterable[Metric]]
PARSERS = pytest.mark.parametrize("parser", [text_format, openmetrics])
HOSTILE = 'a"b\\c\n# TYPE x\x1b[31m\u202e{}'


def exported(capsys: Capture, *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["export", *words]) == code
    return capsys.readouterr().out


def samples(text: str, parser: Parser, name: str) -> dict[str, float]:
    """Return the values of a metric by their runs."""
    return {
        "{benchmark}_{scenario} {run}".format(**each.labels): each.value
        for family in parser(text)
        for each in family.samples
        if each.name == f"mighetero_run_{name}"
    }


@PARSERS
def test_metrics_are_of_the_last_run_of_each_kind(
    tmp_path: Path, capsys: Capture, parser: Parser
) -> None:
    write_run(tmp_path, "20260721-101500-bert_server", value="90")
    write_run(tmp_path, "20260722-101500-bert_server", value="99.8")
    write_run(tmp_path, "20260720-101500-bert_server", value="110", **ISOLATED)
    write_run(
        tmp_path, "20260723-101500-dlrm_server", failed("call", "bad"),
        benchmark="dlrm", validity="INVALID",
    )  # fmt: skip
    text = exported(capsys, str(tmp_path), "--openmetrics")
    both = {"bert_server heterogeneous": 99.8, "bert_server isolated": 110.0}
    assert samples(text, parser, "value") == both
    assert samples(text, parser, "p99_seconds") == dict.fromkeys(both, 0.05)
    assert samples(text, parser, "passed") == {
        **dict.fromkeys(both, 1.0),
        "dlrm_server heterogeneous": 0.0,
    }
    assert samples(text, parser, "valid")["dlrm_server heterogeneous"] == 0.0


@PARSERS
def test_no_text_of_a_record_breaks_the_format(
    tmp_path: Path, capsys: Capture, parser: Parser
) -> None:
    strange = {"gpu": HOSTILE, "unit": HOSTILE, "value": "nan", "target_qps": "1e999"}
    for number, (name, value) in enumerate(strange.items()):
        facts: dict[str, Any] = {"benchmark": f"b{number}", name: value}
        write_run(tmp_path, f"2026072{number}-101500-bert_server", **facts)
    text = exported(capsys, str(tmp_path), "--openmetrics")
    families = [*parser(text)]
    assert {each.type for each in families} == {"gauge"}
    found = {each.labels["gpu"] for x in families for each in x.samples}
    assert 'a"b\\c\\n# TYPE x\\x1b[31m\\u202e{}' in found
    assert "\x1b" not in text
    assert text.splitlines()[-1] == "# EOF"


@PARSERS
def test_a_run_as_the_plugin_records_it(
    lab: Lab, capsys: Capture, parser: Parser
) -> None:
    lab.run()
    text = exported(capsys, "results", "--openmetrics")
    run = "dlrm_server heterogeneous"
    assert samples(text, parser, "value") == {run: 393.025}
    assert samples(text, parser, "target_qps") == {run: 400.0}
    assert samples(text, parser, "overlap_ok") == {run: 1.0}
    assert samples(text, parser, "end_margin_seconds")[run] > 0
    launched = lab.folder.stat().st_mtime
    assert abs(samples(text, parser, "ended_timestamp_seconds")[run] - launched) < 3600


def test_a_file_is_replaced_whole(tmp_path: Path, capsys: Capture) -> None:
    """The collector may read it at any time."""
    write_run(tmp_path / "results")
    target = tmp_path / "mighetero.prom"
    target.write_text("before")
    with target.open() as reader:
        exported(capsys, str(tmp_path / "results"), "--openmetrics", "-o", str(target))
        assert reader.read() == "before"
    assert target.read_text().endswith("# EOF\n")
    assert [each.name for each in tmp_path.glob("*.prom*")] == [target.name]


def test_what_is_unfinished_or_did_not_count_is_no_last_result(
    tmp_path: Path, capsys: Capture
) -> None:
    write_run(tmp_path, "20260721-101500-bert_server", value="90")
    running = {"setup": {"outcome": "passed", "text": ""}}
    write_run(tmp_path, "20260722-101500-bert_server", running)
    write_run(tmp_path, "20260723-101500-bert_server", record={"executed_again": True})
    text = exported(capsys, str(tmp_path), "--openmetrics")
    assert samples(text, text_format, "value") == {"bert_server heterogeneous": 90.0}


def test_csv_has_a_row_for_each_run_and_numbers_as_such(
    tmp_path: Path, capsys: Capture
) -> None:
    write_run(tmp_path, "20260721-101500-bert_server", exit_code="-9")
    write_run(
        tmp_path, "20260722-101500-bert_server", failed("call", "bad"),
        gpu='=cmd|"x",\n', value="fast",
    )  # fmt: skip
    first, second = csv.DictReader(
        io.StringIO(exported(capsys, str(tmp_path), "--csv"))
    )
    names = [x.name for group in PROPERTIES.values() for x in group if not x.numbered]
    assert [*first] == ["folder", "test", "passed", *names]
    assert {name: first[name] for name in FACTS} == {
        **FACTS,
        "run_args": f"'{FACTS['run_args']}",
        "value": "99.8",
        "target_qps": "100.0",
        "p99_ms": "50.0",
        "latency_limit_ms": "130.0",
    }
    assert (first["passed"], first["exit_code"]) == ("yes", "-9")
    assert (second["passed"], second["value"]) == ("no", "fast")
    assert second["gpu"] == '\'=cmd|"x",\\n'


@pytest.mark.parametrize("form", ["--csv", "--openmetrics"])
def test_damaged_records_are_named_and_the_others_written(
    tmp_path: Path, capsys: Capture, form: str
) -> None:
    write_run(tmp_path)
    make, problem = STRANGE["version 2"]
    (bad := tmp_path / "20260724-101500-bert_server").mkdir()
    make(bad / "record.json")
    assert main(["export", str(tmp_path), form]) == 1
    out, err = capsys.readouterr()
    assert "99.8" in out
    assert f"{bad}/record.json {problem}" in err


@pytest.mark.parametrize("kind", ["isolated", "heterogeneous"])
def test_runs_of_one_kind(tmp_path: Path, capsys: Capture, kind: str) -> None:
    write_run(tmp_path, "20260721-101500-bert_server")
    write_run(tmp_path, "20260722-101500-bert_server", **ISOLATED)
    text = exported(capsys, str(tmp_path), "--openmetrics", f"--runs={kind}")
    assert [*samples(text, text_format, "value")] == [f"bert_server {kind}"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--csv", "--to=x"], "--to: it is for logs"),
        (["--openmetrics", "--failed"], "--failed: it is for logs"),
        (["-o", "x.csv"], "--output: expected --csv or --openmetrics"),
        (["--csv", "--openmetrics"], "not allowed with argument --csv"),
        (["--csv", "-o", "x.prom"], "--output: expected a name that ends in .csv"),
        (["--csv", "-o", "gone/x.csv"], "--output: gone/x.csv cannot be written"),
    ],
)
def test_what_does_not_go_together(
    tmp_path: Path, capsys: Capture, words: list[str], problem: str
) -> None:
    write_run(tmp_path)
    assert main(["export", str(tmp_path), *words]) == 2
    assert problem in capsys.readouterr().err
