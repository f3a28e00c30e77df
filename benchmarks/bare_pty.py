"""The ptys alone, which every reader of them is measured against."""

from __future__ import annotations

import os
import subprocess
import termios
import time
from collections.abc import Sequence

from children import Child

_POLL_S = 0.01


class BarePty:
    """Each child on a pty; ``drain.c`` throws away what comes, as fast as it comes."""

    def __init__(self) -> None:
        self.moments: dict[str, float] = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, children: Sequence[Child]) -> None:
        """Start *children*; return when each has noted its first query."""
        masters = [self._launch(child) for child in children]
        drain = str(children[0].program.with_name("drain"))
        words = [drain, *map(str, masters)]
        self._processes.append(subprocess.Popen(words, pass_fds=masters))
        for master in masters:
            os.close(master)
        while not all(_has_note(child) for child in children):
            time.sleep(_POLL_S)
        self.moments["ready"] = time.monotonic()

    def _launch(self, child: Child) -> int:
        child.log_dir.mkdir(parents=True)
        master, slave = os.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[1] &= ~termios.OPOST  # as the plugin has it
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        self._processes.append(
            subprocess.Popen(child.argv, stdin=slave, stdout=slave, stderr=slave)
        )
        os.close(slave)
        return master

    def stop(self) -> None:
        """Kill them."""
        for process in self._processes:
            process.kill()
            process.wait()


def _has_note(child: Child) -> bool:
    note = child.folder / "note"
    return note.exists() and note.stat().st_size > 0
