"""How far a run has got: states and what is left, by stamps alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_mighetero.devices.gpu import MigDevice
from pytest_mighetero.run.progress import (
    HarnessState,
    Step,
    end_of,
    label_of,
    left_of,
    state_of,
)
from pytest_mighetero.terms.clock import Stamp

STAMPS = ("launched", "started", "finished", "stopped", "exited")


def harness(**at: float) -> Any:
    stamps = {name: Stamp(0.0, at[name]) if name in at else None for name in STAMPS}
    return SimpleNamespace(**stamps, exit_code=2)


@pytest.mark.parametrize(
    ("at", "issuing", "state"),
    [
        ({}, None, ("prepared", None)),
        ({"launched": 1}, None, ("launched", 1)),
        ({"launched": 1, "started": 2}, None, ("ready", 2)),
        ({"launched": 1, "started": 2}, 3, ("issuing", 3)),
        ({"launched": 1}, 3, ("issuing", 3)),
        ({"launched": 1, "started": 2, "finished": 4}, 3, ("finished", 4)),
        ({"launched": 1, "stopped": 5}, 3, ("stopped", 5)),
        ({"launched": 1, "stopped": 5, "exited": 6}, 3, ("stopped", 5)),
        ({"launched": 1, "exited": 6}, None, ("exited 2", 6)),
        ({"launched": 1, "finished": 5, "exited": 6}, None, ("exited 2", 6)),
    ],
)
def test_states(
    at: dict[str, float], issuing: float | None, state: tuple[str, float | None]
) -> None:
    assert state_of(harness(**at), issuing) == state


def test_a_server_is_ready_when_it_answers() -> None:
    assert state_of(harness(launched=1), ready=7.0) == ("ready", 7.0)


def main(state: str = "issuing", ends: float | None = 20.0) -> HarnessState:
    return HarnessState("main", "dlrm_server", "0", state, 10.0, ends)


def beside(state: str = "issuing", ends: float | None = None) -> HarnessState:
    return HarnessState("background", "bert_offline", "1", state, 5.0, ends)


@pytest.mark.parametrize(
    ("states", "until", "left"),
    [
        ([], None, None),
        ([main("launched", None)], None, None),
        ([main()], None, 8.0),
        ([main(), beside()], None, 11.0),  # and the end buffer
        ([main(), beside(ends=40.0)], None, 28.0),
        ([main(ends=11.0)], None, 0.0),
        ([main("exited 0"), beside(ends=40.0)], None, 28.0),
        ([main("exited 0"), beside()], 15.0, 3.0),
        ([main("exited 0"), beside("stopped", 40.0)], None, None),
    ],
)
def test_what_is_left(
    states: list[HarnessState], until: float | None, left: float | None
) -> None:
    assert left_of(states, Step("", until), 3.0, now=12.0) == left


def test_an_end_needs_a_beginning_and_a_length() -> None:
    assert end_of(None, 3.0) is end_of(3.0, None) is None
    assert end_of(3.0, 4.0) == 7.0


def test_labels() -> None:
    assert label_of(MigDevice("MIG-x", "1g.10gb", slot=3)) == "3: 1g.10gb"
    assert label_of(MigDevice("cpu-0")) == "cpu-0"
    assert label_of(MigDevice(f"MIG-{'0' * 32}12345678")) == "..12345678"
