"""What a terminal would obey is shown as text."""

from __future__ import annotations

import pytest

from pytest_mighetero.terms.printable import printable, printable_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, näïve, 日本, 🙂, \\x1b", "plain, näïve, 日本, 🙂, \\x1b"),
        ("two\n\tlines\r\n", "two\n\tlines\n"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\x00b\ac\bd\x7f", r"a\x00b\x07c\x08d\x7f"),
        ("over\rwritten", r"over\rwritten"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("user\u202egnp.exe\u2066", r"user\u202egnp.exe\u2066"),
        ("lone \udc80 \ud83d", r"lone \udc80 \ud83d"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_every_control_and_no_letter() -> None:
    text = "".join(map(chr, range(0x110000)))
    left = {ord(each) for each in text} - {ord(each) for each in printable(text)}
    controls = {*range(0x20), *range(0x7F, 0xA0)} - {9, 10}
    marks = {0x61C, 0x200E, 0x200F}
    turned = {*marks, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    assert left == controls | turned | {*range(0xD800, 0xE000)}


def test_one_line() -> None:
    assert printable_line("a\tb\nc\u2028d\x1b") == r"a\tb\nc\u2028d\x1b"
