"""``pytest --help``: our options in groups, each with what holds without it."""

from __future__ import annotations

import re

from pytest_mighetero.spec.options import GROUPS, OPTIONS
from tests.lab.driver import Lab

TITLES = ["what to run", "where", "how long", "verdict", "search", "output"]
SECTION = re.compile(r"^heterogeneous runs: (.*):\n((?:  .*\n)+)", re.MULTILINE)
ENTRY = re.compile(r"^  --(?!no-)([a-z-]+)(.*\n(?:   .*\n)*)", re.MULTILINE)


def test_every_option_stands_in_its_group_with_its_default(lab: Lab) -> None:
    text = lab.apart("--help").result.stdout.str()
    sections = {
        title: dict(ENTRY.findall(said)) for title, said in SECTION.findall(text)
    }
    assert list(sections) == list(GROUPS) == TITLES
    for title, options in GROUPS.items():
        assert list(sections[title]) == [option.name for option in options]
    told = {k: v for each in sections.values() for k, v in each.items()}
    defaults = {
        k: " ".join(v.split()).partition(" (default: ") for k, v in told.items()
    }
    for name, shown in {
        "main-benchmark-duration": "600s",
        "main-benchmark": "all of the suite's",
        "mig-tolerance": "5%",
        "mig-telemetry": "on",
        "dryrun": "off",
        "mig-report": "no page",
    }.items():
        assert defaults[name][2] == f"{shown})"
    assert [name for name, each in defaults.items() if not each[2]] == []


def test_every_ini_key_is_told_with_its_default(lab: Lab) -> None:
    text = lab.apart("--help").result.stdout.str()
    keys = [each.key for each in OPTIONS] + ["mig_junit_properties"]
    for key in keys:
        (told,) = re.findall(
            rf"^  {key} \(\w+\):(.*\n(?:   .*\n)*)", text, re.MULTILINE
        )
        assert " (default: " in " ".join(told.split()), key


def test_no_default_is_left_to_guess() -> None:
    for option in OPTIONS:
        if option.metavar is None:
            assert isinstance(option.default, bool), option.name
        else:
            assert bool(option.default) is not bool(option.unsaid), option.name
