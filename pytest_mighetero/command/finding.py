"""From the paths on a command line to records."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.comparing.history import Record, read_record
from pytest_mighetero.errors import ConfigError

EXPECTED = "expected a record.json, a run's folder, or a results folder"

# What a record may hold besides its texts; a key may be absent, or null.
_LISTS = ("harnesses", "overlap", "attempts", "tuning")


@dataclass(frozen=True)
class Damaged:
    """What has a record's name and is none.

    Attributes:
        path: of the file.
        problem: what is wrong with it, one sentence.
    """

    path: Path
    problem: str


def add_records(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names records."""
    parser.add_argument(
        "records",
        nargs="+",
        metavar="RECORD",
        help="a record.json, a run's folder, or a results folder for all in it",
    )


def find_records(paths: Iterable[str]) -> tuple[list[Record], list[Damaged]]:
    """Return every record that *paths* mean, each folder's the oldest first.

    Raises:
        ConfigError: there is none in a path, or the one that it names is damaged.
    """
    records: list[Record] = []
    damaged: list[Damaged] = []
    for given in paths:
        path = Path(given)
        if (one := _named(path)) is not None:
            records.append(_read(one))
            continue
        found = sorted(path.glob("*/record.json"))
        if not found:
            there = "no such file or folder" if not path.exists() else "no record in it"
            raise ConfigError(f"{path}: {there}; {EXPECTED}")
        for each in found:
            try:
                records.append(_read(each))
            except ConfigError as error:
                damaged.append(Damaged(each, str(error)))
    return records, damaged


def has_records(path: Path) -> bool:
    """Tell whether *path* means records: a file, a run's folder, a results folder."""
    return _named(path) is not None or any(path.glob("*/record.json"))


def _named(path: Path) -> Path | None:
    """Return the one record that *path* is, or that its folder holds."""
    if path.is_file():
        return path
    inside = path / "record.json"
    return inside if inside.is_file() else None


def _read(path: Path) -> Record:
    try:
        record = read_record(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} is no record of a run: no JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no record of a run; {EXPECTED}") from error
    if not _is_whole(record):
        raise ConfigError(f"{path} is no record of a run; {EXPECTED}")
    return record


def _is_whole(record: Record) -> bool:
    phases = record.phases.values()
    if not all(isinstance(phase, Mapping) for phase in phases):
        return False
    outcomes = (phase.get("outcome") for phase in phases)
    texts = [record.test, *record.facts.values(), *outcomes]
    lists = [record.data.get(name) or [] for name in _LISTS]
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(each, list) for each in lists)
        and all(isinstance(item, Mapping) for each in lists for item in each)
        and isinstance(record.data.get("telemetry") or {}, Mapping)
    )
