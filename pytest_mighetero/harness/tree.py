"""The processes of running harnesses, as /proc shows them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping

from pytest_mighetero.harness.activity import HELD, Look, Seen

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_ENOUGH = 4096  # bytes of a stat file: some 50 numbers
_ANEW_S = 15.0  # between searches for new processes, where nothing else calls for one


class Trees:
    """Looks at what guards have started, their children's children too.

    A guard is the subreaper of all that comes of its harness, so that nothing leaves
    its tree. To read a process takes some 9 us (Linux 6.18); a GPU server has thousands
    and a harness a dozen: those that are known are read at every look, all the others
    only now and then, for who is new, and where a known one has ended or is stopped:
    another may have taken over.

    Args:
        anew_s: the longest time, in seconds, for which a new process stays unseen.
    """

    def __init__(self, anew_s: float = _ANEW_S) -> None:
        self._anew_s = min(anew_s, _ANEW_S)
        self._searched = 0.0
        self._known: dict[int, dict[int, Seen]] = {}

    def look(self, guards: Iterable[int]) -> dict[int, Look]:
        """Return, for each of *guards*, the processes below it."""
        wanted = list(guards)
        now = time.monotonic()
        known = {guard: _again(self._known.get(guard, {})) for guard in wanted}
        due = now - self._searched >= self._anew_s
        if due or any(_unsettled(self._known.get(g), known[g]) for g in wanted):
            self._searched = now
            known = _search(wanted)
        self._known = known
        return {guard: Look(now, tuple(known[guard].values())) for guard in wanted}


def _search(guards: Iterable[int]) -> dict[int, dict[int, Seen]]:
    found: dict[int, Seen] = {}
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - thousands, and only names
        if entry.isdigit() and (read := _read(int(entry))) is not None:
            seen, parent = read
            found[seen.pid] = seen
            children.setdefault(parent, []).append(seen.pid)
    trees: dict[int, dict[int, Seen]] = {}
    for guard in guards:
        below = list(children.get(guard, ()))
        for pid in below:
            below += children.get(pid, ())
        trees[guard] = {pid: found[pid] for pid in below}
    return trees


def _unsettled(before: Mapping[int, Seen] | None, now: Mapping[int, Seen]) -> bool:
    """Tell whether a tree is unknown, or has lost or stopped a process."""
    if before is None or len(now) < len(before):
        return True
    return any(process.state in HELD for process in now.values())


def _again(known: dict[int, Seen]) -> dict[int, Seen]:
    read = (_read(pid) for pid in known)
    every = (each[0] for each in read if each is not None)
    return {p.pid: p for p in every if p.started == known[p.pid].started}


def _read(pid: int) -> tuple[Seen, int] | None:
    """Return a process and its parent's pid, or None if it is gone."""
    try:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        stat = os.read(file, _ENOUGH)
    except OSError:
        return None
    finally:
        os.close(file)
    # From the third field on: the second is a name, and may hold anything.
    fields = stat.rpartition(b")")[2].split()
    own, waited = (sum(map(int, fields[n : n + 2])) * _TICK_S for n in (11, 13))
    seen = Seen(pid, int(fields[19]), fields[0].decode(), own, waited)
    return seen, int(fields[1])
