"""What make said of a harness's exit."""

from __future__ import annotations

import pytest

from pytest_mighetero.run.judge import explain_exit

ONE = "make: *** [Makefile:6: run_harness] Error 3"
RETRIED = "make[1]: *** [Makefile:9: trial] Error 1"
INNER = "make[2]: *** [Makefile:30: run] Segmentation fault (core dumped)"
MIDDLE = "make[1]: *** [Makefile:20: run] Error 2"
OUTER = "make: *** [Makefile:10: run_harness] Error 2"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([ONE], "code 2 (make: Error 3)"),
        ([ONE, *["a daemon prints on"] * 500], "code 2 (make: Error 3)"),
        ([INNER, MIDDLE, "leaving", OUTER], "code 2 (make: Segmentation fault (core"),
        ([RETRIED, "second trial", RETRIED, ONE], "code 2 (make: Error 1)"),
        ([INNER, OUTER, "next recipe", ONE], "code 2 (make: Error 3)"),
        ([ONE.replace("Error", "Fehler")], "code 2 (make: Fehler 3)"),
        (
            [ONE.replace("Error", "\u30a8\u30e9\u30fc")],
            "code 2 (make: \u30a8\u30e9\u30fc 3)",
        ),
        (["make: [Makefile:6: x] Error 1 (ignored)"], "code 2"),
        (["nothing of make"], "code 2"),
    ],
)
def test_the_last_failure_at_its_innermost(lines: list[str], said: str) -> None:
    assert explain_exit(2, lines).startswith(said)


def test_a_signal_is_named() -> None:
    assert explain_exit(143, []) == "code 143 (signal 15)"
