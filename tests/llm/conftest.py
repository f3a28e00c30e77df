"""One server for the tests that ask it things."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.llm.served import Served, serve


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    pytest.importorskip("numpy", reason="the server needs the cpu extra")
    with serve() as server:
        yield server
