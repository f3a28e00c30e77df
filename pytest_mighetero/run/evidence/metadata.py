"""What a harness says of a run beside its tool's logs: small JSON files."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.run.judge import METADATA

_LIMIT = 1024 * 1024


def accuracy_summary(log_dir: Path) -> dict[str, Any] | None:
    """Return a harness's accuracy verdicts, or None where it left none to read.

    NVIDIA's leaves them in ``accuracy_summary.json``, from v5.1 on in the
    ``metadata.json`` of each run (``scripts/print_harness_result.py``); of these the
    verdicts are put into the words of the former.
    """
    if (summary := _read(log_dir / "accuracy_summary.json")) is not None:
        return summary
    every = sorted(log_dir.glob(f"**/{METADATA}"))
    found = [(_read(path) or {}).get("accuracy") for path in every]
    said = {
        f"{run} {figure.get('name')}": _sentence(figure)
        for run, figures in enumerate(found)
        if isinstance(figures, list)
        for figure in figures
        if isinstance(figure, dict)
    }
    return said or None


def _sentence(figure: dict[str, Any]) -> str:
    passed = "PASSED" if figure.get("pass") is True else "FAILED"
    return (
        f"{figure.get('name')}: Accuracy = {figure.get('value')}, Threshold = "
        f"{figure.get('threshold')}. Accuracy test {passed}."
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with closing(LogFile(path)) as file:
            content = json.loads(file.read(_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
