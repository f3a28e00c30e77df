"""``mighetero trend``."""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.cli.runs import failed, write_run
from tests.cli.strange import make_strange

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def results(tmp_path: Path) -> str:
    """Return a folder with a change for the worse in it."""
    folder = tmp_path / "results"
    for day, p99 in enumerate(("50", "51", "70"), 1):
        name, record = f"202607{day:02}-101500-bert_server", {"session": str(day)}
        write_run(folder, name, record=record, p99_ms=p99)
    name = "20260704-101500-dlrm_offline"
    write_run(folder, name, benchmark="dlrm", scenario="offline")
    return str(folder)


def test_it_charts_each_thing_and_marks_the_change(
    results: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    assert main(["trend", results]) == 0
    out = capsys.readouterr().out
    assert "bert_server heterogeneous beside dlrm,resnet50\n" in out
    assert "last 70 ms, min 50, max 70, lower is better\n" in out
    assert "! bert_server: p99 at target 100 is 70 ms, 37.3% worse than the 51" in out
    assert "dlrm_offline" in out
    assert out.isascii()
    assert "\x1b" not in out


def test_k_chooses_as_pytests_does(results: str, capsys: Captured) -> None:
    assert main(["trend", results, "-k", "Bert and not offline", "--json"]) == 0
    [series] = json.loads(capsys.readouterr().out)
    assert (series["benchmark"], series["unit"]) == ("bert", "ms")
    assert [point["value"] for point in series["points"]] == [50, 51, 70]
    assert [bool(point["flagged"]) for point in series["points"]] == [0, 0, 1]


@pytest.mark.parametrize("option", ["-k", "--select"])
def test_a_chosen_run_is_judged_by_all_before_it(
    results: str, capsys: Captured, option: str
) -> None:
    assert main(["trend", results, option, "20260703", "--json"]) == 0
    [series] = json.loads(capsys.readouterr().out)
    [point] = series["points"]
    assert point["value"] == 70
    assert "37.3% worse than the 51" in point["flagged"]


def test_select_that_chooses_none_is_a_sentence(results: str, capsys: Captured) -> None:
    assert main(["trend", results, "--select", "2027"]) == 2
    assert "no run with '2027' in its folder's name" in capsys.readouterr().err


NOWHERE = "is in no run's name"


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("bert and", "is no expression of names with and, or, not: "),
        ("bret", f"selects no run: 'bret' {NOWHERE}, the nearest: bert\n"),
        (
            "dlrm and (3d_unet or ofline)",
            (
                f"selects no run: '3d_unet' {NOWHERE}; there are bert_server, "
                f"dlrm_offline; 'ofline' {NOWHERE}, the nearest: offline\n"
            ),
        ),
        (
            "dlrm-offline and 20260704",
            f"selects no run: 'dlrm-offline' {NOWHERE}, the nearest: dlrm_offline\n",
        ),
        (
            "dlrm and server",
            "selects no run: each word is in some run's name, but none has them so\n",
        ),
    ],
)
def test_k_that_selects_nothing_tells_the_nearest_of_each_word(
    results: str, capsys: Captured, keyword: str, said: str
) -> None:
    assert main(["trend", results, "-k", keyword]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"mighetero trend: -k: {keyword!r} {said}")
    assert (shown.out, shown.err.count("\n")) == ("", 1)


def test_what_k_is_compared_with_is_text(tmp_path: Path, capsys: Captured) -> None:
    write_run(tmp_path / "r", benchmark="\x1b[31mbert\u202e", scenario="\n")
    assert main(["trend", str(tmp_path / "r"), "-k", "\u202ebret"]) == 2
    assert main(["trend", str(tmp_path / "r"), "-k", "brt"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(line.isprintable() for line in said)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "0"}, False),
        ({"NO_COLOR": ""}, True),  # as no-color.org has it
        ({"TERM": "dumb"}, False),
    ],
    ids=str,
)
def test_a_terminal_has_colours_unless_they_are_not_wanted(
    results: str,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    coloured: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["trend", results]) == 0
    out = capsys.readouterr().out
    assert ("\x1b[31m!\x1b[0m" in out) is coloured
    assert ("\x1b" in out) is coloured


def test_a_pipe_has_none(
    results: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["trend", results]) == 0
    assert "\x1b" not in capsys.readouterr().out


# Berlin's clocks skip an hour at 02:00 on March 29, and repeat one on October 25.
TIMES = {
    "an hour that is not": ("20260329-013000", "20260329-023000", "20260329-033000"),
    "an hour twice": ("20261025-013000", "20261025-023000", "20261025-033000"),
}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "America/New_York"])
@pytest.mark.parametrize("which", TIMES)
def test_summer_time_moves_nothing(
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    which: str,
) -> None:
    """Whoever looks, and from where: times are those of the folders' names."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for value, stamp in enumerate(TIMES[which], 5):
            name = f"{stamp}-bert_server"
            write_run(tmp_path, name, record={"session": stamp}, p99_ms=str(value))
        assert main(["trend", str(tmp_path), "--json"]) == 0
        [series] = json.loads(capsys.readouterr().out)
        assert main(["trend", str(tmp_path)]) == 0
        charted = capsys.readouterr().out
    finally:
        monkeypatch.undo()
        time.tzset()
    day = f"2026-{TIMES[which][0][4:6]}-{TIMES[which][0][6:8]}"
    told = [point["time"] for point in series["points"]]
    assert told == [f"{day}T0{hour}:30:00" for hour in (1, 2, 3)]
    assert [point["value"] for point in series["points"]] == [5, 6, 7]
    # The one in the middle is in the middle, and each is judged by the one before.
    rows = [line for line in charted.splitlines() if "\u2502" in line]
    columns = sorted(
        line.index(sign) for line in rows for sign in "\u25cf!" if sign in line
    )
    assert columns[1] - columns[0] in (columns[2] - columns[1] + n for n in (-1, 0, 1))
    assert f"{day} 01:30" in charted
    assert f"{day} 03:30" in charted
    assert [bool(point["flagged"]) for point in series["points"]] == [0, 1, 1]


def test_two_that_differ_in_their_settings_alone_can_be_told_apart(
    tmp_path: Path, capsys: Captured
) -> None:
    for day, flag in enumerate(("--gpu_batch_size=8", "--gpu_batch_size=16"), 1):
        name = f"202607{day:02}-101500-bert_server"
        write_run(tmp_path, name, run_args=f"--benchmarks=bert {flag}", device_slot="3")
    assert main(["trend", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for size in (8, 16):
        where = "NVIDIA A100-SXM4-80GB, v2.0"
        assert f"\nsettings --gpu_batch_size={size}, {where}\n" in out
    assert main(["trend", str(tmp_path), "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["settings"].split()[-1] for row in rows] == [
        "--gpu_batch_size=16",
        "--gpu_batch_size=8",
    ]
    assert {row["device_slot"] for row in rows} == {"3"}


def test_csv_has_a_line_for_each_run(results: str, capsys: Captured) -> None:
    assert main(["trend", results, "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["value"] for row in rows] == ["50.0", "51.0", "70.0", "99.8"]
    assert rows[0]["time"] == "2026-07-01T10:15:00"


def test_it_writes_a_picture(results: str, tmp_path: Path, capsys: Captured) -> None:
    picture = tmp_path / "trend.svg"
    assert main(["trend", results, "-o", str(picture)]) == 0
    assert picture.read_text().startswith("<?xml")
    assert main(["trend", results, "-o", str(tmp_path / "no" / "x.svg")]) == 2
    assert "name a file in a folder that exists" in capsys.readouterr().err


def test_only_bad_runs_are_marks(tmp_path: Path, capsys: Captured) -> None:
    write_run(tmp_path / "r", phases=failed("call", "\x1b[31mMain failed"))
    assert main(["trend", str(tmp_path / "r")]) == 0
    out = capsys.readouterr().out
    assert "no figure in 1 run\n" in out
    assert "\x1b" not in out


def test_damage_is_told_and_the_rest_charted(results: str, capsys: Captured) -> None:
    make_strange(Path(results), "cut short")
    assert main(["trend", results]) == 1
    shown = capsys.readouterr()
    assert "dlrm_offline" in shown.out
    assert "is no record of a run" in shown.err


def test_no_results_are_a_sentence(tmp_path: Path, capsys: Captured) -> None:
    assert main(["trend", str(tmp_path / "none")]) == 2
    assert "no such file or folder" in capsys.readouterr().err
    assert main(["trend", str(tmp_path)]) == 2
    assert "no record in it" in capsys.readouterr().err
