"""What is said of a run while it lasts: pure text, and a terminal's lines of it."""

from __future__ import annotations

import pytest

from pytest_mighetero.plugin.console.rows import headline, rows_of, shown
from pytest_mighetero.run.progress import HarnessState
from tests.lab import needs

EVIL = "\x1b]0;evil\x07[bold]x[/bold]\n\x9b2J"
SHOWN = r"\x1b]0;evil\x07[bold]x[/bold]\n\x9b2J"


def state(
    said: str = "issuing", *, name: str = "bert_offline", ends: float | None = None
) -> HarnessState:
    return HarnessState("background", name, "1", said, 10.0, ends)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (59.9, "59 s"),
        (125, "2:05 min"),
        (3720, "1:02 h"),
        (1e9, "277777:46 h"),
    ],
)
def test_lengths(seconds: float, text: str) -> None:
    assert shown(seconds) == text


def test_headlines_say_what_is_known() -> None:
    told = "dlrm_server", "main runs", 9.0
    assert headline(*told, None, 100.0) == "dlrm_server: main runs (9 s)"
    assert headline(*told, 5.0, 0.0) == "dlrm_server: main runs (9 s), ~5 s left"
    assert headline(*told, 5.0, None) == "dlrm_server: main runs (9 s), ~5 s left"
    everything = "dlrm_server: main runs (9 s), ~5 s left, ~1:45 min for all runs"
    assert headline(*told, 5.0, 100.0) == everything


@pytest.mark.parametrize(
    ("ends", "now", "said"),
    [
        (30.0, 15.0, "25 % of ~20 s"),
        (30.0, 31.0, "longer than ~20 s"),
        (None, 31.0, ""),
    ],
)
def test_mains_progress(ends: float | None, now: float, said: str) -> None:
    main = HarnessState("main", "dlrm_server", "0", "issuing", 10.0, ends)
    (row,) = rows_of([main], now, 9)
    assert row.cells[-1] == said


def test_as_many_rows_as_fit() -> None:
    many = [state() for _ in range(50)] + [state("launched"), state("exited 3")] * 3
    rows = rows_of(many, 12.0, 8)
    assert len(rows) == 8
    assert rows[-1].cells == ("49 more: 3 launched, 43 issuing, 3 exited 3",)
    (one,) = rows_of(many, 12.0, 1)
    assert one.cells == ("56 harnesses: 3 launched, 50 issuing, 3 exited 3",)
    assert rows_of(many, 12.0, 0) == []
    assert len(rows_of(many, 12.0, 56)) == 56


def test_what_others_call_things_is_text() -> None:
    (row,) = rows_of([state(EVIL, name=EVIL)], 12.0, 9)
    assert row.cells[1] == row.cells[3] == SHOWN
    assert headline(EVIL, EVIL, 0.0, None, None) == f"{SHOWN}: {SHOWN} (0 s)"


@pytest.mark.parametrize("width", [1, 5, 19, 40, 79, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    needs.module("rich")
    from rich.cells import cell_len

    from pytest_mighetero.plugin.console.live import lines_of

    states = [state(name="ベンチマーク" * 5), state(EVIL, ends=99.0), state()]
    rows = rows_of([*states, *states], 12.0, 4)
    told = headline("[bold]a", "b" * 90, 1, 2, 3)
    lines = [text for text, _ in lines_of([told], rows, width)]
    assert len(lines) == 5
    assert max(map(cell_len, lines)) <= width
    assert lines[0].startswith("[bold]a"[: width - 1])
