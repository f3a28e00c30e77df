"""Files of clients, cut and changed in every place: never a traceback, never unsaid."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.readers.reader import reader_named
from pytest_mighetero.readers.result import Result
from tests.readers.clients import copy

RUNS = [
    ("endpoints", "server"),
    ("endpoints", "offline"),
    ("aiperf", "server"),
    ("aiperf", "offline"),
    ("vllm", "server"),
    ("vllm", "detailed"),
]
# What a key may hold in place of what it holds.
ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    10**400,
    float("nan"),
    float("inf"),
    "12",
    "\ud800",
    [],
    [[]],
    {},
    {"99.0": "x"},
]
DEEP = "[" * 100_000

every_run = pytest.mark.parametrize(("tool", "run"), RUNS)
runs_with_lines = pytest.mark.parametrize(("tool", "run"), RUNS[:4])


def results_of(tool: str, folder: Path) -> list[Result]:
    found = reader_named(tool).read_all(folder, folder / "output.log")
    for each in found:
        json.dumps(each.to_dict(), allow_nan=False).encode()
        assert all(window.seconds >= 0 for window in each.windows)
    return found


def files_of(folder: Path) -> list[Path]:
    return sorted(x for x in folder.rglob("*.json*") if x.is_file())


def keys_of(value: object, depth: int = 4) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield (key,)
            yield from ((key, *rest) for rest in keys_of(inner, depth - 1))


@every_run
def test_cut_off_files_are_never_whole(tool: str, run: str, tmp_path: Path) -> None:
    folder = copy(tool, run, tmp_path)
    for path in files_of(folder):
        content = path.read_bytes().rstrip()
        for size in range(0, len(content), 1 + len(content) // 60):
            path.write_bytes(content[:size])
            assert all(result.damage for result in results_of(tool, folder)), size
        path.write_bytes(content)
        assert [result.damage for result in results_of(tool, folder)] == [()]


@every_run
def test_any_key_may_hold_anything(tool: str, run: str, tmp_path: Path) -> None:
    folder = copy(tool, run, tmp_path)
    (path,) = folder.rglob("*.json")
    content = path.read_text()
    for number, keys in enumerate(keys_of(json.loads(content))):
        said = at = json.loads(content)
        for key in keys[:-1]:
            at = at[key]
        for odd in (ODD[number % len(ODD)], ODD[-1 - number % 7]):
            at[keys[-1]] = odd
            path.write_text(json.dumps(said))
            results_of(tool, folder)
        del at[keys[-1]]
        path.write_text(json.dumps(said))
        results_of(tool, folder)


@every_run
@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 5000, b"\xff\xfe", DEEP.encode(), b"[]", b"null", b'{"a": 1}', b"{"],
)
def test_files_of_anything(tool: str, run: str, tmp_path: Path, content: bytes) -> None:
    folder = copy(tool, run, tmp_path)
    for path in files_of(folder):
        before = path.read_bytes()
        path.write_bytes(content)
        assert all(result.damage for result in results_of(tool, folder))
        path.write_bytes(before)


@runs_with_lines
def test_lines_of_anything(tool: str, run: str, tmp_path: Path) -> None:
    folder = copy(tool, run, tmp_path)
    for path in folder.glob("*.jsonl"):
        lines = path.read_bytes().splitlines()
        odd = [
            b"",
            b"[]",
            b"{}",
            DEEP.encode(),
            b"\xff" * 9,
            lines[9][:-3],
            b"1" * 9999,
        ]
        for number, each in enumerate(odd):
            path.write_bytes(b"\n".join([*lines[: 8 + number], each, *lines[9:]]))
            (result,) = results_of(tool, folder)
            assert any("1 lines" in sentence for sentence in result.damage)


@every_run
def test_what_is_no_file(tool: str, run: str, tmp_path: Path) -> None:
    folder = copy(tool, run, tmp_path)
    for path in files_of(folder):
        path.rename(path.with_suffix(".kept"))
        path.mkdir()
        results_of(tool, folder)
        path.rmdir()
        path.symlink_to(path.name)  # to itself
        results_of(tool, folder)
        path.unlink()
        path.with_suffix(".kept").rename(path)
    assert [result.damage for result in results_of(tool, folder)] == [()]


@runs_with_lines
def test_long_files_take_little_memory(tool: str, run: str, tmp_path: Path) -> None:
    folder = copy(tool, run, tmp_path)
    for path in folder.glob("*.jsonl"):
        lines = path.read_bytes().splitlines(keepends=True)
        with path.open("wb") as file:
            file.writelines(lines[:5])
            while file.tell() < 8_000_000:
                file.writelines(lines[5:-3])
            file.write(b'{"event_type":"' + b"x" * 4_000_000 + b'"}\n')
            file.writelines(lines[-3:])
        tracemalloc.start()
        results_of(tool, folder)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 3_000_000
