"""The examples of the documentation are files that run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab import needs
from tests.lab.driver import Lab, Report

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "examples"
SUITES = sorted(EXAMPLES.glob("*.toml"))
SHORT = (
    "--main-benchmark-duration=1s",
    "--background-benchmark-duration=automatic",
    "--settle-time=100ms",
    "--end-time-buffer-min=500ms",
)


def run(lab: Lab, name: str, pair: str, *options: str, devices: int = 0) -> Report:
    lab.suite = str(EXAMPLES / name)
    return lab.run(*options, k=pair, devices=devices)


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name
)
def test_what_the_documentation_shows_is_in_the_file(path: Path) -> None:
    [text] = [
        text
        for page in DOCS.glob("how-to/*.md")
        if f"](../examples/{path.name})" in (text := page.read_text())
    ]
    after = text[text.index(f"](../examples/{path.name})") :]
    [shown] = re.findall(r"```toml\n(.*?)```", after, re.DOTALL)[:1]
    whole = path.read_text().split("\n")
    at = 0
    for line in filter(None, shown.split("\n")):
        assert line in whole[at:], line
        at = whole.index(line, at) + 1


def test_a_command_in_ten_lines(lab: Lab) -> None:
    needs.programs("sysbench", of="sysbench")
    assert len((EXAMPLES / "own-command.toml").read_text().splitlines()) <= 10
    report = run(lab, "own-command.toml", "primes", *SHORT)
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert (facts["validity"], facts["validity_by"]) == ("VALID", "limits")
    assert (facts["unit"], facts["overlap_source"]) == ("events/s", "process")


def test_a_server_and_a_client(lab: Lab) -> None:
    needs.programs("wrk", of="wrk")
    report = run(lab, "server-and-client.toml", "web", *SHORT)
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert (facts["validity"], facts["unit"]) == ("VALID", "requests/s")
    assert facts["overlap_source"] == "marker"


@pytest.mark.parametrize(
    ("name", "pair", "words"),
    [
        (
            "v5.1-h100.toml",
            "llama3_1-8b_interactive",
            (
                "make run_harness LOG_DIR=* 'RUN_ARGS=--benchmarks=llama3_1-8b "
                "--scenarios=interactive --min_duration=600000'"
            ),
        ),
        (
            "endpoints.toml",
            "llama3.1-8b_interactive",
            "inference-endpoint -v benchmark online * --target-qps 0.8 *",
        ),
    ],
)
def test_rounds_of_today(lab: Lab, name: str, pair: str, words: str) -> None:
    told = ("--main-scenario=all", "--main-profile=1g.10gb", "--dryrun")
    alone = "--background-benchmarks=none"
    report = run(lab, name, pair, alone, *told, devices=3)
    report.result.assert_outcomes(skipped=1)
    report.result.stdout.fnmatch_lines([f"cd * && CUDA_VISIBLE_DEVICES=MIG-* {words}"])
