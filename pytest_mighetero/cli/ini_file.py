"""The file that configures pytest in a folder, without a pytest that reads it."""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from pytest_mighetero.errors import ConfigError

_TOML, _INI = ("pytest.toml", ".pytest.toml"), ("pytest.ini", ".pytest.ini")
_READS_TOML = pytest.version_tuple >= (9,)


@dataclass(frozen=True)
class IniFile:
    """A file that configures pytest.

    Attributes:
        table: of the file, in which options stand.
        suite: what it says of ``mig_suite``.
    """

    path: Path
    table: str
    suite: str | None

    @property
    def line(self) -> str:
        """The one by which the suite ``site.toml`` beside it is used."""
        value = '"site.toml"' if self.path.suffix == ".toml" else "site.toml"
        return f"mig_suite = {value}"

    def advice(self) -> str:
        """Say that it is kept, and what to add where it names no suite."""
        if self.suite is not None:
            return f"kept   {self.path}, which names the suite {self.suite}"
        return (
            f"kept   {self.path}, which configures pytest; add to its {self.table}:\n"
            f"           {self.line}"
        )


def ini_file(folder: Path) -> IniFile | None:
    """Return the one of the folder's files that pytest would read, if it has any.

    Raises:
        ConfigError: one of them is not what its name says, or cannot be read.
    """
    for path, tables in _candidates(folder):
        document = _document(path)
        for names in tables:
            if (told := _table(document, names)) is not None:
                suite = told.get("mig_suite")
                table = (":" if path.suffix == ".cfg" else ".").join(names)
                said = suite if suite is None else str(suite)
                return IniFile(path, f"[{table}]", said)
        if path.name in (*_TOML, *_INI):  # which count if they are empty, too
            return IniFile(path, "[pytest]", None)
    return None


def _candidates(folder: Path) -> Iterator[tuple[Path, list[tuple[str, ...]]]]:
    """Yield the files there are, as pytest looks for them, and tables that it reads."""
    dedicated = [*_TOML, *_INI] if _READS_TOML else _INI
    tables: dict[str, list[tuple[str, ...]]] = {
        **{name: [("pytest",)] for name in dedicated},
        "pyproject.toml": [("tool", "pytest", "ini_options")],
        "tox.ini": [("pytest",)],
        "setup.cfg": [("tool:pytest",)],
    }
    if _READS_TOML:
        tables["pyproject.toml"].append(("tool", "pytest"))
    for name, names in tables.items():
        if (path := folder / name).is_file():
            yield path, names


def _document(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            return tomlkit.parse(text).unwrap()
        parser = configparser.ConfigParser(
            allow_no_value=True, interpolation=None, strict=False
        )
        parser.read_string(text, path.name)
    except (OSError, ValueError, configparser.Error) as error:
        why = getattr(error, "strerror", None) or error
        said = " ".join(str(why).split())
        raise ConfigError(f"{path}: pytest cannot read it: {said}; mend it") from error
    return parser


def _table(document: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    found: Any = document
    for name in names:
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found if isinstance(found, Mapping) else None
