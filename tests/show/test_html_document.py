"""The HTML page of records of any kind."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.results_folder import find_records
from pytest_mighetero.show.html.document import Ending, write_document
from pytest_mighetero.show.html.page_file import write_page
from tests.cli.runs import FACTS, PASSED, failed, write_run

HTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "\x1b[31m</pre></style></svg></script><script>alert(1)</script>\u202e\u200f\x00"
    "\ufffe\ud800&amp;<b style='x' onclick=y>\"'{{ 7*7 }}{% raw %}"
)
SHOWN = "\\x1b[31m</pre></style></svg></script><script>alert(1)</script>\\u202e\\u200f"
# Of what is allowed where scripts and styles are dropped; nothing else is used.
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section"),
    *("h1", "h2", "h3", "h4", "p", "strong", "em", "ul", "li", "a", "code", "pre"),
    *("table", "thead", "tbody", "tr", "th", "td", "div", "details", "summary"),
    *("svg", "rect", "polyline", "text", "title"),
}


def page_of(results: Path, largest: int | None = None, **about: str) -> Element:
    """Return the page of the records in *results*, which a strict parser takes."""
    file = io.BytesIO()
    limit: dict[str, Any] = {} if largest is None else {"largest": largest}
    write_document(find_records([str(results)]), file, about, **limit)
    parser = html5lib.HTMLParser(strict=True)
    page: Element = parser.parse(file.getvalue(), transport_encoding="utf-8")
    return page


def texts(page: Element, tag: str) -> list[str]:
    return ["".join(each.itertext()) for each in page.iter(f"{HTML}{tag}")]


def test_the_red_ones_come_first_and_are_linked(tmp_path: Path) -> None:
    write_run(tmp_path, "20260722-101500-bert_server")
    write_run(tmp_path, "20260722-111500-dlrm_server", failed("call", "It is INVALID."))
    write_run(tmp_path, "20260722-121500-rnnt_server", failed("setup", "No marker."))
    write_run(tmp_path, "20260722-131500-rnnt_offline", {"setup": PASSED["setup"]})
    write_run(tmp_path, "20260722-141500-bert_offline", overlap_ok="false")
    again = write_run(tmp_path, "20260722-151500-x", record={"executed_again": True})
    page = page_of(tmp_path)
    assert texts(page, "h1") == ["\u2717 3 of 5 runs are red"]
    assert texts(page, "p")[0] == (
        "1 failed, 1 error, 1 did not end, 1 passed, overlap broken, 1 passed, "
        "1 executed again"
    )
    assert [each.rpartition("] ")[2] for each in texts(page, "li")] == [
        "failed: It is INVALID.",
        "error: No marker.",
        "did not end: the run did not end: pytest was ended, or it still runs",
    ]
    names = [each.partition("[")[2] for each in texts(page, "h3")]
    assert names == [
        "rnnt_offline] did not end",
        "rnnt_server] error",
        "dlrm_server] failed",
        "x] executed again",
        "bert_offline] passed, overlap broken",
        "bert_server] passed",
    ]
    assert [each.get("class") for each in page.iter(f"{HTML}h3")] == [
        *("red", "red", "red"),
        *("none", "none", "green"),
    ]
    ids = {each.get("id") for each in page.iter(f"{HTML}section")}
    links = [str(each.get("href")) for each in page.iter(f"{HTML}a")]
    assert len(links) == 3 + 6
    assert {link[1:] for link in links} == ids
    assert str(again) in texts(page, "code")


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        ("passed", None, "green \u2713 1 run passed"),
        ("passed", 0, "green \u2713 1 run passed"),
        ("passed", 2, "red \u2717 1 run passed; pytest ended with exit code 2"),
        ("passed", 3, "red \u2717 1 run passed; pytest ended with exit code 3"),
        ("skipped", 0, "none \u2013 nothing was measured in 1 run"),
        ("broken", 0, "none \u2013 1 run passed, 1 of them with a broken overlap"),
        ("no call", None, "red \u2717 1 of 1 run is red"),
    ],
)
def test_the_headline_is_green_only_where_something_passed(
    tmp_path: Path, outcome: str, code: int | None, said: str
) -> None:
    phases: dict[str, Any] = dict(PASSED)
    if outcome == "skipped":
        phases["call"] = {"outcome": "skipped", "text": "no"}
    if outcome == "no call":
        del phases["call"]
    write_run(tmp_path, phases=phases, overlap_ok=str(outcome != "broken").lower())
    file = io.BytesIO()
    records = find_records([str(tmp_path)])
    write_document(records, file, {}, ending=Ending(code))
    page = html5lib.parse(file.getvalue())
    (head,) = page.iter(f"{HTML}h1")
    assert f"{head.get('class')} {head.text}" == said
    (section,) = page.iter(f"{HTML}h3")
    of_run = {"skipped": "none", "broken": "none", "no call": "red"}
    assert section.get("class") == of_run.get(outcome, "green")


def test_several_errors_are_errors(tmp_path: Path) -> None:
    for hour in (10, 11):
        write_run(tmp_path, f"20260722-{hour}1500-x", failed("setup", "No marker."))
    assert texts(page_of(tmp_path), "p")[0] == "2 errors"


@pytest.mark.parametrize(("tolerance", "flagged"), [(0.05, True), (0.5, False)])
def test_the_trend_is_judged_by_the_tolerance_of_the_session(
    tmp_path: Path, tolerance: float, flagged: bool
) -> None:
    for day, p99 in enumerate(("50", "70"), 1):
        name, record = f"202607{day:02}-101500-bert_server", {"session": str(day)}
        write_run(tmp_path, name, record=record, p99_ms=p99)
    file = io.BytesIO()
    records = find_records([str(tmp_path)])
    write_document(records, file, {}, ending=Ending(tolerance=tolerance))
    assert ("40.0% worse than the 50 of" in file.getvalue().decode()) == flagged


def test_whatever_a_record_says_is_text(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    for when in ("call", "setup"):
        write_run(
            folder,
            f"20260722-101500-{when}",
            failed(when, HOSTILE),
            {
                "test": f"t.py::t[{HOSTILE}]",
                "last_lines": {HOSTILE: [HOSTILE, HOSTILE], "main": [3, {}]},
                "invocation": HOSTILE,
                "pytest_mighetero": HOSTILE,
                "harnesses": [{"role": HOSTILE, "launched": 1.0, "output": HOSTILE}],
            },
            **dict.fromkeys(FACTS, HOSTILE),
            compared=HOSTILE,
            interference=HOSTILE,
        )
    file = io.BytesIO()
    write_document(find_records([str(folder)]), file, {HOSTILE: HOSTILE})
    text = file.getvalue().decode()
    page = html5lib.HTMLParser(strict=True).parse(text)
    found = {str(each.tag).rpartition("}")[2] for each in page.iter()}
    assert found <= TAGS
    names = {name for each in page.iter() for name, _ in each.items()}
    assert not {name for name in names if name == "style" or name.startswith("on")}
    assert not set("\x1b\x00\u202e\u200f\ufffe") & set(text)
    assert SHOWN in "".join(texts(page, "h3"))
    assert all(SHOWN in each for each in texts(page, "li"))
    assert sum(SHOWN in each for each in texts(page, "pre")) >= 4
    assert "49" not in "".join(texts(page, "h3"))


def test_texts_without_end_do_not_make_a_page_without_end(tmp_path: Path) -> None:
    endless = "x" * 1_000_000
    facts = dict.fromkeys(FACTS, endless)
    more = {"test": endless, "invocation": endless, "pytest_mighetero": endless}
    for day in (1, 2):
        name = f"2026072{day}-101500-bert_server"
        write_run(tmp_path, name, failed("call", endless), more, **facts)
    file = io.BytesIO()
    write_document(find_records([str(tmp_path)]), file, {})
    assert len(file.getvalue()) < 300_000


def test_what_was_run_last_is_shown_over_time(tmp_path: Path) -> None:
    for number in range(210):
        flag = f"--benchmarks=bert --batch={number % 105:03}"
        write_run(tmp_path, f"20260722-10{number:04}-bert_server", run_args=flag)
    page = page_of(tmp_path)
    drawn = "".join("".join(each.itertext()) for each in page.iter(f"{SVG}text"))
    shown = [number for number in range(105) if f"--batch={number:03}" in drawn]
    assert shown == list(range(5, 105))
    (said,) = (each for each in texts(page, "p") if "more than once" in each)
    assert said.endswith("; 5 others, which were run before these, are left out.")


def test_a_run_whose_test_has_no_name_goes_by_its_folder(tmp_path: Path) -> None:
    name = "20260722-101500-bert_server"
    write_run(tmp_path, name, failed("call", "It is INVALID."), {"test": ""})
    page = page_of(tmp_path)
    assert texts(page, "a") == [name, name]  # above all, and in the table
    assert texts(page, "h3") == [f"{name} failed"]


def test_what_is_not_known_of_a_pair_of_figures_is_a_dash(tmp_path: Path) -> None:
    write_run(tmp_path, p99_ms=None, start_margin_s="3.5")
    page = page_of(tmp_path)
    rows = (list(each) for each in page.iter(f"{HTML}tr"))
    said = {"".join(row[0].itertext()): row[1].text for row in rows if len(row) == 2}
    assert said["p99 ms, limit ms"] == "-, 130"
    assert said["overlap held, margins s"] == "-, 3.5, -"
    assert said["beside"] == "dlrm,resnet50"
    assert said["figure"] == "99.8 samples/s VALID"


def test_lines_are_wrapped_without_styles(tmp_path: Path) -> None:
    """HTML has an attribute for it, where a policy has styles dropped."""
    write_run(tmp_path, phases=failed("call", "It is INVALID. " * 99))
    every = list(page_of(tmp_path).iter(f"{HTML}pre"))
    assert every
    assert all(each.get("wrap") is not None for each in every)


def test_nothing_is_asked_of_elsewhere(tmp_path: Path) -> None:
    write_run(tmp_path, phases=failed("call", "see https://example.org/x.js"))
    page = page_of(tmp_path)
    for each in page.iter():
        assert not {"src", "srcset", "data", "action", "xlink:href"} & set(each.keys())
        assert str(each.get("href", "#")).startswith("#")
    (style,) = texts(page, "style")
    assert "url(" not in style
    assert "@import" not in style


def test_a_damaged_record_is_told_and_no_value_is_too_strange(tmp_path: Path) -> None:
    strange: list[Any] = [None, True, -1, 1e999, "x", [], {}, [[]], {"a": [1]}, 10**400]
    for number, value in enumerate(strange):
        folder = write_run(tmp_path, f"20260722-10150{number}-x")
        text = (folder / "record.json").read_text()
        data = json.loads(text)
        for name in ("last_lines", "invocation", "course", "telemetry", "harnesses"):
            data[name] = value
        data["facts"] |= {"end_margin_s": "NaN", "p99_ms": "no", "scenario": ""}
        try:
            said = json.dumps(data)
        except ValueError:
            continue
        (folder / "record.json").write_text(said)
    write_run(tmp_path, "20260722-111500-y", PASSED, {"facts": {}})
    (tmp_path / "20260722-121500-z").mkdir()
    (tmp_path / "20260722-121500-z/record.json").write_text("{")
    page = page_of(tmp_path)
    assert "damaged" in texts(page, "p")[0]
    assert any("z/record.json is no record" in each for each in texts(page, "li"))
    assert len(texts(page, "h3")) == len(strange) + 2


def test_what_does_not_fit_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    lines = {"main": [f"line {n} of main" for n in range(40)]}
    for number in range(40):
        phases = failed("call", "It is INVALID.") if number % 10 == 0 else PASSED
        name = f"20260722-1015{number:02}-dlrm_server"
        write_run(tmp_path, name, phases, {"last_lines": lines})
    whole = page_of(tmp_path)
    details = "all that the record says"
    assert texts(whole, "summary").count(details) == 40
    drawn = list(whole.iter("{http://www.w3.org/2000/svg}svg"))
    assert len(drawn) == 40 + 1  # and what they came to over time
    assert not [each for each in texts(whole, "p") if "small enough" in each]
    small = page_of(tmp_path, largest=100_000)
    kept = texts(small, "summary").count(details)
    assert 0 < kept < 40
    notes = [each for each in texts(small, "p") if "small enough" in each]
    assert notes
    assert "mighetero report FOLDER" in notes[0]
    # The red ones are there, whole, and no run is missing.
    assert sum("last lines of main" in x for x in texts(small, "summary")) == 4
    assert len(texts(small, "h3")) == 40
    least = page_of(tmp_path, largest=1)
    assert texts(least, "summary") == []
    assert len(texts(least, "h3")) == 40
    assert any("no timeline" in each for each in texts(least, "p"))


def test_a_page_of_thousands_stays_small_and_counts_all(tmp_path: Path) -> None:
    for number in range(150):
        phases = failed("call", "It is INVALID.") if number % 50 == 0 else PASSED
        write_run(tmp_path, f"20260722-10{number:04}-dlrm_server", phases)
    page = page_of(tmp_path, largest=1)
    assert texts(page, "h1") == ["\u2717 3 of 150 runs are red"]
    assert texts(page, "p")[0] == "3 failed, 147 passed"
    (note,) = (each for each in texts(page, "p") if "counted" in each)
    assert ", 50 runs are counted" in note
    ids = [str(each.get("id")) for each in page.iter(f"{HTML}section")]
    assert len(ids) == 100
    # The red ones, whenever they were, and the newest.
    assert ids[:4] == ["run-101", "run-51", "run-1", "run-150"]
    assert ("run-53" in ids, "run-52" in ids) == (True, False)
    links = {str(each.get("href"))[1:] for each in page.iter(f"{HTML}a")}
    assert links == set(ids)
    rows = [each.get("href") for each in page.iter(f"{HTML}a")][3:]
    assert rows == [f"#{each}" for each in sorted(ids, key=lambda x: int(x[4:]))]


def test_the_file_is_whole_or_as_it_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "results")
    page = tmp_path / "page.html"
    page.write_text("before")
    link = tmp_path / "link.html"
    link.symlink_to(page)

    def broken(_value: object) -> str:
        raise OSError(28, "No space left on device")

    records = list(find_records([str(tmp_path / "results")]))
    with monkeypatch.context() as patched:
        patched.setattr("pytest_mighetero.show.html.section.page", broken)
        with pytest.raises(ConfigError, match=r"-o: .*No space left.*name a file"):
            write_page(records, link, {}, said_by="-o")
    assert page.read_text() == "before"
    write_page(records, link, {}, said_by="-o")
    assert link.is_symlink()
    assert re.match("<!DOCTYPE html>.*</html>", page.read_text(), re.DOTALL)
    left = {"results", "page.html", "link.html"}
    assert {each.name for each in tmp_path.iterdir()} == left
    write_page(records, Path("/dev/null"), {}, said_by="-o")
    assert Path("/dev/null").is_char_device()
