"""What a session keeps of the runs that are over."""

from __future__ import annotations

import pytest

from tests.lab.driver import Lab

LEFT = """
import gc
from pathlib import Path

def pytest_sessionfinish():
    gc.collect()
    rooms = ("pytest_mighetero.run.case", "pytest_mighetero.run.attempt",
             "pytest_mighetero.run.rig", "pytest_mighetero.run.backgrounds.set",
             "pytest_mighetero.plugin.console.stateline", "pytest_mighetero.harness.",
             "pytest_mighetero.readers.result.Result",
             "pytest_mighetero.plan.launch")
    kinds = {type(each) for each in gc.get_objects()}
    names = {f"{kind.__module__}.{kind.__name__}" for kind in kinds}
    found = sorted(name for name in names if name.startswith(rooms))
    Path("left.txt").write_text(" ".join(found))
"""


@pytest.mark.parametrize("ending", ["passed", "failed", "error", "rerun", "skipped"])
def test_nothing_of_a_run_but_its_reports_is_kept(lab: Lab, ending: str) -> None:
    lab.pytester.makeconftest(LEFT)
    options: tuple[str, ...] = ()
    if ending == "failed":
        # The last failure stays in sys.last_value, for debuggers: it is of no run.
        lab.pytester.makepyfile(test_z="def test_dlrm_server(): assert False")
        lab.fake(dlrm={"exit": 1})
    elif ending == "error":
        lab.pytester.makepyfile(test_z="def test_dlrm_server(): assert False")
        lab.fake(bert={"exit": 1, "outlasts": 2})
    elif ending == "rerun":
        lab.pytester.makepyfile(test_z="def test_dlrm_server(): assert False")
        lab.fake(dlrm={"once": str(lab.folder / "died")})
        options = ("-p", "rerunfailures", "--reruns=1")
    elif ending == "skipped":
        options = ("--dryrun",)
    report = lab.run_apart(*options)
    assert (lab.folder / "left.txt").read_text() == "", report.text
