"""What the documentation names is there; README stands alone, as PyPI shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from pytest_mighetero import errors
from pytest_mighetero.cli.__main__ import VERBS
from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.readers import result
from pytest_mighetero.spec.options import OPTIONS
from pytest_mighetero.terms.window import TimedWindow
from tests.lab.web_suite import ONE, Web

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RECORDS = sorted((ROOT / "tests/records/golden/runs").glob("*/record.json"))


HAS_TESTS = "--pyargs pytest_mighetero.runs"
KEYS = set(re.findall(r"`(\w+)`", (ROOT / "docs/reference/record.md").read_text()))
# What is in them has pages of its own, or names that are a tool's, or a run's.
ELSEWHERE = ("facts", "loadgen", "audit", "last_lines")


def keys_of(said: object) -> Iterator[str]:
    """Yield the keys of a record at all levels."""
    if isinstance(said, list):
        for each in said:
            yield from keys_of(each)
    if isinstance(said, dict):
        for key, value in said.items():
            yield key
            if key in ("telemetry", "samples"):
                yield from keys_of(list(value.values()))
            elif key not in ELSEWHERE:
                yield from keys_of(value)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_readme_has_no_link_that_pypi_cannot_follow() -> None:
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert [each for each in links if not each.startswith("https://")] == []


def test_readme_names_pages_that_are_there() -> None:
    pages = re.findall(r"`(docs/[^`]*)`", README)
    assert pages
    assert [each for each in pages if not (ROOT / each).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_options_that_a_page_names_are_there(page: Path) -> None:
    known = {each.name for each in OPTIONS}
    known |= {f"no-{each.name}" for each in OPTIONS if each.no_help}
    said = set(
        re.findall(r"(?<![\w-])--((?:no-)?mig-[a-z-]*[a-z])\b", page.read_text())
    )
    assert said - known == set()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_verbs_that_a_page_names_are_there(page: Path) -> None:
    said = re.findall(r"(?m)(?:^    (?:\$ )?|`)mighetero ([a-z]+)", page.read_text())
    assert set(said) <= {each.NAME for each in VERBS}


def test_the_page_of_the_record_has_its_keys() -> None:
    records = [json.loads(path.read_text()) for path in RECORDS]
    assert {each for record in records for each in keys_of(record)} - KEYS == set()


def test_the_page_of_the_record_has_the_keys_of_runs_with_servers(web: Web) -> None:
    web.clients(alpha={"exit": 3})
    record = web.run(ONE, "--settle-time=100ms").record
    assert record["course"]["problems"]
    assert record["course"]["settle"]
    assert record["harnesses"][1]["server"]["exited"]
    assert set(keys_of(record)) - KEYS == set()


def test_the_page_of_exit_codes_has_those_of_pytest() -> None:
    page = (ROOT / "docs/reference/exit-codes.md").read_text()
    of_pytest = page.partition("## `mighetero`")[0]
    codes = re.findall(r"(?m)^\| (\d) \|", of_pytest)
    known = [str(int(each)) for each in pytest.ExitCode]
    assert codes[: len(known)] == known  # later versions have more


def test_the_page_of_the_api_has_the_kinds_of_errors() -> None:
    page = (ROOT / "docs/reference/api.md").read_text()
    kinds = [
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.MigheteroError)
    ]
    assert len(kinds) > 6
    assert [name for name in kinds if f"`{name}`" not in page] == []


@pytest.mark.parametrize(
    "kind",
    [
        *(Gpu, MigDevice, TimedWindow, result.Result, result.Metric),
        *(result.LatencyStats, result.TokenMetrics, result.LatencyBound),
    ],
)
def test_what_the_api_shows_says_what_each_field_means(kind: type) -> None:
    said = re.findall(r"(?m)^ {4,8}(\w+): \S", kind.__doc__ or "")
    assert said == [each.name for each in fields(kind)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_with_a_suite_that_runs_anywhere_do_so(page: Path) -> None:
    text = page.read_text().replace("\\\n", "")
    commands = re.findall(
        r"(?m)^    pytest .*--mig-suite=(?:cpu|services|\S+\.toml).*", text
    )
    assert [each for each in commands if HAS_TESTS not in each] == []


def test_the_page_of_the_command_has_an_example_of_every_verb() -> None:
    page = (ROOT / "docs/reference/command.md").read_text()
    named = re.findall(r"(?m)^    mighetero ([a-z]+)", page)
    assert {each.NAME for each in VERBS} - {"completion"} == set(named)
