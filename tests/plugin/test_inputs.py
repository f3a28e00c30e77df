"""What every node has to see of a session."""

from __future__ import annotations

import pytest

from pytest_mighetero.plugin.slurm.inputs import inputs_of
from tests.lab.driver import FAKE, config_of


def test_all_that_is_named_is_looked_for(pytester: pytest.Pytester) -> None:
    folder = pytester.path
    pytester.makeini("[pytest]")
    for name in ("results", "earlier", "references"):
        (folder / name).mkdir()
    (folder / "references" / "a.toml").touch()
    config = pytester.parseconfig("tests/test_it.py::test_it[a]", f"{folder}/more")
    said = {"mig_compare": "earlier", "mig_references": "references"}
    spec = config_of(folder, mig_harness_dir=str(FAKE), **said)
    found = inputs_of(config, spec)
    assert found[-2:] == ["tests/test_it.py", f"{folder}/more"]
    own = {
        str(folder),
        *(f"{folder}/{n}" for n in ("tox.ini", "references", "earlier")),
    }
    assert own | {str(FAKE), str(FAKE / "fake.toml")} <= {*found}
    results = config_of(folder, mig_compare="results", results_dir="results")
    assert f"{folder}/results" not in inputs_of(config, results)  # which are fetched
