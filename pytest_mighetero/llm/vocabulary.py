"""Tokens: a prompt's bytes, and an answer's printable characters.

A token of an answer is one ASCII character, so that a client that counts tokens with
the tokenizer in this folder counts as the server does.
"""

from __future__ import annotations

ANSWERS = "\n" + "".join(map(chr, range(ord(" "), ord("~") + 1)))
"""The text of each token that the model can produce, by its place in the logits."""

END = len(ANSWERS)
"""The place in the logits of the token that ends an answer; it has no text."""

LOGITS = END + 1


def encode(text: str) -> bytes:
    """Return a prompt's tokens: the bytes of its UTF-8, lone surrogates as `?`."""
    return text.encode("utf-8", "replace")
