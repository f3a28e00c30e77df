"""The paths that verbs are given."""

from __future__ import annotations

import argparse


def named_path(text: str) -> str:
    """Return a path as it was given; an empty text would be the present folder.

    Raises:
        argparse.ArgumentTypeError: it is empty.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError(
            "expected a path, found an empty text (is a variable of it unset?)"
        )
    return text
