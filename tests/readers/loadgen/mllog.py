"""Writes logs as LoadGen does, for the tests that need one with a certain flaw."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from pytest_mighetero.readers.first_query import FirstQuery
from pytest_mighetero.readers.loadgen import READER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

DETAIL = "mlperf_log_detail.txt"
SUMMARY = "mlperf_log_summary.txt"
PACIFIC = "PST8PDT,M3.2.0,M11.1.0"
find_results = READER.find


def line(
    key: str,
    value: object,
    time_ms: float = 1.0,
    *,
    error: bool = False,
    warning: bool = False,
) -> str:
    """Return one MLLOG line, laid out as LoadGen's, without its newline."""
    flags = (
        f'"is_error": {json.dumps(error)}, "is_warning": {json.dumps(warning)}, '
        '"file": "loadgen.cc", "line_no": 1211, "pid": 7, "tid": 7'
    )
    return (
        f':::MLLOG {{"key": "{key}", "value": {json.dumps(value)}, '
        f'"time_ms": {time_ms:.6f}, "namespace": "mlperf::logging", '
        f'"event_type": "POINT_IN_TIME", "metadata": {{{flags}}}}}'
    )


def lines(*pairs: tuple[str, object]) -> list[str]:
    return [line(key, value) for key, value in pairs]


def write_detail(folder: Path, *parts: str | list[str], end: str = "\n") -> Path:
    flat = [
        each for part in parts for each in ([part] if isinstance(part, str) else part)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DETAIL).write_text("\n".join(flat) + end, encoding="utf-8")
    return folder


def write_summary(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SUMMARY).write_text(text, encoding="utf-8")
    return folder


def is_issuing(folder: Path) -> bool:
    return FirstQuery(folder, folder / "output.log", READER.sign).look()


def in_zone(monkeypatch: pytest.MonkeyPatch, zone: str) -> Iterator[None]:
    """Put this process into a time zone for as long as the generator lives."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()
