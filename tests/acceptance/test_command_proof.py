"""What proves that a command loaded its device beside main, and when main ran."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from pytest_mighetero import readers
from tests.acceptance.test_servers import problem_of
from tests.lab.driver import Report
from tests.lab.web_suite import ALONE, ONE, Web

UNSTAMPED = {"start": None, "end": None}
SOON = "--start-time-buffer=1500ms"


def margins(report: Report) -> tuple[float, float]:
    facts = report.case.properties
    return float(facts["start_margin_s"]), float(facts["end_margin_s"])


def test_stamps_of_the_tool_prove_it(web: Web) -> None:
    report = web.run(ONE, "--background-benchmark-duration=3s")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_source"] == "lines"


def test_a_tool_without_stamps_is_bounded_by_what_it_prints(web: Web) -> None:
    web.harness(result=UNSTAMPED)
    report = web.run(ONE, "--background-benchmark-duration=4s", "--settle-time=500ms")
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["overlap_source"] == "marker"
    main, beta = report.record["harnesses"]
    # Main's window is all of its life, and the background's no more than is certain.
    lived = main["exited"] - main["launched"]
    assert float(facts["seconds"]) == pytest.approx(lived, abs=0.05)
    start, end = margins(report)
    assert start <= main["launched"] - beta["started"] + 0.05
    assert end <= beta["exited"] - main["exited"] + 0.05
    assert min(start, end) > 0


def test_one_that_prints_nothing_either_is_bounded_by_its_process(web: Web) -> None:
    web.harness(result=UNSTAMPED, start_markers=[])
    web.clients(every={"marker": ""})
    report = web.run(ONE, "--background-benchmark-duration=4s", "--settle-time=500ms")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_source"] == "process"


def test_what_took_less_than_it_could_have_proves_less(web: Web) -> None:
    """Of 4 s of life nobody knows when the 1 s was that it says."""
    web.harness(result=UNSTAMPED)
    web.clients(
        beta={
            "says": "answers 9 failed 0 in 1.0 s\nrate 9 p99 1 ms",
        }
    )
    report = web.run(ONE, "--background-benchmark-duration=4s")
    assert re.search(
        "did not outlast main by|issued their first query after main's|"
        "had their last response before main's",
        problem_of(report),
    )


HOUR = "answers 90 failed 0 in 3600 s\nrate 90 p99 1 ms"


def test_a_main_that_took_longer_than_its_process_lived(web: Web) -> None:
    web.harness(result=UNSTAMPED)
    web.clients(alpha={"says": HOUR})
    problem = problem_of(web.run(ALONE))
    assert "webload says that it took 3600.0 s, and its process lived " in problem
    assert "result.time_unit" in problem


def test_a_background_that_took_longer_than_its_process_lived(web: Web) -> None:
    web.harness(result=UNSTAMPED)
    web.clients(beta={"says": HOUR})
    problem = problem_of(web.run(ONE, "--background-benchmark-duration=3s"))
    assert "proves nothing: webload says that it took 3600.0 s" in problem


def test_a_background_that_has_told_its_result_and_goes_on(web: Web) -> None:
    """It may have done nothing since then."""
    after = ["import sys, time", "print('Loading', flush=True)"]
    after += ["print('first answer\\nanswers 9 failed 0\\nrate 9', flush=True)"]
    after += ["time.sleep(30)"]
    web.change(
        harnesses={
            "solo": {
                "command": [sys.executable, "-S", "-c", "{work}"],
                "values": {"work": "; ".join(after)},
                "result": {**UNSTAMPED, "duration": None, "done": "^rate"},
            }
        }
    )
    problem = problem_of(web.run("--background-benchmarks=solo"))
    assert "webload has told its result, and its process did not end" in problem


WRITER = """
import json, os, pathlib, sys, time
print("first answer", flush=True)
how, log_dir, seconds = sys.argv[1], pathlib.Path(sys.argv[2]), float(sys.argv[3])
time.sleep(seconds)
text, path = json.dumps({"rate": 9, "s": seconds}), log_dir / "said.json"
if how == "link":
    other = log_dir.parent / "other.json"
    other.write_text(text)
    path.symlink_to(other)
else:
    path.write_text(text)
if how == "old":
    os.utime(path, (1e9, 1e9))
if how == "two":
    (log_dir / "more").mkdir()
    (log_dir / "more" / "said.json").write_text(text)
"""


@pytest.mark.parametrize(
    ("how", "of_main", "of_background"),
    [
        ("well", "", ""),
        ("old", "s before the launch", "s before the launch"),
        ("link", "is a link to", "is a link to"),
        ("two", "left no writer result of its own", "writer left 2 results"),
    ],
)
@pytest.mark.parametrize("of", ["alpha", "beta"])
def test_files_of_a_tool_without_stamps(
    web: Web, how: str, of_main: str, of_background: str, of: str
) -> None:
    (web.folder / "writer.py").write_text(WRITER)
    command = [sys.executable, "-S", str(web.folder / "writer.py"), "{how}"]
    said = {"tool": "writer", "unit": "x/s", "file": "said.json", "value": "rate"}
    said |= {"duration": "s", "time_unit": "s", "issuing": "^first"}
    hows = {"alpha": "well", "beta": "well", "gamma": "well", of: how}
    kept = web.said["harnesses"]["web"]["result"]
    web.harness(
        command=[*command, "{log_dir}", "{seconds}"],
        reader="json",
        result=dict.fromkeys(kept, None) | said,
        start_markers=None,
        server=None,
    )
    web.change(benchmarks={k: {"values": {"how": v}} for k, v in hows.items()})
    report = web.run(ONE, "--background-benchmark-duration=3s", k="alpha_offline")
    if expected := of_main if of == "alpha" else of_background:
        assert expected in problem_of(report)
    else:
        report.result.assert_outcomes(passed=1)


def test_a_background_without_markers_is_ready_by_its_first_answer(web: Web) -> None:
    web.harness(start_markers=[])
    web.clients(every={"marker": "", "quiet": 0.7})
    report = web.run(ONE)
    report.result.assert_outcomes(passed=1)
    main, beta = report.record["harnesses"]
    assert beta["started"] is None
    assert main["launched"] - beta["launched"] > 0.7


def test_main_waits_for_the_answer_that_comes_long_after_the_marker(web: Web) -> None:
    web.clients(beta={"quiet": 3.5})
    report = web.run(ONE)
    report.result.assert_outcomes(passed=1)
    main, beta = report.record["harnesses"]
    assert main["launched"] - beta["started"] > 3.5
    assert margins(report)[0] > 0


def test_no_answer_though_one_was_promised(web: Web) -> None:
    web.clients(beta={"mute": True})
    problem = problem_of(web.run(ONE, SOON))
    assert "1 of 1 backgrounds printed the start marker but issued no query within" in (
        problem
    )
    assert "--start-time-buffer" in problem


def test_neither_marker_nor_answer(web: Web) -> None:
    web.clients(beta={"marker": "", "mute": True})
    problem = problem_of(web.run(ONE, SOON))
    assert (
        "printed no start marker (Loading *), nor did webload issue a query" in problem
    )


def test_a_marker_alone_where_no_answer_is_promised(web: Web) -> None:
    web.harness(live_evidence=False)
    web.clients(beta={"mute": True})
    report = web.run(ONE, "--background-benchmark-duration=3s")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_source"] == "lines"  # in the end it says it


def test_a_client_that_loads_only_after_main_began(web: Web) -> None:
    """Its marker came before; its stamps say when it really was."""
    web.harness(live_evidence=False)
    web.clients(beta={"quiet": 1.5})
    report = web.run(ONE, "--background-benchmark-duration=4s")
    assert "issued their first query after main's" in problem_of(report)


def test_a_stamp_of_another_time_proves_nothing(web: Web) -> None:
    said = "answers 9 failed 0 in 0.5 s\nrate 9 p99 1 ms\nfrom 1700000000 to 1700000001"
    web.clients(alpha={"says": said})
    problem = problem_of(web.run(ONE))
    assert "its webload log is of no run of its own: the timed window in" in problem
    assert "before the launch" in problem


# LoadGen's own log, late: the marker says it loads its samples.


def test_a_harness_whose_log_comes_seconds_after_its_marker(web: Web) -> None:
    lab = web.lab
    lab.suite = str(Path(__file__).parents[1] / "lab" / "fake_harness" / "fake.toml")
    lab.fake(bert={"late": 6})
    report = lab.run(
        "--background-benchmarks=bert", "--background-benchmark-duration=9s"
    )
    report.result.assert_outcomes(passed=1)
    main, bert = report.record["harnesses"]
    assert main["launched"] - bert["started"] > 5
    assert report.case.properties["overlap_source"] == "loadgen"


# A tool whose stamps are of this host's monotonic clock.

MONOTONIC = """
import json, re

from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.reader import Reader
from pytest_mighetero.readers.result import Metric, Result
from pytest_mighetero.terms.window import TimedWindow


class Ticker(Reader):
    name, tool, names, judges = "ticker", "Ticker", ("ticks.json",), False
    sign = Sign("", re.compile(rb"^first answer", re.MULTILINE), "first answer")

    def read(self, folder):
        said = json.loads((folder / "ticks.json").read_text())
        window = TimedWindow(said["begin"], said["end"], self.name, "monotonic")
        rate = Metric("requests per second", 8.0, "requests/s", True)
        return Result(folder, self.tool, metric=rate, completed=8, failed=0,
                      windows=(window,))


READER = Ticker()
"""
TICKER = """
import json, sys, time
print("first answer", flush=True)
begin = time.monotonic()
time.sleep(float(sys.argv[1]))
shift = float(sys.argv[3])
said = {"begin": begin + shift, "end": time.monotonic() + shift}
with open(sys.argv[2] + "/ticks.json", "w") as file:
    json.dump(said, file)
"""


@pytest.mark.parametrize("shift", [0, -30])
def test_stamps_of_the_monotonic_clock(
    web: Web, monkeypatch: pytest.MonkeyPatch, shift: int
) -> None:
    more = web.folder / "more"
    more.mkdir()
    (more / "ticker.py").write_text(MONOTONIC)
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(more)])
    (web.folder / "ticker.py").write_text(TICKER)
    command = [sys.executable, str(web.folder / "ticker.py"), "{seconds}", "{log_dir}"]
    web.harness(
        command=[*command, "{shift}"],
        reader="ticker",
        result=None,
        start_markers=None,
        server=None,
    )
    shifts = {"alpha": shift, "beta": 0, "gamma": 0}
    web.change(benchmarks={k: {"values": {"shift": str(v)}} for k, v in shifts.items()})
    report = web.run(ONE, "--background-benchmark-duration=3s")
    if shift:
        assert "begins 29." in problem_of(report) or "begins 30." in problem_of(report)
        return
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_source"] == "ticker"
    assert float(report.case.properties["seconds"]) == pytest.approx(1, abs=0.1)


def test_a_main_alone_needs_no_sign_at_all(web: Web) -> None:
    web.harness(result={**UNSTAMPED, "issuing": None}, start_markers=[])
    report = web.run(ALONE)
    report.result.assert_outcomes(passed=1)
    assert "overlap_source" not in report.case.properties
