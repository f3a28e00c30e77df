"""The interference matrix in a terminal, in JSON and in CSV."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path

import pytest

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.records.comparison.matrix import Cell, Matrix
from pytest_mighetero.show.slowdowns import as_csv, as_json, lines, write_files

NAMES = ("3d-unet", "bert", "dlrm", "resnet50", "rnnt", "ssd-mobilenet", "ssd-resnet34")
HOSTILE = '\x1b[31m<b>,"x"\n=1+1'


def matrix(victims: tuple[str, ...], aggressors: tuple[str, ...]) -> Matrix:
    cells = [
        Cell(*each, 6, 100.0, 80.0, "samples/s", 1.25, figure="samples/s")
        for each in product(victims, aggressors)
    ]
    return Matrix({"gpu": "A100"}, victims, aggressors, tuple(cells))


def of(count: int) -> Matrix:
    names = tuple(f"{NAMES[n % 7]}{n // 7 or ''}_offline" for n in range(count))
    return matrix(names, names)


def test_every_mark_is_explained() -> None:
    known = [
        Cell(
            "a_offline", "a_offline", 1, 100, 80, "ms", 1.25, failed=True, noise=False
        ),
        Cell("a_offline", "b_server", 2, 100, 99, "ms", 1.0101, noise=True),
        Cell("b_server", "a_offline", 2, 2, 1, "ms", 2.0),
        Cell("b_server", "b_server", problem="main died"),
    ]
    names = ("a_offline", "b_server")
    found = Matrix({"suite": "v2.0"}, names, names, tuple(known), 1.1)
    assert list(lines(found)) == [
        "suite:           v2.0",
        "each aggressor:  on 1 or 2 devices",
        "",
        "times as slow as alone, beside",
        "victim      alone  a_offline  b_server",
        "a_offline  100 ms      1.25!     1.01~",
        "b_server     2 ms      2.00?         -",
        "",
        "  ~ within what repeats differ by",
        "  ? of single runs: their noise is not known",
        "  ! slower than --mig-max-slowdown allows (1.1)",
        "  - no figure",
        "",
        "b_server beside b_server: main died",
    ]


@pytest.mark.parametrize("count", [1, 3, 7, 20, 40])
def test_it_fits_a_terminal_with_however_many_benchmarks(count: int) -> None:
    found = list(lines(of(count)))
    assert max(map(len, found)) <= 80
    assert sum(line.count("1.25?") for line in found) == count * count


def test_what_does_not_fit_is_numbered() -> None:
    found = list(lines(of(7)))
    assert any(line.split() == ["victim", *"1234567"] for line in found)
    assert "        6  ssd-mobilenet_offline" in found
    assert "dlrm_offline           100 samples/s" in found


def test_hostile_names_are_shown(tmp_path: Path) -> None:
    found = matrix((HOSTILE,), (HOSTILE, "=1+1"))
    found = Matrix({"gpu": HOSTILE}, found.victims, found.aggressors, found.cells)
    text = "\n".join(lines(found, 500))
    assert "\x1b" not in text
    assert r"\x1b[31m<b>" in text
    written = as_csv(found)
    assert "\x1b" not in written
    (one, two) = csv.DictReader(written.splitlines())
    assert one["victim"] == HOSTILE.replace("\x1b", r"\x1b").replace("\n", r"\n")
    assert two["aggressor"] == "'=1+1"
    assert json.loads(as_json(found))["victims"] == [HOSTILE]
    write_files(tmp_path, found)


def test_a_lone_surrogate_can_be_written(tmp_path: Path) -> None:
    write_files(tmp_path, matrix(("\ud800_offline",), ("a_offline",)))
    assert json.loads((tmp_path / "interference.json").read_text())["cells"]


def test_json_has_every_cell() -> None:
    document = json.loads(as_json(of(3)))
    assert len(document["cells"]) == 9
    assert document["cells"][0]["slowdown"] == 1.25


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "interference.json").mkdir()
    with pytest.raises(HarnessError, match=r"interference\.json cannot be written: "):
        write_files(tmp_path, of(2))
    assert not list(tmp_path.glob("*.partial"))
