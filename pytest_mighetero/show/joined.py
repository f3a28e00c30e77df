"""Several junit files of one suite as one, a test case at a time: memory stays flat."""

from __future__ import annotations

import re
import shutil
from typing import IO

_SUITE = re.compile(rb"<testsuite [^>]*>")
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_END = b"</testsuite>"
_SUMS = ("errors", "failures", "skipped", "tests", "time")


class JoinedSuites:
    """Takes pytest's junit files one after another.

    pytest writes one ``<testsuite>`` under one ``<testsuites>``, its counts first.

    Args:
        cases: an empty file, which takes the test cases.
    """

    def __init__(self, cases: IO[bytes]):
        self._head, self._tail = b"", b""
        self._attributes: dict[str, str] = {}
        self._sums = dict.fromkeys(_SUMS, 0.0)
        self._cases = cases

    def add(self, xml: bytes) -> None:
        """Take one junit file."""
        opened = _SUITE.search(xml)
        assert opened is not None, "pytest writes a testsuite"
        found = dict(_ATTRIBUTE.findall(opened[0].decode()))
        for name in _SUMS:
            self._sums[name] += float(found.get(name, 0))
        empty = opened[0].endswith(b"/>")
        closed = opened.end() if empty else xml.rindex(_END)
        self._cases.write(xml[opened.end() : closed])
        if not self._head:
            self._head, self._attributes = xml[: opened.start()], found
            self._tail = xml[closed:] if not empty else _END + xml[closed:]

    def write(self, file: IO[bytes]) -> None:
        """Write what has been taken as one junit file."""
        sums = {name: f"{self._sums[name]:.0f}" for name in _SUMS}
        sums["time"] = f"{self._sums['time']:.3f}"
        attributes = {**self._attributes, **sums}
        said = " ".join(f'{name}="{each}"' for name, each in attributes.items())
        file.write(self._head + f"<testsuite {said}>".encode())
        self._cases.seek(0)
        shutil.copyfileobj(self._cases, file)
        file.write(self._tail)
