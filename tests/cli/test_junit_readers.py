"""Junit files as Jenkins and GitLab take them: the run's own, and of its record.

Jenkins' xunit plugin refuses a file that its schema does not know (junit-10.xsd beside
this, with its licence, as jenkinsci/xunit-plugin has it at commit 8c515de). GitLab
knows a test by its class and name, leaves a second one of a name out, and shows the
text of a failure, not its message (docs.gitlab.com/ci/testing/unit_test_reports).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from xmlschema import XMLSchema

from pytest_mighetero.cli.__main__ import main
from tests.lab.driver import Lab

SCHEMA = XMLSchema(Path(__file__).with_name("junit-10.xsd"))


def refused_by_jenkins(root: ET.Element) -> set[str]:
    """Return why Jenkins' xunit plugin refuses a file, without where it does."""
    return {str(error.reason) for error in SCHEMA.iter_errors(root)}


def shown_by_gitlab(root: ET.Element) -> dict[tuple[str | None, ...], str | None]:
    """Return by each test what is shown of its failure, None where it has none."""
    shown: dict[tuple[str | None, ...], str | None] = {}
    for case in root.iter("testcase"):
        problems = [x.text or "" for x in case if x.tag in ("failure", "error")]
        key = case.get("classname"), case.get("name")
        shown.setdefault(key, "\n".join(problems) if problems else None)
    return shown


@pytest.fixture
def runs(lab: Lab) -> Lab:
    """Runs of which main is bad, a background dies, and one is good, with repeats."""
    lab.ini("mig_junit_properties = false", junit_family="xunit2")
    lab.fake(bert={"validity": "INVALID"}, dlrm={"marker": "\x1b]0;x</system-out>"})
    report = lab.run("--mig-repeat=2", k="server")
    report.result.assert_outcomes(passed=2, failed=2)
    return lab


def rebuilt(folder: Path, *words: str) -> ET.Element:
    path = folder / "again.xml"
    assert main(["junit", str(folder / "results"), *words, "-o", str(path)]) == 0
    return ET.parse(path).getroot()


def test_jenkins_takes_the_runs_own_file_and_that_of_records(runs: Lab) -> None:
    own = ET.parse(runs.folder / "report.xml").getroot()
    assert refused_by_jenkins(own) == set()
    words = "--junit-family=xunit2", "--no-properties"
    assert refused_by_jenkins(rebuilt(runs.folder, *words)) == set()
    (why,) = refused_by_jenkins(rebuilt(runs.folder, "--junit-family=xunit2"))
    assert "'properties'" in why
    assert any("'file'" in why for why in refused_by_jenkins(rebuilt(runs.folder)))


def test_facts_left_out_as_properties_are_in_the_output(runs: Lab) -> None:
    found = rebuilt(runs.folder, "--no-properties")
    assert [*found.iter("property")] == []
    for case in found.iter("testcase"):
        assert "validity" in "".join(each.text or "" for each in case)


def test_gitlab_sees_every_test_and_why_it_failed(runs: Lab) -> None:
    own = shown_by_gitlab(ET.parse(runs.folder / "report.xml").getroot())
    assert len(own) == 4
    for (_, name), text in own.items():
        assert ("INVALID" in (text or "")) is ("bert" in str(name))
    assert shown_by_gitlab(rebuilt(runs.folder)).keys() == own.keys()
    families = [rebuilt(runs.folder, f"--junit-family=xunit{n}") for n in (1, 2)]
    assert shown_by_gitlab(families[0]) == shown_by_gitlab(families[1])
