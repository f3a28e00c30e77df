"""docs/reference/suite-keys.md has every key that suites take, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.readers.reader import reader_named
from pytest_mighetero.spec.harness_spec import HarnessSpec, ServerSpec
from pytest_mighetero.spec.limits import Limits
from pytest_mighetero.spec.suite import Benchmark, Suite
from pytest_mighetero.spec.template import BUILT_IN

PAGE = (Path(__file__).parents[2] / "docs/reference/suite-keys.md").read_text()
# Made of the file's name and place, and no keys of it.
MADE = {"name", "kind", "lineage"}


def keys(kind: type, before: str = "") -> set[str]:
    return {before + field.name for field in fields(kind)}


def rows(heading: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the table below a heading's row."""
    for table in PAGE.split(f"| {heading} |")[1:]:
        for row in table.partition("\n\n")[0].splitlines()[2:]:
            yield row.strip("| ").split(" | ", 1)


def spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def documented() -> Iterator[str]:
    """Yield the keys of the tables, without names that a suite chooses."""
    for first, _ in rows("key | meaning"):
        table = ""
        for span in spans(first):
            key = re.sub(r"(?<!benchmarks)\.(<\w+>|\"[^\"]*\").*$", "", span)
            key = f"{table}{key}" if key.startswith(".") else key
            table = key.rpartition(".")[0]
            yield key


def result_keys(reader: str) -> set[str]:
    with pytest.raises(ConfigError) as refused:
        reader_named(reader, {"no such": ""})
    return set(str(refused.value).partition("accepted: ")[2].split(", "))


def test_every_key_of_a_suite() -> None:
    suite = keys(Suite) - MADE
    known = {
        *suite,
        *keys(HarnessSpec, "harness."),
        *keys(ServerSpec, "harness.server."),
        *keys(Benchmark, "benchmarks.<name>."),
    }
    # Tables, whose keys have rows of their own.
    known -= {"harness", "harness.server", "benchmarks"}
    result = result_keys("lines") | result_keys("json")
    assert set(documented()) - result == known - result


def test_every_limit() -> None:
    [meaning] = [m for key, m in rows("key | meaning") if ".limits." in key]
    assert keys(Limits) <= set(spans(meaning))


@pytest.mark.parametrize("reader", ["lines", "json"])
def test_every_key_of_a_result(reader: str) -> None:
    _, _, section = PAGE.partition("## Where a result is")
    assert result_keys(reader) <= set(spans(section.partition("\n## ")[0]))


def test_every_placeholder() -> None:
    named = [
        span for first, _ in rows("placeholder | stands for") for span in spans(first)
    ]
    assert sorted(named) == sorted(f"{{{name}}}" for name in BUILT_IN)
