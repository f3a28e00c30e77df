"""What tests of several folders share."""

from __future__ import annotations

import pytest

from tests.lab import Lab


@pytest.fixture
def lab(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(pytester, monkeypatch)
