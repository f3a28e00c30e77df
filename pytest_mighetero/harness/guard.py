"""The guard of one harness: a program of its own that nothing of the harness outlives.

Started as ``python guard.py PARENT_PID ORDER_FD STATUS_FD GRACE_S PROGRAM ARG...`` in a
new session with a pty as stdin, stdout and stderr. It makes the pty its controlling
terminal, becomes the subreaper of whatever the harness starts (daemons too), and forks
the harness's first process, which waits for the order on ORDER_FD, a pipe, to become
the program: from there it takes its folder and environment, says on STATUS_FD when it
does (``launched``, POSIX time, monotonic time), and has only the exec left to do.

The guard ends the harness when it is told to (SIGTERM), and in a hurry when its parent
dies (SIGHUP), ordered or not. It exits with the harness's exit code, 128 + N after
signal N, once no descendant is left; one that even SIGKILL does not end it names on
STATUS_FD, a pipe that nobody else writes to: its end is the guard's end.

A ``make`` that leads the session itself would not do: it catches SIGHUP and waits for
its recipe, so a killed pytest would leave the harness running (GNU make 4.3).

Little of the standard library, and nothing of this package: it has to start fast, and
pathlib alone would make its start 7 ms longer.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
import termios
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
HURRIED_GRACE = 1.5  # seconds, when nobody waits for the harness any more
KILL_TRIES = 5.0  # seconds of SIGKILL before the rest is given up as unkillable
# nohup ignores SIGHUP, a shell SIGINT and SIGQUIT of its background jobs, Python
# SIGPIPE and SIGXFSZ; a harness inherits none of that.
DEFAULTED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGPIPE,
    signal.SIGXFSZ,
)
ORDER_END = b"\0\0"  # of words that each end in NUL and are not empty
LAUNCHED = b"launched "
WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT}


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _spawn(command: list[str], order: int, status: int) -> int:
    guard = os.getpid()
    pid = os.fork()
    if pid:
        os.close(order)
        return pid
    try:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == guard:
            for each in DEFAULTED:
                signal.signal(each, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            _obey(command, order, status)
    finally:
        os._exit(127)


def _obey(command: list[str], order: int, status: int) -> None:
    """Wait for the order, say when it has come, and become *command*."""
    os.get_exec_path()  # imports what execvpe needs
    words = b""
    while not words.endswith(ORDER_END):
        if not (chunk := os.read(order, 65536)):
            return  # there will be none any more
        words += chunk
    cwd, *variables = words.removesuffix(ORDER_END).split(b"\0")
    environment = dict(each.split(b"=", 1) for each in variables)
    now = f"{time.time()!r} {time.monotonic()!r}\n"
    os.write(status, LAUNCHED + now.encode())
    what = os.fsdecode(cwd)
    try:
        os.chdir(cwd)
        what = command[0]
        os.execvpe(command[0], command, environment)  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(2, os.fsencode(f"{what}: {error.strerror}\n"))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()


def _descendants() -> list[int]:
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - hundreds, and only names
        if entry.isdigit():
            try:
                stat = _read(f"/proc/{entry}/stat")
            except OSError:
                continue
            state, parent = stat.rpartition(b")")[2].split()[:2]
            if state not in b"ZX":
                parents[int(entry)] = int(parent)
    found, ancestors = [], {os.getpid()}
    while new := [p for p, parent in parents.items() if parent in ancestors]:
        found += new
        ancestors = set(new)
    return found


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:  # gone, or not ours to signal
            continue


def _reap(main: int) -> int | None:
    """Reap whoever has ended; return main's exit code if it was among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == main:
            code = os.waitstatus_to_exitcode(status)


def command_line(pid: int) -> str:
    """Return ``pid 123: make run_harness``, as far as it can be read."""
    try:
        words = _read(f"/proc/{pid}/cmdline").split(b"\0")
    except OSError:
        words = []
    line = b" ".join(words).decode(errors="backslashreplace").strip()
    return f"pid {pid}: {line}"


def _end(main: int, status: int, grace: float) -> int | None:
    """SIGTERM, grace, SIGKILL to all descendants; return main's exit code if seen.

    The grace is cut short by SIGHUP meanwhile.
    """
    code = None
    _signal(_descendants(), signal.SIGTERM)
    start = time.monotonic()
    while pids := _descendants():
        if time.monotonic() - start > grace:
            _signal(pids, signal.SIGKILL)
        if time.monotonic() - start > grace + KILL_TRIES:
            break
        seen = signal.sigtimedwait({signal.SIGCHLD, signal.SIGHUP}, 0.05)
        if seen is not None and seen.si_signo == signal.SIGHUP:
            grace = min(grace, HURRIED_GRACE)
        if (reaped := _reap(main)) is not None:
            code = reaped
    for pid in pids:
        os.write(status, f"{command_line(pid)}\n".encode())
    reaped = _reap(main)
    return code if reaped is None else reaped


def guard(
    parent: int, order: int, status: int, grace: float, command: list[str]
) -> int:
    """Run *command* to its end, or until told to end it; return its exit code."""
    for each in (order, status):
        os.set_inheritable(each, False)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
    if os.getppid() != parent:
        return 128 + signal.SIGHUP
    main = _spawn(command, order, status)
    code: int | None = None
    while code is None:
        number = signal.sigwait(WATCHED)
        code = _reap(main)
        if number != signal.SIGCHLD:
            grace = grace if number == signal.SIGTERM else min(grace, HURRIED_GRACE)
            break
    ended = _end(main, status, grace)
    code = code if code is not None else ended
    if code is None:
        return 128 + signal.SIGKILL
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    _, parent, order, status, grace, *command = sys.argv
    # Nothing is left to clean up, and the interpreter would take 4 ms for it.
    os._exit(guard(int(parent), int(order), int(status), float(grace), command))
