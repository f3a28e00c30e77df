"""Texts that a spreadsheet would take for a formula."""

from __future__ import annotations

import unicodedata

import pytest

from pytest_mighetero.show.spreadsheet import field

FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1",
    "-1+2",
    "@SUM(A1)",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
)
UNSEEN = {
    unicodedata.name(sign, repr(sign)): sign
    for sign in " \u00a0\u3000\ufeff\u200b\u2060\u00ad\u3164\ufe0f\U000e0020"
}


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("before", ["", *UNSEEN.values(), " \ufeff \u200b"], ids=ascii)
def test_no_text_is_a_formula(before: str, formula: str) -> None:
    assert field(f"{before}{formula}") == f"'{before}{formula}"


@pytest.mark.parametrize(
    "text", ["", " ", "\ufeff", "a=b", " a", "\u200b5", "'=", "\u00e4", "1-2", "\u2014"]
)
def test_other_texts_are_as_they_were(text: str) -> None:
    assert field(text) == text


@pytest.mark.parametrize("value", [-5, -0.5, None])
def test_numbers_are_numbers(value: object) -> None:
    assert field(value) is value
