"""Runs as Chrome trace events, which Perfetto opens. Pure.

Google's "Trace Event Format" is what is kept to: a JSON object with ``traceEvents``,
moments and durations in microseconds, one track (a thread) for each harness, complete
events that lie one within the other on a track.

Perfetto (v52) reads a trace as one machine's: thread 0 is the main thread of whichever
process it is said of, and that is the thread with the process's number. So no number is
used twice, and a process's own is the track of what is of all its harnesses. It calls a
counter by the names of the event and of the value: ``power W``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pytest_mighetero.records.course import Course, Lane, Span, course_of
from pytest_mighetero.records.record import Record
from pytest_mighetero.show.quantity import quantity_of
from pytest_mighetero.terms.printable import printable_line

Event = dict[str, Any]
_RUN = 0  # of the tracks of a run: what is of all harnesses


def trace(records: Iterable[Record]) -> dict[str, Any]:
    """Return *records* as one trace: each is a process that begins at 0."""
    events: list[Event] = []
    pid = 1
    for number, record in enumerate(records, 1):
        course = course_of(record)
        events += _events(record, course, pid, number)
        pid += 1 + len(course.lanes)
    names = [each for each in events if each["ph"] == "M"]
    others = [each for each in events if each["ph"] != "M"]
    # Of two that begin at once the longer one is around the other.
    others.sort(key=lambda each: (each["ts"], -each.get("dur", 0)))
    return {"traceEvents": [*names, *others], "displayTimeUnit": "ms"}


def _events(record: Record, course: Course, pid: int, number: int) -> Iterator[Event]:
    begin, end = course.ends or (0.0, 0.0)
    every = [at for lane in course.lanes for at in lane.moments.values()]
    begin = min([begin, *every]) if every else begin
    run = _Run(pid, begin, end)
    label = record.test or record.folder.name
    yield run.named("process_name", _RUN, name=label)
    yield run.named("process_sort_index", _RUN, sort_index=number)
    yield run.named("thread_name", _RUN, name="the run")
    yield run.named("thread_sort_index", _RUN, sort_index=_RUN)
    yield from _of_all(run, course)
    for track, lane in enumerate(course.lanes, 1):
        yield run.named("thread_name", track, name=_name(lane))
        yield run.named("thread_sort_index", track, sort_index=track)
        yield from _of_lane(run, lane, track)
    for name, series in course.samples.items():
        what, unit = map(printable_line, quantity_of(name))
        for at, value in series:
            yield run.event("C", what, at, args={unit or "value": value})


class _Run:
    """One run as a process of a trace, which begins with it."""

    def __init__(self, pid: int, begin: float, end: float):
        self._pid, self.begin, self.end = pid, begin, end

    def named(self, what: str, track: int, **args: object) -> Event:
        """Return an event that names a track, or the process."""
        shown = {
            key: printable_line(value) if isinstance(value, str) else value
            for key, value in args.items()
        }
        return {"name": what, "ph": "M", **self._on(track), "args": shown}

    def event(
        self, phase: str, name: str, at: float, track: int = _RUN, **more: Any
    ) -> Event:
        """Return an event at a moment, which nothing of a run is before."""
        ts = max(self._us(at), 0)
        about = {"name": printable_line(name), "cat": "mighetero", "ph": phase}
        return {**about, "ts": ts, **self._on(track), **more}

    def _on(self, track: int) -> Event:
        return {"pid": self._pid, "tid": self._pid + track}

    def mark(self, name: str, at: float, track: int, **args: object) -> Event:
        """Return a moment of one track."""
        return self.event("i", name, at, track, s="t", args=args)

    def complete(
        self, name: str, span: tuple[float, float], track: int, **args: object
    ) -> Event:
        """Return something that took its time."""
        begin, end = span
        lasted = max(self._us(end) - max(self._us(begin), 0), 0)
        known = {key: value for key, value in args.items() if value not in (None, "")}
        return self.event("X", name, begin, track, dur=lasted, args=known)

    def _us(self, at: float) -> int:
        return round((at - self.begin) * 1e6)


def _of_all(run: _Run, course: Course) -> Iterator[Event]:
    pauses = (("settle time", course.settle), ("end buffer", course.end_buffer))
    known = {name: span for name, span in pauses if span is not None}
    apart = _apart(known.values(), run.begin, run.end)
    for name, (span, drawn) in zip(known, apart, strict=True):
        yield run.complete(name, drawn, _RUN, asked_s=span.asked_s)
    for problem in course.problems:
        on = [n for n, lane in enumerate(course.lanes, 1) if lane.name in problem.lanes]
        at = run.end if problem.at is None else problem.at
        for track in on or [_RUN]:
            text = printable_line(problem.text)
            yield run.mark("what went wrong", at, track, text=text)


def _of_lane(run: _Run, lane: Lane, track: int) -> Iterator[Event]:
    if lane.launched is not None:
        last = lane.exited or max([run.end, *lane.moments.values()])
        yield run.complete(
            *(lane.what or lane.name, (lane.launched, last), track),
            device=printable_line(lane.device),
            exit_code=lane.exit_code,
        )
        for span, drawn in _apart(lane.windows, lane.launched, last):
            told = {"begin": span.begin, "end": span.end, "source": span.source}
            yield run.complete("timed window", drawn, track, **told)
    for name, at in lane.moments.items():
        if name not in ("launched", "exited"):
            yield run.mark(name, at, track)


def _apart(
    windows: Iterable[Span], launched: float, last: float
) -> Iterator[tuple[Span, tuple[float, float]]]:
    """Yield windows with when they are drawn: in a life, one after the other.

    Stamps of logs are cut to the millisecond, and may be just outside of it.
    """
    free = launched
    for span in windows:
        begin = min(max(span.begin, free), last)
        end = min(max(span.end or last, begin), last)
        yield span, (begin, end)
        free = end


def _name(lane: Lane) -> str:
    return " ".join(filter(None, (lane.name, lane.what and f"({lane.what})")))
