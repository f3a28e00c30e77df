"""What a run came to, as the head of the page says it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.records.facts import Facts
from pytest_mighetero.records.record import AGAIN, Phase, Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.show.upshot import (
    AGAIN_RUN,
    BROKEN,
    DAMAGED,
    PASSED,
    UPSHOTS,
    Tone,
    did_end,
    tone_of,
    upshot_of,
)
from pytest_mighetero.terms.printable import printable_line
from pytest_mighetero.units import shortened

_SENTENCE = 300  # letters of a text above the runs, and in their table
_ERROR = re.compile(r"^E +", re.MULTILINE)  # of a traceback, as pytest marks it
_CALM = (None, 0, 5)  # exit codes: 5 is that no test was collected


@dataclass(frozen=True)
class Entry:
    """What is kept of each run while the page is written.

    Attributes:
        number: its place on the page, from 1 on, in the order of the runs.
        path: of its record; None for a test that has none.
        verdict: one of ``UPSHOTS``.
        sentence: what went wrong, or why it was skipped; the first line of it.
        facts: the record's, none longer than a cell may be.
        invocation: the command that started it, as far as it is known.
        version: of the plugin that wrote its record.
    """

    number: int
    path: Path | None
    test: str
    verdict: str
    sentence: str
    facts: Facts
    invocation: str = ""
    version: str = ""

    @property
    def red(self) -> bool:
        """Whether somebody has to look at it."""
        return self.tone == "red"

    @property
    def tone(self) -> Tone:
        """How good it is."""
        return tone_of(self.verdict)

    @property
    def anchor(self) -> str:
        """Where the page has it."""
        return f"run-{self.number}"

    @property
    def stamp(self) -> str:
        """When its folder was made, as that is named; empty where that is not known."""
        name = "" if self.path is None else self.path.parent.name
        return name[:15] if re.match(r"\d{8}-\d{6}-", name) else ""


def entry_of(number: int, said: Record | RecordError) -> Entry:
    """Return what *said* came to."""
    if isinstance(said, RecordError):
        folder = said.path.parent
        sentence = shortened(printable_line(str(said)), _SENTENCE)
        return Entry(number, said.path, folder.name, DAMAGED, sentence, {})
    return Entry(
        number,
        said.path if said.path.name else None,
        shortened(said.test or said.folder.name, _SENTENCE),
        upshot_of(said),
        _sentence(said),
        {name: shortened(text, _SENTENCE) for name, text in said.facts.items()},
        shortened(_text(said.data, "invocation"), _SENTENCE),
        shortened(_text(said.data, "pytest_mighetero"), _SENTENCE),
    )


def failures(record: Record) -> list[tuple[str, str]]:
    """Return what the phases say that did not pass, each after its name."""
    said = [
        (when, phase.text)
        for when, phase in record.phases.items()
        if phase.outcome != "passed"
    ]
    if not did_end(record):
        said.append(("end", "the run did not end: pytest was ended, or it still runs"))
    return said


def _sentence(record: Record) -> str:
    if record.executed_again:
        return AGAIN
    skipped = {w for w, phase in record.phases.items() if phase.outcome == "skipped"}
    # What is resumed is skipped first, and may fail a gate then.
    for _, text in sorted(failures(record), key=lambda each: each[0] in skipped):
        lines = _ERROR.split(text)[-1].strip().splitlines() or [""]
        return shortened(printable_line(lines[0]), _SENTENCE)
    return ""


def counted(entries: Iterable[Entry]) -> dict[str, int]:
    """Return how many there are of each verdict, the red ones first."""
    every = [each.verdict for each in entries]
    return {name: every.count(name) for name in UPSHOTS if name in every}


def headline(entries: Sequence[Entry], exit_code: int | None = None) -> str:
    """Return the verdict on all of them in a few words, and what pytest says to it."""
    said = _headline(entries)
    if exit_code in _CALM or any(each.red for each in entries):
        return said
    return f"{said}; pytest ended with exit code {exit_code}"


def colour(entries: Sequence[Entry], exit_code: int | None = None) -> Tone:
    """Return ``red``, ``green`` where something passed, or else ``none``.

    pytest's *exit_code*, where it is known, makes red what it does not call passed, but
    for 5: no test was collected.
    """
    if any(each.red for each in entries) or exit_code not in _CALM:
        return "red"
    passed = any(each.tone == "green" for each in entries)
    return "green" if passed and exit_code != 5 else "none"


def _headline(entries: Sequence[Entry]) -> str:
    counting = [each for each in entries if each.verdict != AGAIN_RUN]
    red = sum(each.red for each in counting)
    broken = sum(each.verdict == BROKEN for each in counting)
    passed = broken + sum(each.verdict == PASSED for each in counting)
    if red:
        return f"{red} of {_runs(len(counting))} {'is' if red == 1 else 'are'} red"
    if not passed:
        return (
            f"nothing was measured in {_runs(len(counting))}" if counting else "no run"
        )
    skipped = len(counting) - passed
    said = [f"{_runs(passed)} passed"]
    if broken:
        said.append(f"{broken} of them with a broken overlap")
    if skipped:
        said.append(f"{skipped} skipped")
    return ", ".join(said)


def _runs(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"


def test_alone(test: str, phases: Mapping[str, Phase], path: Path) -> Record:
    """Return a test that has no record as if it had one; *path* has no name."""
    return Record(path, test, "", {}, phases, {})


def _text(data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
