"""GitHub's annotations say what failed in a sentence, whichever phase it failed in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.driver import Lab

PLUGIN = "pytest_github_actions_annotate_failures"


def annotated(lab: Lab, *options: str) -> list[str]:
    report = lab.run_with(PLUGIN, *options)
    return [x for x in report.text.splitlines() if x.startswith("::error ")]


@pytest.mark.parametrize("how", [[], ["-n1"]], ids=["alone", "workers"])
@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ({"dlrm": {"validity": "INVALID", "p99": 612.5}}, "INVALID"),
        ({"bert": {"die": ["start", 7]}}, "exited with code 2"),
        ({"resnet50": {"exit": 5}}, "did not exit with code 0"),
    ],
    ids=["call", "setup", "teardown"],
)
def test_each_failure_once(
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    faults: dict[str, Any],
    sentence: str,
    how: list[str],
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lab.fake(**faults)
    (line,) = annotated(lab, *how)
    assert line.startswith("::error file=test_run.py,line=")
    assert sentence in line
    assert "Traceback" not in line
    assert "site-packages" not in line


def test_the_file_is_found_from_a_folder_of_the_repository(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(lab.folder.parent))
    lab.fake(bert={"die": ["start", 7]})
    (line,) = annotated(lab)
    assert line.startswith(f"::error file={lab.folder.name}/test_run.py,line=")


def test_outside_of_github_there_are_none(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    lab.fake(bert={"die": ["start", 7]})
    assert annotated(lab) == []


ENDS = """
import os, signal
def test_heterogeneous(background, main):
    os.kill({})
    main.run()
"""


@pytest.mark.parametrize(
    ("kill", "sentence"),
    [
        ("os.getpid(), signal.SIGKILL", "crashed while running"),
        ("os.getppid(), signal.SIGTERM", "Interrupted by "),
    ],
    ids=["worker", "controller"],
)
def test_a_run_that_no_worker_reports(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, kill: str, sentence: str
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lab.pytester.makepyfile(test_run=ENDS.format(kill))
    lab.fake(dlrm={"test": 5})
    (line,) = annotated(lab, "-n1")
    assert line.startswith("::error file=test_run.py")
    assert sentence in line
