"""A run leaves the picture of what happened in its folder, however it ends."""

from __future__ import annotations

import signal
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.records.course import Course, course_of
from pytest_mighetero.records.record_file import read_record
from tests.acceptance.test_interrupt import Running
from tests.acceptance.test_interrupt import running as running  # noqa: PLC0414
from tests.lab.driver import Files, Lab
from tests.lab.processes import until
from tests.lab.web_suite import ONE, Web

PAIR = "dlrm_server"


def drawn(folder: Path) -> ET.Element:
    """Return the one picture that runs left below *folder*."""
    (path,) = folder.glob("results/*/timeline.svg")
    return ET.fromstring(path.read_bytes())


def words(root: ET.Element) -> str:
    return " ".join(" ".join("".join(each.itertext()).split()) for each in root)


def course(folder: Path) -> Course:
    (path,) = folder.glob("results/*/record.json")
    return course_of(read_record(path))


def test_a_good_run_shows_every_harness_and_how_they_overlapped(lab: Lab) -> None:
    # Main's first query is looked for about once a second.
    lab.fake(dlrm={"load": 0.2, "test": 1.8}, **{"*": {"load": 0.2}})
    long = "--background-benchmark-duration=6s"
    report = lab.run("--settle-time=300ms", "--end-time-buffer-min=200ms", long)
    report.result.assert_outcomes(passed=1)
    said = words(drawn(lab.folder))
    assert said.startswith("PASSED")
    assert f"test_run.py::test_heterogeneous[{PAIR}]" in said
    for name in ("main", "background-1-bert", "background-2-resnet50"):
        assert f"{name} on MIG-" in said
        assert f"start marker of {name}" in said
        assert f"first query of {name}" in said
    assert "main's window 1.8 s" in said
    assert "settle time 0.3 s, 0.3 s asked" in said
    assert "0.2 s asked" in said
    assert not list(lab.folder.glob("results/*/timeline.svg.partial"))


def test_the_record_has_the_moments_in_their_order(lab: Lab) -> None:
    lab.fake(**{"*": {"load": 0.2}})
    lab.run("--settle-time=300ms", "--end-time-buffer-min=200ms")
    found = course(lab.folder)
    assert found.settle is not None
    assert found.end_buffer is not None
    main_, *beside = found.lanes
    assert main_.windows[0].source == "loadgen"
    for lane in beside:
        (window,) = lane.windows
        marks = [lane.launched, lane.marker, window.begin, found.settle.begin]
        marks += [found.settle.end, main_.launched, main_.windows[0].begin]
        marks += [main_.windows[0].end, main_.exited, found.end_buffer.begin]
        known = [at for at in marks if at is not None]
        assert len(known) == len(marks)
        assert known == sorted(known)
        assert lane.first_query is not None
        assert lane.launched is not None
        assert lane.first_query - lane.launched >= 0.2
    assert found.settle.asked_s == 0.3
    assert found.settle.end is not None
    assert found.settle.end - found.settle.begin >= 0.3
    assert (found.problems, found.kept) == ((), False)


def test_a_background_that_is_killed_is_red_at_its_end(lab: Lab) -> None:
    lab.fake(dlrm={"test": 9}, bert={"test": 9, "die": ["middle", 9]})
    report = lab.run()
    report.result.assert_outcomes(failed=1)
    root = drawn(lab.folder)
    (problem,) = course(lab.folder).problems
    assert problem.lanes == ("background-1-bert",)
    assert problem.at is not None
    assert problem.text.startswith("The overlap broke: background bert_offline exited")
    red = [each for each in root if "f-bad" in each.get("class", "")]
    said = " ".join("".join(each.itertext()) for each in red)
    assert problem.text in said
    assert "exit code 2" in said
    assert "background-1-bert: exit code 2" in words(root)
    assert "Last lines of" not in words(root)


@pytest.mark.parametrize(
    ("fake", "who", "says"),
    [
        ({"dlrm": {"exit": 3}}, "main", "it exited with code 2"),
        ({"dlrm": {"validity": "INVALID"}}, "main", "the result is INVALID"),
        ({"bert": {"die": ["start", 4]}}, "background-1-bert", "before its start ma"),
        ({"bert": {"exit": 4}}, "background-1-bert", "did not exit with code 0"),
        ({"bert": {"shift": 400}}, "background-1-bert", "proves nothing"),
        ({"bert": {"test": 0.1}, "dlrm": {"test": 1}}, "background-1-bert", "over"),
    ],
)
def test_what_went_wrong_has_its_harness(
    lab: Lab, fake: dict[str, dict[str, object]], who: str, says: str
) -> None:
    lab.fake(**fake)
    report = lab.run("--background-benchmarks=bert")
    found = course(lab.folder)
    assert [each.lanes for each in found.problems] == [(who,)]
    assert says in found.problems[0].text
    said = words(drawn(lab.folder))
    (word,) = report.case.problems  # as junit has it: failure, error
    assert said.startswith({"failure": "FAILED", "error": "ERROR"}[word])
    assert found.problems[0].text.split("\n")[0][:60] in said


def test_a_run_alone_and_one_whose_own_test_fails(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        def test_it(main):
            assert main.run() is None, "what the test itself says"
        """
    )
    report = lab.run(k="dlrm_server")
    report.result.assert_outcomes(failed=1)
    said = words(drawn(lab.folder))
    assert "main on MIG-" in said
    assert "background-1" not in said
    assert "AssertionError: what the test itself says" in said


def test_the_try_that_counts_is_drawn(lab: Lab) -> None:
    lab.fake(dlrm={"capacity": 380})
    report = lab.run("--target-qps-backoff=7%", "--background-benchmarks=bert")
    report.result.assert_outcomes(passed=1)
    assert len(report.record["attempts"]) == 1
    found = course(lab.folder)
    assert found.ends is not None
    first = report.record["attempts"][0]["harnesses"][0]["exited"]
    assert first < found.ends[0]
    assert found.problems == ()
    assert words(drawn(lab.folder)).count(" main on MIG-") == 2  # its life, its window


def test_servers_are_bars_too(web: Web) -> None:
    report = web.run(ONE, k="alpha_server")
    report.result.assert_outcomes(passed=1)
    said = words(drawn(web.folder))
    for name in ("main's server", "background-1-beta's server"):
        assert f"{name} on" in said
        assert f"ready of {name}" in said


def test_a_run_that_is_interrupted_leaves_its_picture(running: Running) -> None:
    running.pytest.send_signal(signal.SIGTERM)
    assert running.pytest.wait(40) == pytest.ExitCode.INTERRUPTED
    said = words(drawn(running.folder))
    assert said.startswith("ERROR")
    assert "Interrupted by SIGTERM while main runs" in said
    assert "main on MIG-" in said


def test_one_that_is_killed_is_drawn_by_the_command(
    running: Running, tmp_path: Path
) -> None:
    until(lambda: "finished" in str(Files(running.folder).record["harnesses"]))
    running.pytest.kill()
    running.pytest.wait(40)
    assert not list(running.folder.glob("results/*/timeline.svg"))
    svg = tmp_path / "timeline.svg"
    assert main(["timeline", str(running.folder / "results"), "-o", str(svg)]) == 0
    said = words(ET.fromstring(svg.read_bytes()))
    assert said.startswith("DID NOT END")
    assert "background-1-bert on MIG-" in said
    assert "running" in said


IN_THE_WAY = """
from pathlib import Path

def test_it(background, main):
    main.run()
    (folder,) = Path("results").iterdir()
    (folder / "timeline.svg" / "in the way").mkdir(parents=True)
"""


def test_a_picture_that_cannot_be_written_is_only_warned_of(lab: Lab) -> None:
    lab.pytester.makepyfile(test_run=IN_THE_WAY)
    report = lab.run()
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "timeline.svg, could not be drawn: Is a directory" in report.text
    assert report.record["phases"]["teardown"]["outcome"] == "passed"
    assert not list(lab.folder.glob("results/*/*.partial"))


def test_not_even_where_warnings_are_errors(lab: Lab) -> None:
    lab.pytester.makepyfile(test_run=IN_THE_WAY)
    report = lab.run("-Werror")
    report.result.assert_outcomes(passed=1)
    assert report.record["phases"]["teardown"]["outcome"] == "passed"
