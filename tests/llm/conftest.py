"""One server for the tests that ask it things."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.llm.served import Served, serve


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    if find_spec("numpy") is None:  # a pytest in a test may not import it twice
        pytest.skip("the server needs the cpu extra")
    with serve() as server:
        yield server
