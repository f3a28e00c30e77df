"""Records written before the rooms were built: they say what they said then."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.records.record_file import VERSION
from tests.lab.driver import TWICE

GOLDEN = Path(__file__).parent / "golden"
BOTH = ["compare", "runs", "runs", "--runs-a=isolated", "--runs-b=heterogeneous"]
_WHERE_AND_WHEN = re.compile(r' time="[^"]*" timestamp="[^"]*" hostname="[^"]*"')


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["show", "runs"], "show.txt"),
        (BOTH, "compare.txt"),
        ([*BOTH, "--json"], "compare.json"),
        (["junit", "runs"], "junit.xml"),
    ],
)
def test_they_are_shown_as_before(
    words: list[str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.chdir(GOLDEN)
    assert main(words) == 0
    printed = capfdbinary.readouterr().out.decode()
    plain = _WHERE_AND_WHEN.sub(' time="" timestamp="" hostname=""', printed)
    plain = plain.replace(f' tests="{14 + TWICE}" ', ' tests="14" ', 1)
    assert plain == (GOLDEN / expected).read_text()


def test_they_are_handed_on_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--json", str(GOLDEN / "runs")]) == 0
    paths = sorted(GOLDEN.glob("runs/*/record.json"))
    written = [json.loads(path.read_text()) for path in paths]
    assert json.loads(capsys.readouterr().out) == written


def test_there_are_some_of_every_version() -> None:
    paths = GOLDEN.glob("runs/*/record.json")
    versions = {json.loads(path.read_text())["version"] for path in paths}
    assert versions == set(range(1, VERSION + 1))
