"""What a suite says of the tools that ``json`` and ``lines`` are to read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pytest_mighetero.readers.reader import Reader, reader_named

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DATA = Path(__file__).parent / "data"
_TABLES = tomllib.loads((DATA / "tables.toml").read_text())


def table(reader: str, tool: str, /, **other: Any) -> dict[str, Any]:
    """Return a tool's table, with *other* values; None is for a key that lacks."""
    said = _TABLES[reader][tool] | other
    return {key: value for key, value in said.items() if value is not None}


def reader_of(reader: str, tool: str, /, **other: Any) -> Reader:
    """Return the reader that its table makes."""
    return reader_named(reader, table(reader, tool, **other))
