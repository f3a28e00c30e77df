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
_MODE = "--import-mode"


@dataclass(frozen=True)
class IniFile:
    """A file that configures pytest.

    Attributes:
        table: of the file, in which options stand.
        suite: what it says of ``mig_suite``.
        addopts: what it says of that, in a form that it may have.
    """

    path: Path
    table: str
    suite: str | None
    addopts: str | list[str]

    @property
    def line(self) -> str:
        """The one by which the suite ``site.toml`` beside it is used."""
        value = '"site.toml"' if self.path.suffix == ".toml" else "site.toml"
        return f"mig_suite = {value}"

    def advice(self) -> str:
        """Say that it is kept, and what it is to say besides."""
        kept = f"kept   {self.path}, which "
        if self.suite is None:
            lines, kept = [self.line], f"{kept}configures pytest"
        else:
            lines, kept = [], f"{kept}names the suite {self.suite}"
        # Else no tests of two folders may be called the same.
        if not any(word.startswith(_MODE) for word in self._words()):
            lines.append(f"addopts = {self._with_mode()}")
        more = "".join(f"\n           {line}" for line in lines)
        return f"{kept}; have its {self.table} say:{more}" if more else kept

    def _words(self) -> list[str]:
        return self.addopts.split() if isinstance(self.addopts, str) else self.addopts

    def _with_mode(self) -> str:
        words = [*self._words(), f"{_MODE}=importlib"]
        text = " ".join(words)
        if self.path.suffix != ".toml":
            return text
        said = text if isinstance(self.addopts, str) else words
        return tomlkit.item(said).as_string()


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
                return IniFile(path, f"[{table}]", said, _addopts(path, names, told))
        if path.name in (*_TOML, *_INI):  # which count if they are empty, too
            addopts = _addopts(path, ("pytest",), {})
            return IniFile(path, "[pytest]", None, addopts)
    return None


def _addopts(
    path: Path, names: tuple[str, ...], told: Mapping[str, Any]
) -> str | list[str]:
    """Return what a table says of ``addopts``, a list where that is to be one."""
    said = told.get("addopts")
    if isinstance(said, list):
        return [str(word) for word in said]
    listed = path.suffix == ".toml" and names[-1] == "pytest"  # not ini_options
    return [] if listed else str(said or "")


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
