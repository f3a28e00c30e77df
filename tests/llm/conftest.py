"""One server for the tests that ask it things."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import needs
from tests.llm.served import Served, serve


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    needs.module("numpy")
    with serve() as server:
        yield server
