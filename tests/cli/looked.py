"""``mighetero doctor --json`` in a folder, and what it said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.lab.driver import FAKE, UUIDS

MIGHETERO = [sys.executable, "-m", "pytest_mighetero.cli"]
DOCTOR = [*MIGHETERO, "doctor"]
CPU = ["--mig-suite=cpu", "--mig-lease-dir=leases"]
LISTED = [f"--mig-suite={FAKE / 'fake.toml'}", f"--mig-devices={','.join(UUIDS[:3])}"]
# What another user may not touch: root's own right to it is given up.
BOUND = "--bounding-set=-dac_override,-dac_read_search"
Found = dict[str, list[tuple[str, str]]]


def may_bind() -> None:
    """Skip where that right cannot be given up."""
    tried = [shutil.which("setpriv") or "false", BOUND, "true"]
    if os.geteuid() or subprocess.run(tried, check=False).returncode:
        pytest.skip("only root can give up a right here, with setpriv")


def look(
    folder: Path,
    *options: str,
    before: Sequence[str] = (),
    preexec: Callable[[], None] | None = None,
    **environment: str,
) -> tuple[int, Found]:
    """Return the exit code, and by what they are about states and sentences."""
    done = subprocess.run(
        [*before, *DOCTOR, "--json", *options],
        capture_output=True,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
        preexec_fn=preexec,
        text=True,
    )
    assert not done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    found: Found = {}
    for each in document["findings"]:
        said = "; ".join(filter(None, (each["says"], each["do"])))
        found.setdefault(each["about"], []).append((each["state"], said))
    assert document["ok"] == (done.returncode == 0)
    return done.returncode, found
