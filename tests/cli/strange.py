"""What may lie where a record should, each under a run's folder of its own."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.runs import FACTS, PASSED

Make = Callable[[Path], object]
_GOOD = {"version": 1, "test": "t", "session": "s", "phases": PASSED, "facts": FACTS}


def _json(**changed: Any) -> Make:
    known = {**_GOOD, **changed}
    left = {name: each for name, each in known.items() if each is not ...}
    return lambda path: path.write_text(json.dumps(left))


def _bytes(content: bytes) -> Make:
    return lambda path: path.write_bytes(content)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # such a name may have 107 bytes
    try:
        with closing(socket.socket(socket.AF_UNIX)) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


def _gigantic(path: Path) -> None:
    path.write_bytes(b"{")
    os.truncate(path, 1 << 40)


NO_RECORD = "is no record of a run"
# By name: how it is made, and what is said of it.
STRANGE: dict[str, tuple[Make, str]] = {
    "version 2": (_json(version=2), "is a record of version 2, expected 1: another"),
    "version text": (_json(version="\x1b1"), r"is a record of version '\x1b1', expec"),
    "version true": (_json(version=True), "is a record of version True, expected 1"),
    "version table": (_json(version={}), "is a record of version no number"),
    "no version": (_json(version=...), NO_RECORD),
    "a fifo": (os.mkfifo, "is a FIFO, expected a file"),
    "a folder": (Path.mkdir, "is a folder, expected a file"),
    "a socket": (_socket, "is a socket, expected a file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is a device, expected a"),
    "a terminal": (lambda path: path.symlink_to("/dev/ptmx"), "is a device, expected"),
    "a loop": (lambda path: path.symlink_to(path.name), "cannot be read: Too many lev"),
    "to nothing": (
        lambda path: path.symlink_to("gone"),
        "cannot be read: No such file",
    ),
    "gigantic": (_gigantic, "has 1099511627776 bytes, expected 16777216 at most"),
    "empty": (_bytes(b""), f"{NO_RECORD}: no JSON: "),
    "cut short": (_bytes(json.dumps(_GOOD).encode()[:-9]), f"{NO_RECORD}: no JSON: "),
    "zeros": (_bytes(bytes(5000)), f"{NO_RECORD}: no JSON: "),
    "not UTF-8": (_bytes(b'{"test": "\xff"}'), f"{NO_RECORD}: 'utf-8' codec can't"),
    "deep": (_bytes(b"[" * 100_000), f"{NO_RECORD}: nested too deeply"),
    "deep facts": (
        _bytes(b'{"version": 1, "facts": ' + b'{"a":' * 100_000),
        f"{NO_RECORD}: nested too deeply",
    ),
    "a long number": (_bytes(b'{"version": %b}' % (b"9" * 9000)), NO_RECORD),
    "a list": (_bytes(b"[1]"), NO_RECORD),
    "null": (_bytes(b"null"), NO_RECORD),
    "test": (_json(test=3), NO_RECORD),
    "session": (_json(session=[]), NO_RECORD),
    "facts list": (_json(facts=["a"]), NO_RECORD),
    "facts pairs": (_json(facts=[["a", "b"]]), NO_RECORD),
    "fact number": (_json(facts={**FACTS, "value": 3.5}), NO_RECORD),
    "fact null": (_json(facts={**FACTS, "run": None}), NO_RECORD),
    "no facts": (_json(facts=...), NO_RECORD),
    "phases": (_json(phases=[]), NO_RECORD),
    "phase": (_json(phases={"call": "passed"}), NO_RECORD),
    "outcome": (_json(phases={"call": {"outcome": "well"}}), NO_RECORD),
    "outcome list": (_json(phases={"call": {"outcome": ["passed"]}}), NO_RECORD),
    "text": (_json(phases={"call": {"outcome": "failed", "text": [1]}}), NO_RECORD),
    "no outcome": (_json(phases={"call": {}}), NO_RECORD),
    "harnesses": (_json(harnesses={"main": {}}), NO_RECORD),
    "harness": (_json(harnesses=["main"]), NO_RECORD),
    "overlap": (_json(overlap=[3]), NO_RECORD),
    "attempts": (_json(attempts="many"), NO_RECORD),
    "telemetry": (_json(telemetry=[1]), NO_RECORD),
    "course": (_json(course="of events"), NO_RECORD),
}


def make_strange(results: Path, which: str, pair: str = "bert_server") -> Path:
    """Make it under the name of a run of *pair*, and return the run's folder."""
    number = list(STRANGE).index(which)
    folder = results / f"20991231-11{number:04d}-{pair}"
    folder.mkdir(parents=True)
    STRANGE[which][0](folder / "record.json")
    return folder


# Of the right kinds outside, and anything within: a record, if an odd one.
_DEEP: Any = "x"
for _ in range(700):
    _DEEP = [_DEEP]
ODD: dict[str, dict[str, Any]] = {
    "seconds": {"phases": {**PASSED, "call": {"outcome": "passed", "seconds": "two"}}},
    "endless": {
        "phases": {**PASSED, "call": {"outcome": "passed", "seconds": 10**400}}
    },
    "nan": {
        "phases": {**PASSED, "call": {"outcome": "passed", "seconds": float("nan")}}
    },
    "exit code": {"harnesses": [{"exit_code": _DEEP, "role": _DEEP, "launched": 1}]},
    "cut off": {"phases": {}, "harnesses": [{"exit_code": _DEEP, "launched": 1}]},
    "skipped": {"phases": {"setup": {"outcome": "skipped", "text": "(" * 9000}}},
    "line": {"phases": {"setup": {"outcome": "skipped", "text": "('a', 'b', 'c')"}}},
    "other phases": {"phases": {"before": {"outcome": "passed"}}},
    "no phases": {"phases": {}},
    "harness": {"harnesses": [{"device": 3, "loadgen": [], "exit_code": {}}]},
    "margins": {"overlap": [{"start_s": "x", "covered": 10**400, "end_s": None}]},
    "figures": {"telemetry": {"power": {"min": [], "max": 10**400}, "x": [[1]]}},
    "nested": {"attempts": [{"a": {"b": {"c": 1}}, "deep": _DEEP}], "tuning": [{}]},
    "course": {"course": {"problems": [3, {"text": _DEEP}], "settle": _DEEP}},
    "windows": {"harnesses": [{"launched": 9, "windows": [{"begin": _DEEP}, 3]}]},
    "samples": {"course": {"samples": {"x": {"at": [1, 10**400], "values": "ab"}}}},
    "nulls": dict.fromkeys(("harnesses", "overlap", "attempts", "telemetry")),
    "no test": {"test": ""},
    "surrogate": {"test": "\ud800[\x00]", "facts": {**FACTS, "gpu": "\udfff\x00\x1b"}},
    "figures of nothing": {"facts": {**FACTS, "value": "1e999", "p99_ms": "nan"}},
    "no facts": {"facts": {}},
}
