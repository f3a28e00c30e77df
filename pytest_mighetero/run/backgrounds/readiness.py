"""Backgrounds that get ready: launched, started, issuing queries, settled."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.launch import Launch, Tool
from pytest_mighetero.readers.changes import Changes
from pytest_mighetero.readers.first_query import FirstQuery
from pytest_mighetero.run.backgrounds.pause import Pause
from pytest_mighetero.run.evidence.traces import (
    how_it_ended,
    log_failure,
    ran_otherwise,
    tail_of,
)
from pytest_mighetero.run.progress import Step, Tick
from pytest_mighetero.run.servers import Servers
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.units import format_duration

_LOOK_S = 0.02  # between looks at logs (0.4 ms for seven) that nobody called for

Lack = Literal["marker", "log", "query"]
_LACKS: tuple[Lack, ...] = ("marker", "log", "query")


class Readiness:
    """How far the backgrounds of one set have got, until main may be launched.

    A background is ready when what its tool writes or prints, in the launch's own
    folder, has a first query. The start marker comes before LoadGen loads its samples:
    42 s before the first query for DLRM on a MIG slice (NVIDIA's v1.0 logs). It alone
    counts where a suite's harness gives no such evidence (``live_evidence``); and it
    need not come where there is some: most of NVIDIA's harnesses of v5.1 print none.

    Attributes:
        issuing: for each background the ``time.monotonic()`` at which its log was seen
            to have a first query, or None.
        settle: the settle time, once it has begun.
    """

    def __init__(
        self,
        config: RunSpec,
        launches: Sequence[Launch],
        harnesses: Sequence[HarnessProcess],
        pump: Pump,
        servers: Servers,
    ):
        self._config, self._pump, self._servers = config, pump, servers
        self._launches, self.harnesses = launches, harnesses
        self._queries = [
            FirstQuery(launch.log_dir, launch.output, launch.reader.sign)
            for launch in launches
        ]
        self.issuing: list[float | None] = [None] * len(launches)
        self.settle: Pause | None = None
        self._tick: Tick = lambda _step: None
        self._issues: Callable[[Pair], None] = lambda _pair: None
        self._next_tick = 0.0

    def get_ready(self, tick: Tick, issues: Callable[[Pair], None]) -> None:
        """Launch them all and wait until each is ready and settled.

        Raises:
            HarnessError: one could not be launched, ended, or was not ready in time.
        """
        self._tick, self._issues = tick, issues
        limit = time.monotonic() + self._config.start_time_buffer
        self._pump.launch(*self.harnesses)
        changes = Changes()
        with self._pump.reading(changes):
            self._wait_issuing(changes, limit)
        self.settle = settle = Pause(self._config.settle_time, time.monotonic())
        settled = settle.begin + settle.asked_s
        if not self._config.immediate_start:
            settled = max(settled, limit)
        if settled > time.monotonic():
            self._check_asked()
        try:
            self._wait(lambda: False, settled, Step("backgrounds settle"))
        finally:
            settle.end = time.monotonic()

    def _wait_issuing(self, changes: Changes, limit: float) -> None:
        while True:
            started = self._started()
            changes.happened = False
            begin = time.monotonic()
            self._look(changes)
            if not any(map(self._lack, range(len(self.harnesses)))):
                return
            now = time.monotonic()
            if now >= limit:
                raise self._overdue()
            state = f"{started} of {len(self.harnesses)} backgrounds have started"
            if started == len(self.harnesses):
                state = "backgrounds load their samples"
            self._wait(
                lambda: changes.happened or self._started() > started,  # noqa: B023
                min(limit, now + _LOOK_S),
                Step(state),
            )
            # However much is logged, looking takes half of a core at most.
            time.sleep(max(0.0, 2 * now - begin - time.monotonic()))

    def _look(self, changes: Changes) -> None:
        for number, query in enumerate(self._queries):
            if query.look(changes):
                self.issuing[number] = time.monotonic()
                self._issues(self._launches[number].pair)

    def _check_asked(self) -> None:
        """Fail where one runs with something else than it was asked for.

        Seven logs take 2 ms to read: too long for a main that does not let them settle,
        which hears of it in the end.
        """
        for launch in self._launches:
            if otherwise := ran_otherwise(launch):
                said = "; ".join(otherwise)
                said = f"Background {launch.name}: {said}."
                raise HarnessError(said, about=[launch.output])

    @property
    def since(self) -> list[float]:
        """When each gave its first sign, by ``time.monotonic()``, as far as it did."""
        both = zip(self.harnesses, self.issuing, strict=True)
        return [
            harness.started.monotonic if harness.started else issuing or 0.0
            for harness, issuing in both
            if harness.started or issuing
        ]

    def _started(self) -> int:
        return len(self.since)

    def _lack(self, number: int) -> Lack | None:
        """Return what a background still lacks, first things first."""
        query, tool = self._queries[number], self._launches[number].tool
        started = self.harnesses[number].started is not None
        if query.seen or (started and tool.sign is None):
            return None
        if tool.markers.start and not started:
            return "marker"
        return "query" if query.logs else "log"

    def _wait(self, condition: Callable[[], bool], deadline: float, step: Step) -> None:
        def over() -> bool:
            gone = any(h.ended or h.log_problem for h in self.harnesses)
            return condition() or gone or self._servers.problem is not None

        def tick() -> None:
            if (now := time.monotonic()) >= self._next_tick:
                self._next_tick = now + 1.0
                self._tick(step)

        self._pump.wait_for(over, deadline, tick)
        self._servers.check()
        for harness in self.harnesses:
            if harness.log_problem:
                raise HarnessError(log_failure(harness), about=[harness.log])
            if harness.ended:
                raise HarnessError(self._ended_early(harness), about=[harness.log])

    def _ended_early(self, harness: HarnessProcess) -> str:
        number = list(self.harnesses).index(harness)
        marked = self._launches[number].tool.markers.start
        sign = "its start marker" if marked else "its first query"
        begun = harness.started or self.issuing[number]
        before = "main was launched" if begun else sign
        told = ""
        if harness.finished:
            seconds = self._launches[number].min_duration
            told = (
                f" It was told to run for {format_duration(seconds)}; raise "
                f"--background-benchmark-duration."
            )
        return (
            f"Background {harness.name} {how_it_ended(harness)} before {before}; "
            f"{self._started()} of {len(self.harnesses)} backgrounds had started."
            f"{told}\n{tail_of(harness)}"
        )

    def _overdue(self) -> HarnessError:
        """Return who is not ready at the deadline, and for each reason what to do."""
        lacking: dict[tuple[int, Tool], list[int]] = {}
        for number, launch in enumerate(self._launches):
            if lack := self._lack(number):
                reason = _LACKS.index(lack), launch.tool
                lacking.setdefault(reason, []).append(number)
        reasons = sorted(lacking, key=lambda reason: reason[0])
        said = [self._lacking(_LACKS[n], tool, lacking[n, tool]) for n, tool in reasons]
        late = [self.harnesses[number] for each in lacking.values() for number in each]
        text = "\n".join([" ".join(said), *map(tail_of, late)])
        return HarnessError(text, about=[each.log for each in late])

    def _lacking(self, lack: Lack, of_it: Tool, numbers: Sequence[int]) -> str:
        queries = [self._queries[number] for number in numbers]
        tool, word = of_it.reader.tool, of_it.sign.word if of_it.sign else ""
        buffer = format_duration(self._config.start_time_buffer)
        within = f"within {buffer} (--start-time-buffer)"
        names = ", ".join(self.harnesses[number].name for number in numbers)
        who = f"{len(numbers)} of {len(self.harnesses)} backgrounds"
        if lack == "marker":
            markers = " / ".join(of_it.markers.start)
            nor = f", nor did {tool} issue a query," if of_it.sign else ""
            return f"{who} printed no start marker ({markers}){nor} {within}: {names}."
        marked = "printed the start marker but " if of_it.markers.start else ""
        if lack == "log":
            folders = ", ".join(str(query.log_dir) for query in queries)
            return (
                f"{who} {marked}{within} no {tool} log appeared: {names} (nothing in "
                f"{folders}). Raise --start-time-buffer; or does LOG_DIR not reach the "
                f"harness? Of one that writes no such log the suite says "
                f"live_evidence = false."
            )
        logs = ", ".join(str(log) for query in queries for log in query.logs)
        return (
            f"{who} {marked}issued no query {within}: {names} (no {word} in {logs}). "
            f"Raise --start-time-buffer."
        )
