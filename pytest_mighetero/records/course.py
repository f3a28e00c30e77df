"""The course of a run, as its record has it: what happened when, to which harness.

Every moment is in POSIX seconds; what a record does not say, or says wrongly, is None
or absent: those of earlier versions have no windows, and no pauses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mighetero.records.record import LONGEST_S, Harness, Record, as_number
from pytest_mighetero.terms.window import MARKER, PROCESS

_LATEST = 1e11  # POSIX seconds: the year 5138
_MAIN, _WEAKER = "main", (MARKER, PROCESS)
_TAIL = "Last lines of "  # what they printed follows the sentences of a failure
_PROOF = "E "  # as pytest marks in a traceback what went wrong

Series = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Span:
    """A time in a run.

    Attributes:
        end: None where it was not over.
        source: whose word it is, of a timed window: a tool's log, or its process.
        asked_s: the seconds that it was asked to take, of a wait.
    """

    begin: float
    end: float | None
    source: str = ""
    asked_s: float | None = None

    @classmethod
    def of(cls, said: object) -> Span | None:
        """Return what a record says; None where it has no beginning, or ends before."""
        table = _table(said)
        begin, end = _moment(table.get("begin")), _moment(table.get("end"))
        if begin is None or (end is not None and end < begin):
            return None
        asked_s = as_number(table.get("asked_s"), LONGEST_S)
        return cls(begin, end, _text(table.get("source")), asked_s)


@dataclass(frozen=True)
class Lane:
    """One process of a run, from its launch to its exit.

    Attributes:
        name: its role: ``main``, ``background-1-bert``, ``main's server``.
        what: the pair, for example ``bert_offline``.
        device: UUID and profile.
        marker: when it printed its start marker.
        first_query: when it was seen to issue one.
        ready: when it was found to be, of a server.
        finished: when it printed its finish marker.
        stopped: when it was told to stop.
        windows: in which it answered queries, as proved, in order.
    """

    name: str
    what: str = ""
    device: str = ""
    launched: float | None = None
    marker: float | None = None
    first_query: float | None = None
    ready: float | None = None
    finished: float | None = None
    stopped: float | None = None
    exited: float | None = None
    exit_code: int | None = None
    windows: tuple[Span, ...] = ()

    @property
    def crashed(self) -> bool:
        """Whether it exited with a code other than 0, which is not that of a stop."""
        return bool(self.exit_code) and self.stopped is None

    @property
    def queried(self) -> float | None:
        """Its first query: by its tool's log; else when it was seen to have issued one.

        Main's log is looked at once a second.
        """
        logged = [x.begin for x in self.windows[:1] if x.source not in _WEAKER]
        if self.first_query is None or not logged:
            return self.first_query
        return min(logged[0], self.first_query)

    @property
    def unproved(self) -> Span | None:
        """Where no window is proved: from its first query until it may have ended."""
        if self.windows or self.queried is None:
            return None
        end = self.finished or self.stopped or self.exited
        return Span(self.queried, end and max(end, self.queried))

    @property
    def moments(self) -> Mapping[str, float]:
        """What happened to it, by name, in order."""
        named = {
            "launched": self.launched,
            "start marker": self.marker,
            "ready": self.ready,
            "first query": self.queried,
            "finish marker": self.finished,
            "told to stop": self.stopped,
            "exited": self.exited,
        }
        known = {name: at for name, at in named.items() if at is not None}
        return dict(sorted(known.items(), key=lambda item: item[1]))


@dataclass(frozen=True)
class Problem:
    """What went wrong, in sentences.

    Attributes:
        lanes: the names of the lanes that it is about, if any are known.
        at: when it was noticed.
    """

    text: str
    lanes: tuple[str, ...] = ()
    at: float | None = None


@dataclass(frozen=True)
class Course:
    """What happened when.

    Attributes:
        lanes: main, then the others, each server after who loads it.
        settle: in which backgrounds settled before main.
        end_buffer: in which they outlasted it.
        samples: what the GPU said of itself, by name and unit.
        seen: when all that was put down.
        kept: whether the backgrounds have run since before this run.
    """

    lanes: tuple[Lane, ...]
    settle: Span | None
    end_buffer: Span | None
    problems: tuple[Problem, ...]
    samples: Mapping[str, Series]
    seen: float | None
    kept: bool

    @property
    def main(self) -> Lane | None:
        """Main's lane."""
        return next((lane for lane in self.lanes if lane.name == _MAIN), None)

    @property
    def ends(self) -> tuple[float, float] | None:
        """The first moment and the last one; None where there is none.

        Of backgrounds that have run since before this run it is not told when.
        """
        own = self.main if self.kept else None
        every = [own] if own and own.launched else self.lanes
        if not (moments := [at for lane in every for at in _moments(lane)]):
            return None
        pauses = [each for each in (self.settle, self.end_buffer) if each]
        if own is not None:
            pauses = [each for each in pauses if each.begin >= (own.launched or 0)]
        moments += [at for each in pauses for at in (each.begin, each.end) if at]
        if any(lane.launched and lane.exited is None for lane in every):
            moments += [self.seen] if self.seen else []
        return min(moments), max(moments)


def course_of(record: Record) -> Course:
    """Return the course of the run that *record* is of, as far as it is known."""
    said = _table(record.data.get("course"))
    listed = record.listed("harnesses")
    pairs = zip(record.harnesses, listed, strict=True)
    lanes = [lane for harness, each in pairs for lane in _lanes(harness, each)]
    return Course(
        lanes=tuple(_different(lanes)),
        settle=Span.of(said.get("settle")),
        end_buffer=Span.of(said.get("end_buffer")),
        problems=tuple(_problems(said, record)),
        samples=_samples(_table(said.get("samples"))),
        seen=_moment(said.get("seen")),
        kept=record.text("background_duration_by") == "session",
    )


def sentences(text: str) -> str:
    """Return what a failure says in sentences, without what harnesses printed.

    Of a traceback it is what went wrong.
    """
    lines = text.splitlines()
    if proof := [line[len(_PROOF) :] for line in lines if line.startswith(_PROOF)]:
        lines = proof
    said = [x for x in lines if not x.startswith((_TAIL, "  ", "\t")) and x.strip()]
    return "\n".join(said or [line.strip() for line in lines[:1]])


def _lanes(harness: Harness, said: Mapping[str, Any]) -> Iterator[Lane]:
    """Yield the lane of a harness, and that of its server."""
    name = harness.role or "a harness"
    what = "_".join(filter(None, (harness.benchmark, harness.scenario)))
    yield _lane(name, what, harness, said)
    server = _table(said.get("server"))
    if server.get("launched") is not None:
        yield _lane(f"{name}'s server", "", harness, server)


def _lane(name: str, what: str, harness: Harness, said: Mapping[str, Any]) -> Lane:
    spans = said.get("windows")
    found = [Span.of(each) for each in spans] if isinstance(spans, list) else []
    windows = sorted(filter(None, found), key=lambda span: span.begin)
    code = as_number(said.get("exit_code"), LONGEST_S)
    return Lane(
        name=name,
        what=what,
        device=harness.device or "",
        launched=_moment(said.get("launched")),
        marker=_moment(said.get("started")),
        first_query=_moment(said.get("first_query")),
        ready=_moment(said.get("ready")),
        finished=_moment(said.get("finished")),
        stopped=_moment(said.get("stopped")),
        exited=_moment(said.get("exited")),
        exit_code=None if code is None else int(code),
        windows=tuple(windows),
    )


def _different(lanes: Iterable[Lane]) -> Iterator[Lane]:
    """Yield *lanes*, one server that several load once."""
    seen: set[tuple[object, ...]] = set()
    for lane in lanes:
        key = (lane.launched, lane.ready, lane.exited)
        if lane.name.endswith("'s server") and key in seen:
            continue
        seen.add(key)
        yield lane


def _problems(said: Mapping[str, Any], record: Record) -> Iterator[Problem]:
    """Yield what went wrong: what is known with its moment, and what phases say."""
    listed = said.get("problems")
    known = []
    for each in map(_table, listed if isinstance(listed, list) else []):
        text, lanes = _text(each.get("text")), each.get("harnesses")
        names = tuple(map(_text, lanes)) if isinstance(lanes, list) else ()
        if text:
            known.append(text)
            yield Problem(text, names, _moment(each.get("at")))
    for when, phase in record.phases.items():
        text = sentences(phase.text)
        if phase.outcome == "failed" and not any(x in phase.text for x in known):
            yield Problem(text or f"The {when} of the test failed.")


def _samples(said: Mapping[str, Any]) -> dict[str, Series]:
    return {name: pairs for name, x in said.items() if (pairs := _series(_table(x)))}


def _series(said: Mapping[str, Any]) -> Series:
    moments, values = said.get("at"), said.get("values")
    if not (isinstance(moments, list) and isinstance(values, list)):
        return []
    read = [(_moment(a), as_number(v)) for a, v in zip(moments, values, strict=False)]
    return sorted((a, v) for a, v in read if a is not None and v is not None)


def _moments(lane: Lane) -> Iterator[float]:
    yield from lane.moments.values()
    for span in lane.windows:
        yield span.begin
        yield span.end or span.begin


def _moment(value: object) -> float | None:
    at = as_number(value, _LATEST)
    return at if at is not None and at > 0 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
