"""What a phase of a test came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "skipped"]

# Of an execution that another one followed.
AGAIN = "This execution did not count: the test was executed again."


@dataclass(frozen=True)
class Phase:
    """The ``setup``, ``call`` or ``teardown`` of a run.

    Attributes:
        outcome: as pytest reports it.
        text: of a failure, or a skip.
        seconds: it took; None where nobody said.
    """

    outcome: Outcome
    text: str = ""
    seconds: float | None = None
