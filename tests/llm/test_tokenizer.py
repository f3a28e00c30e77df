"""The tokenizer's files, as clients read them, and what the server counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest_mighetero.llm
from pytest_mighetero.llm.vocabulary import ANSWERS, encode

FOLDER = Path(pytest_mighetero.llm.__file__).parent / "tokenizer"


def test_a_token_is_a_byte() -> None:
    tokenizer = json.loads((FOLDER / "tokenizer.json").read_text("utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    assert list(vocabulary.values()) == list(range(256))
    assert tokenizer["model"]["merges"] == []
    # The byte-level alphabet: printable Latin-1 stands for itself, the others, in
    # their order, for the characters from U+0100 on.
    others = iter(range(0x100, 0x200))
    for character, byte in vocabulary.items():
        printable = chr(byte).isprintable() and byte != ord(" ")
        assert character == chr(byte if printable else next(others))
    assert tokenizer["pre_tokenizer"]["type"] == tokenizer["decoder"]["type"]
    assert not tokenizer["pre_tokenizer"]["add_prefix_space"]


def test_each_answered_token_is_one_for_the_client() -> None:
    assert [len(encode(text)) for text in ANSWERS] == [1] * 96
    assert len(set(ANSWERS)) == 96


def test_any_text_can_be_asked() -> None:
    assert encode("Gr\u00fc\u00dfe") == "Gr\u00fc\u00dfe".encode()
    assert encode("\ud800!") == b"?!"
