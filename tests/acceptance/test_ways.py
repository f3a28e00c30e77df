"""Ways to run pytest that change what a plugin finds there."""

from __future__ import annotations

import pytest

from tests.lab.driver import Lab

WAYS = {
    "no capture": ("-s",),
    "no capture plugin": ("-p", "no:capture"),
    "importlib": ("--import-mode=importlib",),
    "no terminal": ("-p", "no:terminal"),
    "few plugins": ("-p", "no:timeout", "-p", "no:skipping", "-p", "no:logging"),
    "setup shown": ("--setup-show",),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_run_is_judged_and_recorded(lab: Lab, way: str) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    report = lab.run(*WAYS[way])
    assert report.result.ret == 1
    assert "the result is INVALID" in report.case.problems["failure"]
    assert report.record["facts"]["validity"] == "INVALID"


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan", "--fixtures"])
def test_what_only_looks_starts_nothing(lab: Lab, option: str) -> None:
    assert lab.run(option).result.ret == 0
    assert not report_folders(lab)


def test_setups_alone_leave_nothing_running_and_claim_nothing(lab: Lab) -> None:
    report = lab.run("--setup-only")
    assert report.result.ret == 0
    assert not report.launches()
    exits = report.record["facts"]["background_exit_codes"]
    assert exits == "bert=stopped,resnet50=stopped"
    assert "call" not in report.record["phases"]


def test_a_subtest_swallows_no_verdict(lab: Lab) -> None:
    if int(pytest.__version__.partition(".")[0]) < 9:
        pytest.skip("pytest has subtests from 9 on")
    lab.fake(dlrm={"validity": "INVALID"})
    lab.pytester.makepyfile(
        test_run="""
        def test_it(background, main, subtests):
            with subtests.test("main"): main.run()
            with subtests.test("mine"): assert True
        """
    )
    report = lab.run()
    assert report.result.ret == 1
    assert report.record["phases"]["call"]["outcome"] == "failed"


def report_folders(lab: Lab) -> list[str]:
    return [path.name for path in lab.folder.glob("results/*")]
