"""What a session's tests are in, read and run: every node has to see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.spec.runspec import RunSpec


def inputs_of(config: pytest.Config, spec: RunSpec) -> list[str]:
    """Return the paths, among them some that are not there, such as modules' names.

    What a worker looks for from where it is stays relative.
    """
    named = [each.partition("::")[0] for each in config.args]
    found = [config.invocation_params.dir, config.rootpath, config.inipath]
    found += [*spec.suite.lineage.files, *spec.harness_dirs.values(), spec.references]
    compared = spec.compare
    if isinstance(compared, Path) and not compared.is_relative_to(spec.results_dir):
        found.append(compared)
    return [*dict.fromkeys([*map(str, filter(None, found)), *named])]
