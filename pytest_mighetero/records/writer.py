"""The record of one run: a JSON file, complete whenever it is there."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest_mighetero
from pytest_mighetero.errors import HarnessError
from pytest_mighetero.records.record_file import VERSION
from pytest_mighetero.records.reserve import replace
from pytest_mighetero.records.run_names import RECORD
from pytest_mighetero.terms.secret import NONE, Secrets


def write_record(
    folder: Path,
    record: Mapping[str, Any],
    *,
    secrets: Secrets = NONE,
    durable: bool = True,
    last: bool = False,
) -> None:
    """Write plain data as ``record.json`` into the *folder* of a run, without secrets.

    A folder that was deleted meanwhile is made again. If *durable*, the record is laid
    out to be read, the disk is waited for, and has room for the next one unless this is
    the *last*; else it is in the kernel's hands as soon as can be.

    Raises:
        HarnessError: it cannot be written; an earlier record is still there.
    """
    path = folder / RECORD
    about = {
        "version": VERSION,
        "pytest_mighetero": pytest_mighetero.__version__,
        "invocation": shlex.join(map(secrets.mask, sys.argv)),
    }
    # Indented by Python, else written by C: 1 ms.
    record = secrets.masked({**about, **record})
    texts = [
        f"{json.dumps(record, indent=indent, default=str)}\n".encode()
        for indent in ((2, None) if durable else (None,))
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace(path, texts, durable=durable, last=last)
    except OSError as error:
        raise HarnessError(
            f"The record of the run, {path}, cannot be written: {error.strerror}; what "
            f"is there is of an earlier moment and lacks the end of the run."
        ) from error
