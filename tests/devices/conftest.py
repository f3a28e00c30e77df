"""Drivers of machines with GPUs, as libraries."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import Compiled


@pytest.fixture(scope="session")
def library_of(
    compiled: Compiled, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Build the library of a machine, once for each."""

    @cache
    def build(text: str) -> Path:
        folder = tmp_path_factory.mktemp("machine")
        (folder / "machine.h").write_text(text)
        name = "libnvidia-ml.so.1"
        flags = ("-shared", "-fPIC", f"-Wl,-soname,{name}", f"-I{folder}")
        return compiled("nvml.c", name, *flags)

    return build
