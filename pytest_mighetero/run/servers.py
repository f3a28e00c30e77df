"""Servers that workloads load: started before their clients, and ended after them."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from urllib.parse import urlsplit

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.listeners import listening, stranger
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.launch import Launch, ServerLaunch
from pytest_mighetero.run.evidence.traces import exit_of, log_failure, tail_of
from pytest_mighetero.run.progress import HarnessState, Step, Tick, label_of, state_of
from pytest_mighetero.terms.clock import Stamp
from pytest_mighetero.units import format_duration

_LOOK_S = 0.1  # between questions whether it is ready
_ANSWER_S = 1.0  # for the answer: a server that is ready has one at once


@dataclass
class Server:
    """One server, from its launch to its end.

    Attributes:
        ready: when it was found to be; None before that.
        sockets: on which its port listened then; none where that is not seen.
        device: of its clients.
    """

    launch: ServerLaunch
    process: HarnessProcess
    device: str
    ready: Stamp | None = None
    sockets: frozenset[int] = frozenset()

    @property
    def problem(self) -> str | None:
        """Say that it is gone, or that its log is lost, or return None."""
        process = self.process
        if process.log_problem:
            return log_failure(process)
        if process.exited is None or process.stopped is not None:
            return None
        life = process.life
        lived = life.last.monotonic - life.launched.monotonic
        return (
            f"{process.name} exited with {exit_of(process)} {lived:.1f} s after its "
            f"launch.\n{tail_of(process)}"
        )

    @property
    def state(self) -> HarnessState:
        """How it is at this moment."""
        ready = None if self.ready is None else self.ready.monotonic
        state = state_of(self.process, ready=ready)
        return HarnessState("server", self.process.name, self.device, *state)

    @property
    def seconds_to_ready(self) -> float | None:
        """How long it took from its launch until it was ready; None before that."""
        if self.ready is None:
            return None
        return self.ready.monotonic - self.process.life.launched.monotonic

    @property
    def serves(self) -> bool:
        """Whether it can serve another client: it got ready, and nothing is amiss."""
        ready = self.ready is not None and self.process.running
        return ready and self.problem is None

    def answers(self) -> bool:
        """Tell whether it is ready, as its suite says how that is known."""
        if self.launch.ready_line:
            return self.process.started is not None
        return _answers(self.launch)

    def be_ready(self) -> None:
        """Note that it is ready, and on which sockets.

        Raises:
            HarnessError: what answers is another program.
        """
        sockets, root = listening(_address(self.launch)[1]), self.process.root
        if sockets and root is not None and (who := stranger(sockets, root)):
            raise HarnessError(
                f"{_where(self.launch)} answers, but it is {who}, which is not of "
                f"{self.process.name}. End it, or let the suite's command take "
                f"{{port}}, which is free.\n{tail_of(self.process)}",
                about=[self.launch.output],
            )
        self.sockets, self.ready = sockets, Stamp()

    @property
    def swapped(self) -> str | None:
        """Say that another server has taken its place since it was ready, or None."""
        port = _address(self.launch)[1]
        if not self.sockets or self.sockets & listening(port):
            return None
        return (
            f"{self.process.name} does not listen any more as it did when it was "
            f"ready: port {port} is another's, or it began anew.\n"
            f"{tail_of(self.process)}"
        )


class Servers:
    """The servers of one run, or of several beside one set of backgrounds.

    Args:
        grace: the seconds from SIGTERM to SIGKILL when they are stopped.
    """

    def __init__(self, pump: Pump, grace: float) -> None:
        self._pump, self._grace = pump, grace
        self._servers: dict[tuple[str, ...], Server] = {}

    def start(self, launches: Iterable[Launch], tick: Tick) -> None:
        """Have a server for each of *launches* that needs one, and no others.

        One that runs already goes on. The new ones get ready side by side.

        Raises:
            HarnessError: one could not be launched, ended, or was not ready in time.
        """
        wanted = {
            each.server.identity: (each, each.server)
            for each in launches
            if each.server is not None
        }
        good = {k for k, each in self._servers.items() if each.serves}
        self._stop([k for k in self._servers if k not in wanted or k not in good])
        new = []
        for identity, (launch, server) in wanted.items():
            if identity not in self._servers:
                new.append(self._server(launch, server))
                self._servers[identity] = new[-1]
        self._pump.launch(*(each.process for each in new))
        self._wait_ready(new, tick)

    def _server(self, launch: Launch, server: ServerLaunch) -> Server:
        name = f"{launch.pair.benchmark}'s server"
        if _connects(server):
            raise HarnessError(
                f"{_where(server)} is taken already, before {name} was launched: "
                f"another program listens there. End it, or let the suite's command "
                f"take {{port}}, which is free."
            )
        markers = Markers(tuple(filter(None, [server.ready_line])), ())
        server.output.parent.mkdir(parents=True, exist_ok=True)
        server = replace(server, output=_unused(server.output))
        output, told = server.output, (markers, self._grace)
        process = HarnessProcess(name, server.command, output, *told)
        return Server(server, process, label_of(launch.device))

    def _wait_ready(self, new: Sequence[Server], tick: Tick) -> None:
        next_tick = 0.0
        while waiting := [each for each in new if each.ready is None]:
            self.check()
            for each in waiting:
                if each.answers() and each.process.running:
                    each.be_ready()
            now = time.monotonic()
            for each in waiting:
                if each.ready is None and now >= self._limit(each):
                    said = self._overdue(each)
                    raise HarnessError(said, about=[each.launch.output])
            if now >= next_tick:
                next_tick = now + 1.0
                ready = sum(each.ready is not None for each in new)
                names = ", ".join(e.process.name for e in waiting if not e.ready)
                said = f"; {names} may take {_patience(waiting)}" if names else ""
                tick(Step(f"{ready} of {len(new)} servers are ready{said}"))
            self._pump.wait_for(
                lambda: (
                    self.problem is not None
                    or any(
                        e.launch.ready_line and e.answers() for e in new if not e.ready
                    )
                ),
                now + _LOOK_S,
            )

    def _limit(self, server: Server) -> float:
        return server.process.life.launched.monotonic + server.launch.timeout

    def _overdue(self, server: Server) -> str:
        launch = server.launch
        sign = (
            f"printed no line that ends with {launch.ready_line!r}"
            if launch.ready_line
            else f"did not answer at {_where(launch)}"
        )
        return (
            f"{server.process.name} {sign} within {format_duration(launch.timeout)} "
            f"(server.ready_timeout in the suite).\n{tail_of(server.process)}"
        )

    @property
    def processes(self) -> list[HarnessProcess]:
        """Those that were started and not stopped for others."""
        return [each.process for each in self._servers.values()]

    @property
    def states(self) -> list[HarnessState]:
        """How each of them is."""
        return [each.state for each in self._servers.values()]

    @property
    def problem(self) -> str | None:
        """Say which one is gone though nobody stopped it, or return None."""
        found = (each.problem for each in self._servers.values())
        return next(filter(None, found), None)

    @property
    def swapped(self) -> str | None:
        """Say which one is not the one that got ready, or return None."""
        found = (each.swapped for each in self._servers.values())
        return next(filter(None, found), None)

    @property
    def amiss(self) -> list[Path]:
        """The outputs of those that are gone, or another than they were."""
        every = self._servers.values()
        return [each.launch.output for each in every if each.problem or each.swapped]

    def check(self) -> None:
        """Fail where one is gone.

        Raises:
            HarnessError: with its exit code and last lines.
        """
        if problem := self.problem:
            raise HarnessError(problem, about=self.amiss)

    def of(self, launch: Launch) -> Server | None:
        """Return the server of a launch, once it was started."""
        server = launch.server
        return None if server is None else self._servers.get(server.identity)

    def stop(self) -> None:
        """Stop them all; their clients have ended."""
        self._pump.stop(self.processes)

    def _stop(self, identities: Sequence[tuple[str, ...]]) -> None:
        ending = [self._servers.pop(each) for each in identities]
        self._pump.stop([each.process for each in ending])


def _address(launch: ServerLaunch) -> tuple[str, int]:
    """Return where it listens; port 0 for nobody knows where."""
    if not launch.ready_url:
        return "127.0.0.1", launch.port
    url = urlsplit(launch.ready_url)
    return url.hostname or "127.0.0.1", url.port or http.client.HTTP_PORT


def _where(launch: ServerLaunch) -> str:
    return launch.ready_url or f"port {launch.port}"


def _connects(launch: ServerLaunch) -> bool:
    with suppress(OSError):
        socket.create_connection(_address(launch), _ANSWER_S).close()
        return True
    return False


def _patience(servers: Iterable[Server]) -> str:
    return format_duration(max(each.launch.timeout for each in servers))


def _answers(launch: ServerLaunch) -> bool:
    """Tell whether somebody answers where a server is to."""
    if not launch.ready_url:
        return _connects(launch)
    url, address = urlsplit(launch.ready_url), _address(launch)
    failures = (OSError, http.client.HTTPException)
    asked = http.client.HTTPConnection(*address, timeout=_ANSWER_S)
    with suppress(*failures), closing(asked):
        asked.request("GET", url._replace(scheme="", netloc="").geturl() or "/")
        return asked.getresponse().status < http.HTTPStatus.BAD_REQUEST
    return False


def _unused(output: Path) -> Path:
    """Return *output*, or a name like it where an earlier server has that."""
    names = (output.with_stem(f"{output.stem}-{number}") for number in count(2))
    return next(each for each in chain([output], names) if not each.exists())
