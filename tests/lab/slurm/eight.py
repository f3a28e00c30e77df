"""Eight tests of a run that Slurm spreads."""

from __future__ import annotations

from pathlib import Path

from tests.lab.driver import Files, Lab
from tests.lab.forked import Forked
from tests.lab.processes import alive

EIGHT = """
import os
import time
from pathlib import Path

import pytest

@pytest.mark.parametrize("i", range(8))
def test_it(i, record_property):
    place = os.environ["SLURMD_NODENAME"], os.environ.get("CUDA_VISIBLE_DEVICES")
    record_property("place", ":".join(map(str, place)))
    record_property("job", os.environ["SLURM_JOB_ID"])
    Path(f"pid-{os.getpid()}").touch()
    Path(f"in-{place[0]}-{i}").touch()
    while not Path("go").exists():
        time.sleep(0.02)
"""


class Eight:
    """Eight tests that last until they are told to go."""

    def __init__(self, lab: Lab):
        self.lab, self.folder = lab, lab.folder
        lab.pytester.makepyfile(test_eight=EIGHT)
        self.files = Files(lab.folder)
        self._started: list[Forked] = []

    @property
    def under_way(self) -> list[Path]:
        return list(self.folder.glob("in-*"))

    def go(self) -> None:
        (self.folder / "go").touch()

    def arguments(self, *options: str) -> list[str]:
        return [*self.lab.arguments(*options), "test_eight.py"]

    def start(self, *options: str) -> Forked:
        self.out = self.folder / "out"
        with self.out.open("w") as out:
            started = self.lab.pytests.start(self.arguments(*options), self.folder, out)
        self._started.append(started)
        return started

    def close(self) -> None:
        """Kill what has been started and still runs: it would ask Slurm for more."""
        for each in self._started:
            each.kill()

    def workers(self) -> list[int]:
        pids = [int(path.name[4:]) for path in self.folder.glob("pid-*")]
        return [pid for pid in pids if alive(pid)]
