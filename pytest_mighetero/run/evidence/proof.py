"""In which time a harness issued queries, by its logs, and what proves nothing.

A stamp counts only where it can be one of this process: not before its launch, as in a
copied or stale log, and not after its end. All times are of the run's own clock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.readers.first_query import FirstQuery
from pytest_mighetero.readers.reader import Reader
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.evidence.origin import files_of, foreign
from pytest_mighetero.terms.clock import Clock
from pytest_mighetero.terms.window import MARKER, PROCESS, TimedWindow

_STAMP_S = 0.01  # stamps are in ms, and cut off
_SECOND_S = 1.5  # issuing_since is up to 1 s late
_ZONE_STEP_S = 900.0


@dataclass(frozen=True)
class Proof:
    """In which windows a harness issued queries, and why further logs prove nothing."""

    windows: tuple[TimedWindow, ...]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Life:
    """What its ``Life`` has of a process, in POSIX seconds by the run's clock."""

    launched: float
    last: float
    worked: float


def main_proof(launch: Launch, harness: HarnessProcess, clock: Clock) -> Proof:
    """Return main's window; the life of its process where no log of its own says it.

    Where a step of the wall clock gives its stamps two meanings, the window is wide
    enough for both.
    """
    life = _life(harness, clock)
    results = launch.reader.read_all(launch.log_dir, launch.output)
    result = results[0] if len(results) == 1 else None
    source = MARKER if launch.tool.markers.start else PROCESS
    by_marker = TimedWindow(life.launched, life.last, source)
    if result is None:
        return Proof((by_marker,))
    doubt = foreign(files_of(result, launch), launch, harness, clock)
    if not result.windows:
        doubt = doubt or _too_long(launch, result, life)
        return Proof((by_marker,), (doubt,) if doubt else ())
    begins = [_begins(window, life, clock) for window in result.windows]
    if doubt is None and not all(begins):
        outside = result.windows[begins.index([])]
        doubt = _outside(launch.reader, result, outside, life, clock)
    if doubt is not None:
        return Proof((by_marker,), (doubt,))
    lengths = [window.seconds for window in result.windows]
    end = max(max(each) + long for each, long in zip(begins, lengths, strict=True))
    source = result.windows[0].source
    return Proof((TimedWindow(min(map(min, begins)), end, source),))


def background_proof(
    launch: Launch, harness: HarnessProcess, clock: Clock, issuing: float | None
) -> Proof:
    """Return in which time a started background issued queries, up to now.

    Of a tool that writes its result at its end, its sign proves that it issues queries.
    A log without an end belongs to a process that was stopped, died, or still runs: it
    counts until then, if it is the newest one. Of an older one nobody knows how long
    after its first query it went on.

    A log was seen to have a first query at *issuing*, by ``time.monotonic()``.
    """
    if launch.reader.stamps:
        return _by_stamps(launch, harness, clock, issuing)
    return _bounded(launch, harness, clock, issuing)


def _by_stamps(
    launch: Launch, harness: HarnessProcess, clock: Clock, issuing: float | None
) -> Proof:
    life = _life(harness, clock)
    done = harness.exit_code == 0 and not harness.stopped
    results = launch.reader.read_all(launch.log_dir, launch.output)
    # It may have ended while those were read.
    life = replace(life, last=_life(harness, clock).last)
    said = [each for each in results if each.window or each.issuing_since]
    if not said and issuing is not None:
        return _by_sign(launch, harness, clock, issuing, silent=bool(results))
    if not said:
        silent = bool(results) and not harness.finished
        return Proof((_unlogged(launch, harness, clock, life, silent=silent),))
    windows, doubts, reader = [], [], launch.reader
    seen = clock.posix(issuing) if issuing is not None and len(said) == 1 else None
    newest = max(said, key=_began)
    for result in said:
        begun = result.issuing_since or 0.0
        if doubt := foreign(files_of(result, launch), launch, harness, clock):
            doubts.append(doubt)
        elif result.windows:
            for window in result.windows:
                if begins := _begins(window, life, clock):
                    begin, end = max(begins), min(begins) + window.seconds
                    end = max(begin, end)
                    windows.append(TimedWindow(begin, end, window.source))
                else:
                    doubts.append(_outside(reader, result, window, life, clock))
        elif result is newest and done and result.valid is None:
            doubts.append(
                f"its process exited with code 0, but the log in {result.folder} has "
                f"no end: {result.tool} ended nobody knows when"
            )
        elif live := _live_begin(begun, life, clock, seen):
            end = max(live, life.worked) if result is newest else live
            windows.append(TimedWindow(live, end, launch.reader.name))
        else:
            at = TimedWindow(begun, begun, launch.reader.name)
            doubts.append(_outside(reader, result, at, life, clock))
    return Proof(tuple(windows), tuple(doubts))


def _bounded(
    launch: Launch,
    harness: HarnessProcess,
    clock: Clock,
    issuing: float | None,
) -> Proof:
    """Return in which time a tool without stamps issued queries for certain.

    That began after the start marker, or the launch, and not later than it was seen to
    issue; it was over by the finish marker, or the end. Of one that says how long it
    took, no time counts in which that much would not have fitted. What has said what
    it came to and does not end has ended its test nobody knows when.
    """
    life, started = _life(harness, clock), harness.started
    source = MARKER if started else launch.reader.name if issuing else PROCESS
    earliest = clock.posix(started.monotonic) if started else life.launched
    seen = earliest if issuing is None else clock.posix(issuing)
    results = launch.reader.read_all(launch.log_dir, launch.output)
    if len(results) > 1:
        return Proof((), (f"{launch.reader.tool} left {len(results)} results",))
    for result in results:
        files = files_of(result, launch)
        if doubt := foreign(files, launch, harness, clock):
            return Proof((), (doubt,))
        if doubt := _too_long(launch, result, life):
            return Proof((), (doubt,))
        if result.duration_s is None and _goes_on(launch, harness):
            return Proof((), (_ended_unseen(launch),))
    seconds = results[0].duration_s if results else None
    if seconds is None:
        return Proof((TimedWindow(seen, max(seen, life.worked), source),))
    latest = max(earliest, life.worked - seconds)
    begin = latest if issuing is None else min(seen, latest)
    end = max(begin, min(earliest + seconds, life.worked))
    return Proof((TimedWindow(begin, end, source),))


def _too_long(launch: Launch, result: Result, life: _Life) -> str | None:
    """Say that a tool's test took longer than its process lived, or return None."""
    lived, took = life.last - life.launched, result.duration_s or 0.0
    if took <= lived + _SECOND_S:
        return None
    return (
        f"{launch.reader.tool} says that it took {took:.1f} s, and its process lived "
        f"{lived:.1f} s (is the suite's result.time_unit right?)"
    )


def _goes_on(launch: Launch, harness: HarnessProcess) -> bool:
    """Tell whether what has told its whole result did not end by itself after it."""
    over = harness.finished or (harness.exited and not harness.stopped)
    return launch.reader.at_end and not over


def _ended_unseen(launch: Launch) -> str:
    return (
        f"{launch.reader.tool} has told its result, and its process did not end: "
        f"nobody knows when its test was over (a suite's finish_markers or "
        f"result.duration would say)"
    )


def _by_sign(
    launch: Launch,
    harness: HarnessProcess,
    clock: Clock,
    issuing: float,
    *,
    silent: bool,
) -> Proof:
    """Return what the sign of a first query proves, where no result says it.

    Nothing where there is a result: that would say it, too.
    """
    query = FirstQuery(launch.log_dir, launch.output, launch.reader.sign)
    ended = harness.exited is not None and not harness.stopped
    if silent or ended or not query.look():
        gone = f"its first query is in no log in {launch.log_dir} any more"
        return Proof((), (gone,))
    logs = [log for log in query.logs if log != launch.output]
    if doubt := foreign(logs, launch, harness, clock):
        return Proof((), (doubt,))
    begin, end = clock.posix(issuing), _life(harness, clock).worked
    return Proof((TimedWindow(begin, max(begin, end), launch.reader.name),))


def _began(result: Result) -> float:
    return result.window.begin if result.window else result.issuing_since or 0.0


def _life(harness: HarnessProcess, clock: Clock) -> _Life:
    life = harness.life
    stamps = (life.launched, life.last, life.worked)
    return _Life(*(clock.posix(stamp.monotonic) for stamp in stamps))


def _unlogged(
    launch: Launch, harness: HarnessProcess, clock: Clock, life: _Life, *, silent: bool
) -> TimedWindow:
    """Return the window by the markers; empty where a log that is there is silent."""
    if silent or harness.started is None:
        return TimedWindow(life.worked, life.worked, launch.reader.name)
    begin = clock.posix(harness.started.monotonic)
    return TimedWindow(begin, life.worked, MARKER)


def _begins(window: TimedWindow, life: _Life, clock: Clock) -> list[float]:
    """Return when a window may have begun, of which the whole lies in *life*."""
    return [
        each
        for each in _meanings(window, clock)
        if life.launched - _STAMP_S <= each
        and each + window.seconds <= life.last + _STAMP_S
    ]


def _meanings(window: TimedWindow, clock: Clock) -> list[float]:
    """Return when, by the run's clock, a window may have begun."""
    if window.clock == "monotonic":
        return [clock.posix(window.begin)]
    return clock.meanings(window.begin)


def _live_begin(
    logged: float, life: _Life, clock: Clock, seen: float | None
) -> float | None:
    """Return when a log without an end began, or None where that was in no such life.

    Its own time may be local and cut to the second, and the harness in another zone.
    """
    latest = life.last if seen is None else seen
    for each in (logged - shift for shift in clock.shifts):
        zones = round((each - life.launched) / _ZONE_STEP_S) * _ZONE_STEP_S
        if life.launched - _SECOND_S <= each - zones <= latest + _SECOND_S:
            return min(each - zones, life.last) if seen is None else seen
    return None


def _outside(
    reader: Reader, result: Result, window: TimedWindow, life: _Life, clock: Clock
) -> str:
    """Say how a window does not lie in the life of the process."""
    meanings = _meanings(window, clock)
    before = life.launched - max(meanings, default=window.begin)
    after = min(meanings, default=window.begin) - life.last
    after += window.seconds
    if before > 0:
        how = f"begins {before:.1f} s before the launch"
    else:
        how = f"ends {after:.1f} s after the end of its process"
    begun = time.strftime(
        "%Y-%m-%d %H:%M:%S UTC", time.gmtime(max(meanings, default=window.begin))
    )
    why = reader.misreading(result)
    hint = f"; {why}" if why else ""
    return f"the timed window in {result.folder}, from {begun} on, {how}{hint}"
