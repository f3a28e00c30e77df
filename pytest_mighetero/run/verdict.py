"""What a try is worth: pure functions of its evidence and of what was asked.

What these find fails a test in one place: ``fail``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pytest_mighetero.devices.telemetry import throttling
from pytest_mighetero.errors import RunError
from pytest_mighetero.plan.durations import MAIN_FACTOR, STARTUP_S, Cover
from pytest_mighetero.run.evidence.overlap import (
    OverlapReport,
    margin,
    too_early,
    unproved,
)
from pytest_mighetero.run.evidence.workload import (
    Evidence,
    MainEvidence,
    Measured,
    server_of,
)
from pytest_mighetero.run.judge import judge, judge_audit, judge_runs
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.window import TimedWindow

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a try.

    Attributes:
        problems: what fails the test, each a sentence and the last lines that show it.
        excused: what only warns, with ``--lenient``.
        about: the outputs of the harnesses that the problems are about.
    """

    problems: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()
    about: tuple[Path, ...] = ()

    def enforce(self, warn: Warn) -> None:
        """Warn of what is excused; fail of the rest."""
        for each in self.excused:
            warn(each)
        if self.problems:
            fail(*self.problems, about=self.about)

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.problems + other.problems,
            self.excused + other.excused,
            self.about + other.about,
        )


def fail(*problems: str, about: Iterable[Path] = ()) -> NoReturn:
    """Fail the test: raise a RunError with all of *problems*.

    They are *about* the harnesses with these outputs.
    """
    raise RunError("\n".join(problems), about=about)


def on_main(main: MainEvidence) -> Verdict:
    """Judge main, whatever ran beside it."""
    if not (failed := _main_failed(main)):
        return Verdict()
    return Verdict((f"{failed}\n{main.tail}",), about=(main.launch.output,))


def _main_failed(main: MainEvidence) -> str:
    said = ". Also: ".join(main_problems(main))
    return said and f"Main {main.name} failed: {said}."


def main_problems(main: MainEvidence) -> list[str]:
    """Return what is wrong with main, the exit code first; nothing when VALID."""
    bad_exit = [f"it exited with {main.exit}"] if main.exit_code else []
    tool = main.launch.reader.tool
    if main.launch.audit is not None:
        verdicts = judge_audit(main.launch.audit, main.verdicts or {})
        runs = judge_runs(main.audit.runs)
        return [*bad_exit, *verdicts, *main.otherwise, *runs]
    if bad_exit:
        return bad_exit
    if main.doubts:
        return [f"its {tool} log is of no run of its own: {main.doubts[0]}"]
    if main.result is None:
        nothing = (
            f"it exited with code 0 but left no {tool} result of its own in "
            f"{main.launch.folder}: nothing ran, or more than one test did"
        )
        return [nothing]
    whole = main.launch.tool.whole_targets
    judged = judge(main.result, main.accuracy, whole_targets=whole)
    return [*main.otherwise, *judged]


def doubtful(measured: Measured) -> list[str]:
    """Say what makes main's figure worth less, though it fails nothing."""
    said, launch = [throttling(measured.telemetry)], measured.main.launch
    main = f"main {measured.main.name}"
    for who, name in ((main, launch.folder.name), ("its server", server_of(launch))):
        seen = measured.activity.get(name)
        if seen and seen["stopped_s"]:
            where = "its window" if who == main else f"{main}'s window"
            said.append(
                f"{who} was itself stopped for {seen['stopped_s']:.1f} s of {where}: "
                f"its figure is that of an interrupted run"
            )
    return [each for each in said if each]


def on_crash(measured: Measured, *, lenient: bool) -> Verdict:
    """Judge backgrounds that crashed before main's end; nothing excuses that."""
    broken = measured.broken.problem if measured.broken else ""
    consequences = [broken, _main_failed(measured.main)]
    bad = _crashed(measured.beside, consequences, lenient=lenient)
    excused = (broken,) if bad and broken and lenient else ()
    about = _outputs(each for each in measured.beside if each.crashed)
    return Verdict((bad,) if bad else (), excused, about)


def on_overlap(measured: Measured, *, lenient: bool) -> Verdict:
    """Judge the overlap so far: it broke, or is not proved, or nothing is wrong."""
    tool, broken = measured.main.launch.reader.tool, measured.broken
    unsaid = unproved(measured.overlap, tool, so_far=True)
    problem = broken.problem if broken else unsaid
    said = (problem,) if problem else ()
    if lenient:
        return Verdict(excused=said)
    amiss = broken.about if broken else _amiss(measured.beside, measured.overlap)
    return Verdict(said, about=amiss if said else ())


def at_the_end(
    beside: Sequence[Evidence],
    overlap: OverlapReport,
    said: Collection[str],
    given_up: Collection[str],
    *,
    lenient: bool,
) -> Verdict:
    """Judge backgrounds that have outlasted main, or should have.

    Args:
        beside: what they have left behind.
        overlap: how they lay around main.
        said: those of which it was said that they ended too early.
        given_up: those that were stopped because they did nothing.
        lenient: whether a broken overlap is excused.
    """
    launch = beside[0].launch
    early = too_early(overlap, said, launch.min_duration)
    if all(each.name in given_up for each in overlap.early):
        early = None  # it was said why
    broken = tuple(
        each for each in (unproved(overlap, launch.reader.tool), early) if each
    )
    problems, excused = ((), broken) if lenient else (broken, ())
    crashed = _crashed(beside, excused, lenient=lenient)
    otherwise = [
        f"Background {each.name}: {'; '.join(each.otherwise)}."
        for each in beside
        if each.otherwise
    ]
    bad = [each for each in beside if each.crashed or each.otherwise]
    about = _outputs(bad) + (_amiss(beside, overlap) if problems else ())
    problems = (*problems, *([crashed] if crashed else []), *otherwise)
    return Verdict(problems, excused, about)


def _outputs(every: Iterable[Evidence]) -> tuple[Path, ...]:
    return tuple(each.launch.output for each in every)


def _amiss(beside: Sequence[Evidence], overlap: OverlapReport) -> tuple[Path, ...]:
    """Return the outputs of those that did not cover main, or prove nothing."""
    amiss = {*overlap.late, *overlap.early, *overlap.paused}
    both = zip(beside, overlap.margins, strict=True)
    return _outputs(e for e, lay in both if lay in amiss or e.name in overlap.doubts)


def _crashed(
    beside: Sequence[Evidence], consequences: Sequence[str], *, lenient: bool
) -> str | None:
    """Say which backgrounds crashed and in one line each what came of it, or None."""
    if not (bad := [each for each in beside if each.crashed]):
        return None
    codes = ", ".join(f"{each.name}: {each.exit}" for each in bad)
    no_excuse = " (--lenient excuses no crash)" if lenient else ""
    said = (
        f"{len(bad)} of {len(beside)} backgrounds did not exit with code "
        f"0{no_excuse}: {codes}."
    )
    sentences = [each.partition("\n")[0] for each in consequences if each]
    return "\n".join([said, *sentences, *(each.tail for each in bad)])


def overlap_of(
    main: TimedWindow, beside: Sequence[Evidence], required: float
) -> OverlapReport:
    """Compare every background's windows with *main*'s.

    Each is *required* to outlast it by so many seconds.
    """
    nothing = (TimedWindow(main.end, main.end, main.source),)
    return OverlapReport(
        tuple(margin(e.name, main, e.windows or nothing, required) for e in beside),
        required,
        {each.name: "; ".join(each.doubts) for each in beside if each.doubts},
    )


def enough_for(config: RunSpec, measured: Measured) -> float:
    """Return the duration in seconds that would have covered main, by far.

    A background may be shorter than it is told to be: in Offline LoadGen trusts the
    expected rate.
    """
    main, margins = measured.main.window.seconds, measured.overlap.margins
    # A set that was kept up has led for longer than a new one will.
    newly = config.start_time_buffer + config.settle_time + STARTUP_S
    lead = min(max(each.start_s for each in margins), newly)
    lengths = (each.start_s + main + each.end_s for each in margins)
    told = measured.beside[0].launch.min_duration
    # Of one whose logs prove nothing there is no length.
    shortest = min((each for each in lengths if each > 0), default=told)
    cover = Cover(MAIN_FACTOR * lead, main, config.end_time_buffer_min)
    return cover.seconds * max(1.0, told / shortest)
