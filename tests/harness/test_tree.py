"""Looking at real processes below a guard."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_mighetero.harness.tree import Trees
from tests.lab.processes import below, until


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[int]:
    """A shell with two levels below it, one of them of a difficult name."""
    name = tmp_path / "a ) S 1 b"
    name.symlink_to("/bin/sleep")
    inner = f"'{name}' 60 & wait"
    with subprocess.Popen(["sh", "-c", f'sh -c "{inner}" & sleep 60 & wait']) as shell:
        until(lambda: len(below(shell.pid)) == 3)
        yield shell.pid
        for pid in [*below(shell.pid), shell.pid]:
            os.kill(pid, signal.SIGKILL)


def states(trees: Trees, guard: int) -> dict[int, str]:
    return {p.pid: p.state for p in trees.look([guard])[guard].processes}


def test_everything_below_the_guard_and_not_itself(guard: int) -> None:
    trees = Trees()
    assert states(trees, guard).keys() == set(below(guard))
    (pid,) = (p for p in below(guard) if b") S" in Path(f"/proc/{p}/comm").read_bytes())
    os.kill(pid, signal.SIGSTOP)
    until(lambda: states(trees, guard)[pid] == "T")


def test_who_is_gone_is_not_there(guard: int) -> None:
    trees = Trees()
    before = states(trees, guard)
    victim = below(guard)[-1]
    os.kill(victim, signal.SIGKILL)
    until(lambda: states(trees, guard).get(victim, "Z") == "Z")
    assert states(trees, guard).keys() <= before.keys()


def test_who_is_new_is_found_in_time() -> None:
    trees = Trees(anew_s=0.01)
    script = "read line; sleep 60"
    with subprocess.Popen(
        ["sh", "-c", script + "; true"], stdin=subprocess.PIPE
    ) as shell:
        assert not states(trees, shell.pid)
        assert shell.stdin is not None
        shell.stdin.write(b"go\n")
        shell.stdin.flush()
        until(lambda: states(trees, shell.pid))
        for pid in [*below(shell.pid), shell.pid]:
            os.kill(pid, signal.SIGKILL)


def test_a_guard_that_is_gone_has_nothing() -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    assert not states(Trees(), gone.pid)
