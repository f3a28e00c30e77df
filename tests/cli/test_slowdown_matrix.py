"""``mighetero interference``: the matrix again, from records."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.cli.runs import write_run
from tests.cli.strange import STRANGE, make_strange

Capture = pytest.CaptureFixture[str]
OFFLINE: dict[str, Any] = {"scenario": "offline", "target_qps": None}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    for number, (kind, value) in enumerate(
        [("isolated", "100"), ("dlrm_offline", "80"), ("rnnt_offline", "95")]
    ):
        alone = kind == "isolated"
        write_run(
            folder,
            f"20260722-10150{number}-bert_offline",
            record={"test": f"t.py::t[{kind}]"},
            **OFFLINE,
            value=value,
            run="isolated" if alone else "heterogeneous",
            backgrounds=None if alone else "dlrm",
            aggressor=None if alone else kind,
        )
    return folder


def test_the_table(results: Path, capsys: Capture) -> None:
    assert main(["interference", str(results)]) == 0
    printed = capsys.readouterr().out
    assert "victim                alone   dlrm   rnnt" in printed
    assert "bert_offline  100 samples/s  1.25?  1.05?" in printed


def test_as_json_and_csv(results: Path, capsys: Capture) -> None:
    assert main(["interference", str(results), "--json"]) == 0
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert [each["slowdown"] for each in cells] == [1.25, 100 / 95]
    assert main(["interference", str(results), "--csv"]) == 0
    rows = csv.DictReader(capsys.readouterr().out.splitlines())
    assert [row["slowdown"] for row in rows] == ["1.25", str(100 / 95)]


def test_the_picture(results: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "heat.svg"
    assert main(["interference", str(results), "-o", str(drawn)]) == 0
    said = [*ET.parse(drawn).getroot().itertext()]
    assert {"1.25", "1.05", "bert_offline", "dlrm_offline"} <= set(said)


def test_a_folder_without_cells(tmp_path: Path, capsys: Capture) -> None:
    write_run(tmp_path)
    assert main(["interference", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "no cell of an interference matrix; expected runs of pytest" in said


@pytest.mark.parametrize("which", STRANGE)
def test_what_is_no_record_is_said(results: Path, capsys: Capture, which: str) -> None:
    make_strange(results, which)
    assert main(["interference", str(results)]) == 1
    printed = capsys.readouterr()
    assert "1.25?" in printed.out
    assert printed.err.startswith("mighetero interference: ")


def test_selected_runs(results: Path, capsys: Capture) -> None:
    assert main(["interference", str(results), "--select=101501"]) == 0
    assert "bert_offline has no good run alone" in capsys.readouterr().out
