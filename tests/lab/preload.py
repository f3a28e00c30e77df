"""Everything that a pytest with the plugin imports, sooner or later."""

from __future__ import annotations

import importlib
import pkgutil

import pytest_mighetero


def import_all() -> None:
    """Import the plugin but for the embedded systems, and what it uses."""
    for module in pkgutil.walk_packages(pytest_mighetero.__path__, "pytest_mighetero."):
        if not {"cpu", "llm", "__main__"} & {*module.name.split(".")}:
            importlib.import_module(module.name)
    for name in ("pexpect", "inotify_simple", "tomlkit"):
        importlib.import_module(name)
