"""The files that a suite is made of, and which of them says what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

Table = Mapping[str, Any]
SUITES = Path(__file__).parent / "suites"


def is_built_in(file: Path) -> bool:
    """Tell whether *file* came with the package: nobody here wrote it, or is to."""
    return file.parent == SUITES


@dataclass(frozen=True)
class Lineage:
    """A suite's own file, then the one it extends, and so on.

    Attributes:
        tables: each file with what it says itself.
    """

    tables: tuple[tuple[Path, Table], ...] = field(default=(), repr=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, without what they say."""
        return tuple(path for path, _ in self.tables)

    @property
    def merged(self) -> dict[str, Any]:
        """What they say together; the nearest file counts."""
        tables = [dict(table) for _, table in reversed(self.tables)]
        return reduce(_merged, tables)

    def file_of(self, *keys: str) -> Path:
        """Return the file whose value at *keys* counts; where none has one, the own."""
        found = (path for path, table in self.tables if _has(table, keys))
        return next(found, self.tables[0][0])

    def added_by(self, *keys: str) -> Path:
        """Return the file with a value at *keys* that extends no other with one."""
        return [path for path, table in self.tables if _has(table, keys)][-1]


NO_LINEAGE = Lineage()


def _has(table: Any, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True


def _merged(parent: dict[str, Any], child: dict[str, Any]) -> dict[str, Any]:
    merged = {**parent, **child}
    for key in parent.keys() & child.keys():
        if isinstance(parent[key], dict) and isinstance(child[key], dict):
            merged[key] = _merged(parent[key], child[key])
    return merged
