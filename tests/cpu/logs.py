"""What the tests of real runs read and compare."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from pytest_mighetero.cpu.configs import CONFIG_FILE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

Make: TypeAlias = "Callable[..., subprocess.CompletedProcess[str]]"

HARNESS_DIR = CONFIG_FILE.parent
PLAIN = "CPU-simulated_NumPy"
HETERO = "CPU-simulated_NumPy_HeteroMultiUse"
SHORT = "--min_duration=300 --warmup_duration=0.1"


def detail(folder: Path) -> dict[str, object]:
    prefix = ":::MLLOG "
    entries = [
        json.loads(line.removeprefix(prefix))
        for line in (folder / "mlperf_log_detail.txt").read_text().splitlines()
        if line.startswith(prefix)
    ]
    return {entry["key"]: entry["value"] for entry in entries}


def target_qps(found: dict[str, object]) -> float:
    value = found["effective_target_qps"]
    assert isinstance(value, (int, float))
    return value


def in_order(text: str, *parts: str) -> None:
    position = -1
    for part in parts:
        position = text.find(part, position + 1)
        assert position >= 0, f"{part!r} is missing, or comes too early, in:\n{text}"
