"""The table of properties: its rows in the site, and texts of what was found out."""

from __future__ import annotations

import math
import re

import pytest

from pytest_mighetero.records import facts
from pytest_mighetero.records.rule import Typed


def test_every_property_has_one_row() -> None:
    rows = [row.split(" | ") for row in facts.property_rows()]
    named = re.findall(r"`(\w+)`", " ".join(row[0] for row in rows))
    assert named == [each.name for group in facts.PROPERTIES.values() for each in group]
    assert all(len(row) == 2 for row in rows)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("benchmark", "bert", "bert"),
        ("seconds", 1.5, "1.500"),
        ("value", 262650.123456789, "262650.1235"),
        ("target_qps", 1e6, "1000000"),
        ("validity", False, "INVALID"),
        ("overlap_ok", True, "true"),
        ("attempts", 3, "3"),
        ("attempt_12", "it was INVALID", "it was INVALID"),
        ("backgrounds", ("bert", "dlrm"), "bert,dlrm"),
        ("throttled_by", ["power", "heat"], "power, heat"),
        ("percentiles_ms", {50.0: 4.0322611, 99.9: 5.0}, "50=4.03226 99.9=5"),
        ("tuned_resolution", 0.0123, "1.23%"),
        ("tuned_invalid_above", math.inf, "none"),
        ("device_slot", 0, "0"),
    ],
)
def test_a_text_is_made_by_the_rule_of_its_property(
    name: str, value: facts.Value, text: str
) -> None:
    assert facts.texts({name: value}) == {name: text}


def test_what_is_not_known_is_left_out() -> None:
    assert facts.texts({"damage": (), "device_profile": None, "backgrounds": ""}) == {}


@pytest.mark.parametrize("name", ["interfrence", "attempt_x", "tuned_2"])
def test_an_unknown_property_is_a_mistake(name: str) -> None:
    for value in (None, "text", 3):
        with pytest.raises(KeyError):
            facts.texts({name: value})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("value", "393.025", 393.025),
        ("seconds", "1.500", 1.5),
        ("exit_code", "-9", -9),
        ("overlap_ok", "true", True),
        ("compared_ok", "false", False),
        ("validity", "VALID", "VALID"),
        ("backgrounds", "bert,dlrm", ["bert", "dlrm"]),
        ("percentiles_ms", "50=4.03226 99.9=5", {"50": 4.03226, "99.9": 5.0}),
        ("interference_ratio", "0.9132", 0.9132),
        ("tuned_invalid_above", "none", "none"),
        ("benchmark", "3", "3"),
    ],
)
def test_values_of_json(name: str, text: str, value: Typed) -> None:
    found = facts.typed({name: text})[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("value", "nan"),
        ("value", "1e999"),
        ("seconds", "fast"),
        ("exit_code", "1.5"),
        ("overlap_ok", "perhaps"),
        ("percentiles_ms", "50=x"),
        ("of another version", "3"),
    ],
)
def test_what_is_not_as_its_property_has_it_stays_a_text(name: str, text: str) -> None:
    assert facts.typed({name: text}) == {name: text}


def test_texts_are_the_values_that_they_were_made_of() -> None:
    said = {"seconds": "1.500", "validity": "INVALID", "overlap_ok": "true"}
    assert facts.number(said, "seconds") == 1.5
    assert facts.number(said, "value") is None
    assert facts.flag(said, "validity") is False
    assert facts.flag(said, "overlap_ok") is True
    assert facts.flag(said, "tuned") is None
    for text in ("nan", "1e999", "fast"):
        with pytest.raises(ValueError):  # noqa: PT011 - of float, or ours
            facts.number({"value": text}, "value")
