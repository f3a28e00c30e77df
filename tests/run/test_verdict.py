"""What a try is worth, by evidence that is written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.devices.gpu import MigDevice
from pytest_mighetero.errors import RunError
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.life import Life
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.run.evidence.workload import Evidence
from pytest_mighetero.run.verdict import Verdict, at_the_end, overlap_of
from pytest_mighetero.terms.clock import Stamp
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.window import TimedWindow
from tests.lab.tools import LOADGEN

MAIN = TimedWindow(100.0, 110.0, "loadgen")
GOOD = (90.0, 120.0)
SHORT = (90.0, 110.5)


def background(
    benchmark: str, window: tuple[float, float] = GOOD, code: int = 0
) -> Evidence:
    folder, command = Path(benchmark), Command(("make",), Path(), {})
    pair, device = Pair(benchmark, "offline"), MigDevice("MIG-1")
    launch = Launch(
        pair, "run_harness", device, 30.0, RunArgs(), folder, command, folder, LOADGEN
    )
    life = Life(Stamp(), None, None, None, None)
    windows = (TimedWindow(*window, "loadgen"),)
    said = f"code {code}", f"Last lines of {pair}:"
    return Evidence(launch, life, code, *said, windows, doubts=(), otherwise=())


def verdict(
    *beside: Evidence, said: tuple[str, ...] = (), lenient: bool = False
) -> Verdict:
    overlap = overlap_of(MAIN, beside, required=1.0)
    return at_the_end(beside, overlap, said=said, given_up=(), lenient=lenient)


def test_backgrounds_that_cover_main_are_good() -> None:
    assert verdict(background("bert"), background("dlrm")) == Verdict()


def test_a_short_one_fails_with_the_duration_that_would_have_done() -> None:
    (problem,) = verdict(background("bert", SHORT), background("dlrm")).problems
    assert problem.startswith("1 of 2 backgrounds did not outlast main by 1s")
    assert "--background-benchmark-duration=31s would have been enough" in problem


def test_what_was_said_is_not_said_again() -> None:
    assert verdict(background("bert", SHORT), said=("bert_offline",)) == Verdict()


def test_lenient_excuses_the_overlap_and_no_crash() -> None:
    found = verdict(background("bert", SHORT, code=1), lenient=True)
    (short,), (crash,) = found.excused, found.problems
    assert "did not outlast main" in short
    assert crash.startswith("1 of 1 backgrounds did not exit with code 0 (--lenient")
    assert short in crash
    warned: list[str] = []
    with pytest.raises(RunError) as error:
        found.enforce(warned.append)
    assert (warned, str(error.value)) == ([short], crash)
