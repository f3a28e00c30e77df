"""Columns of text. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pytest_mighetero.terms.printable import printable_line


def columns(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Collection[str] = (),
    indent: str = "",
) -> list[str]:
    """Return a line for each row under a line of headings; none for no rows.

    Each cell is shown on one line as a terminal may have it. A column without any text
    in it is left out; those with the headings *right* are aligned to the right.
    """
    if not rows:
        return []
    shown = [n for n in range(len(headings)) if any(row[n] for row in rows)]
    table = [[printable_line(row[n]) for n in shown] for row in [headings, *rows]]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    flush = [headings[n] in right for n in shown]
    return [
        indent
        + "  ".join(
            cell.rjust(width) if to_the_right else cell.ljust(width)
            for cell, width, to_the_right in zip(row, widths, flush, strict=True)
        ).rstrip()
        for row in table
    ]
