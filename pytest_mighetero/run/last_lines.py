"""The last lines of harnesses, for those who read of a failure without their logs."""

from __future__ import annotations

from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.terms.escapes import ESCAPE
from pytest_mighetero.units import shortened

_LINES, _LETTERS = 40, 400  # of a harness, and of a line


def last_lines(attempt: Attempt) -> dict[str, list[str]]:
    """Return what main, and whatever else did not end well, printed last, by role.

    Colours are left out. So are secrets: only here all of them are known, which is why
    a record keeps these lines, and nobody reads a harness's own log for them.
    """
    servers = attempt.backgrounds.servers
    found: dict[str, list[str]] = {}
    for place, (launch, harness) in enumerate(attempt.workloads):
        if harness.launched and (not place or _ended_badly(harness)):
            found[launch.folder.name] = _lines(harness)
        server = servers.of(launch)
        if server is not None and server.process.launched and server.problem:
            found[server.process.name] = _lines(server.process)
    return found


def _ended_badly(harness: HarnessProcess) -> bool:
    return bool(harness.exit_code) and not harness.stopped


def _lines(harness: HarnessProcess) -> list[str]:
    plain = (ESCAPE.sub(b"", each.encode()).decode() for each in harness.tail(_LINES))
    return [shortened(line, _LETTERS) for line in plain]
