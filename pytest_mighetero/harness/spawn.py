"""pexpect's way to start a child on a pty, safe beside threads.

Of pexpect this is all that is used. Its spawn starts and owns the harness: the pty, the
session, the close. Its ``expect`` is not called: it sleeps between reads, keeps all the
output in memory, and waits for one child while the others' terminals run full; one
thread reads them all (``harness.pump``) and looks for the markers itself.
"""

from __future__ import annotations

import os
import subprocess
import termios
from collections.abc import Sequence
from typing import Any

import pexpect
import ptyprocess


class PtySpawn(pexpect.spawn):  # type: ignore[type-arg]
    """pexpect's spawn, but by vfork and exec.

    ``forkpty`` warns in a process with threads since Python 3.12, and may deadlock
    there; under xdist every test runs beside one.
    """

    popen: subprocess.Popen[bytes]

    def __init__(self, command: str, *args: Any, passed: Sequence[int], **options: Any):
        self._passed = passed
        super().__init__(command, *args, **options)

    def _spawnpty(self, args: list[str], **options: Any) -> ptyprocess.PtyProcess:
        master, slave = os.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[1] &= ~termios.OPOST  # no CRLF, and nothing to translate
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        try:
            self.popen = subprocess.Popen(
                args,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=options["env"],
                cwd=options["cwd"],
                pass_fds=self._passed,
                start_new_session=True,
            )
        except OSError:
            os.close(master)
            raise
        finally:
            os.close(slave)
        pty = ptyprocess.PtyProcess(self.popen.pid, master)
        pty.setwinsize(*options["dimensions"])
        pty.delayafterclose = 0
        return pty
