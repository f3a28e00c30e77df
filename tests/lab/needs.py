"""What tests need of a machine. In CI, which has it all, they fail for want of it."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from importlib.util import find_spec
from typing import Any, NoReturn

import pytest

IN_CI = os.environ.get("CI", "") not in (
    "",
    "0",
    "false",
)  # tests themselves do not hand it on


def lacking(what: str) -> NoReturn:
    """Skip a test, or a module of them, for want of *what*."""
    why = f"needs {what}"
    if IN_CI:
        pytest.fail(f"{why}; CI is to have it", pytrace=False)
    pytest.skip(why, allow_module_level=True)


def programs(*names: str, of: str) -> None:
    """Need programs *of* a package."""
    if missing := [name for name in names if shutil.which(name) is None]:
        lacking(f"{', '.join(missing)} on PATH ({of})")


def mounts() -> None:
    """Need the right to mount what nobody else sees, which not every machine gives."""
    tried = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    if subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount, as root has it")


def module(name: str) -> None:
    """Need a module; it is not imported, which not every one can be twice."""
    if find_spec(name) is None:
        lacking(f"the module {name}")


def imported(name: str) -> Any:
    """Need a module, and return it."""
    module(name)
    return importlib.import_module(name)
