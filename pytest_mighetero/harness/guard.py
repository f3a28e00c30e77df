"""The guard of one harness: a program of its own that nothing of the harness outlives.

Started as ``python guard.py PARENT_PID ORDER_FD WORDS_FD STATUS_FD GRACE_S PROGRAM
ARG...`` in a new session with a pty as stdin, stdout and stderr. It makes the pty its
controlling terminal, becomes the subreaper of whatever the harness starts (daemons
too), and forks the harness's first process, which waits for the order on ORDER_FD, a
pipe, to become the program: it takes its folder and environment from WORDS_FD, a file,
says on STATUS_FD when it does (``launched``, POSIX time, monotonic time, its parent),
and has only the exec left to do.

The guard ends the harness when it is told to (SIGTERM), and in a hurry when its parent
dies (SIGHUP), ordered or not; it continues what is stopped, so that that can end. It
exits with the harness's exit code, 128 + N after signal N, once no descendant is left;
one that even SIGKILL does not end it names on STATUS_FD, a pipe that nobody else writes
to: its end is the guard's end.

A guard is two processes, each a subreaper, the harness below the second, and both live
as long as anything of it does: whichever is killed, the other inherits all of it, even
a daemon that has changed its environment, session and folder and closed its files, and
kills it. The second has a name and a process group of its own, so that few ways to kill
one kill both. A guard that is stopped goes on when pytest dies: its terminal hangs up.

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
PR_SET_NAME = 15
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
LAUNCHED = b"launched "
SECOND = b"mig-guard"  # the second process's name, for ps and killall
WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT}


def prctl(option: int, value: int | bytes) -> None:
    """Set an attribute of this process, by the number that Linux gives it."""
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _spawn(command: list[str], orders: tuple[int, int], status: int) -> int:
    guard, group = os.getpid(), os.getsid(0)
    pid = os.fork()
    if pid:
        _close(orders)
        return pid
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == guard:
            os.setpgid(0, group)  # the terminal's foreground
            for each in DEFAULTED:
                signal.signal(each, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            _obey(command, orders, status)
    finally:
        os._exit(127)


def _close(orders: tuple[int, int]) -> None:
    for fd in orders:
        os.close(fd)


def _obey(command: list[str], orders: tuple[int, int], status: int) -> None:
    """Wait for the order, say when it has come, and become *command*."""
    os.get_exec_path()  # imports what execvpe needs
    order, words = orders
    if not os.read(order, 1):
        return  # there will be none any more
    cwd, *variables = os.pread(words, os.fstat(words).st_size, 0).split(b"\0")
    environment = dict(each.split(b"=", 1) for each in variables)
    now = f"{time.time()!r} {time.monotonic()!r} {os.getppid()}\n"
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


def _descendants() -> dict[int, bytes]:
    """Return the states of all processes below this one, by pid."""
    parents: dict[int, int] = {}
    states: dict[int, bytes] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - hundreds, and only names
        if entry.isdigit():
            try:
                stat = _read(f"/proc/{entry}/stat")
            except OSError:
                continue
            state, parent = stat.rpartition(b")")[2].split()[:2]
            if state not in b"ZX":
                parents[int(entry)], states[int(entry)] = int(parent), state
    found, ancestors = [], {os.getpid()}
    while new := [p for p, parent in parents.items() if parent in ancestors]:
        found += new
        ancestors = set(new)
    return {pid: states[pid] for pid in found}


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:  # gone, or not ours to signal
            continue


def _reap() -> tuple[dict[int, int], bool]:
    """Reap who has ended; return their exit codes, and whether a child is left."""
    codes: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return codes, False
        if pid == 0:
            return codes, True
        codes[pid] = os.waitstatus_to_exitcode(status)


def command_line(pid: int) -> str:
    """Return ``pid 123: make run_harness``, as far as it can be read."""
    try:
        words = _read(f"/proc/{pid}/cmdline").split(b"\0")
    except OSError:
        words = []
    line = b" ".join(words).decode(errors="backslashreplace").strip()
    return f"pid {pid}: {line}"


def _end(status: int, grace: float) -> None:
    """SIGTERM, grace, SIGKILL to all descendants.

    The grace is cut short by SIGHUP meanwhile.
    """
    _signal([*_descendants()], signal.SIGTERM)
    start = time.monotonic()
    while states := _descendants():
        # What is stopped, now or later, could not end.
        _signal([p for p, state in states.items() if state == b"T"], signal.SIGCONT)
        if time.monotonic() - start > grace:
            _signal([*states], signal.SIGKILL)
        if time.monotonic() - start > grace + KILL_TRIES:
            break
        seen = signal.sigtimedwait({signal.SIGCHLD, signal.SIGHUP}, 0.05)
        if seen is not None and seen.si_signo == signal.SIGHUP:
            grace = min(grace, HURRIED_GRACE)
        _reap()
    for pid in states:
        os.write(status, f"{command_line(pid)}\n".encode())


def _second(
    command: list[str], orders: tuple[int, int], status: int
) -> tuple[int, int]:
    """Fork the second process; return its pid and a pipe that will have main's code."""
    first = os.getpid()
    codes, tell = os.pipe()
    if pid := os.fork():
        _close(orders)
        os.close(tell)
        os.set_blocking(codes, False)
        return pid, codes
    try:
        os.close(codes)
        os.setpgid(0, 0)
        prctl(PR_SET_NAME, SECOND)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
        if os.getppid() == first:
            _stand_by(first, _spawn(command, orders, status), status, tell)
    finally:
        os._exit(0)


def _stand_by(first: int, main: int, status: int, tell: int) -> None:
    """Tell *first* of main's end, stay to that of all; if it is killed, kill them."""
    left = True
    while left and os.getppid() == first:
        signal.sigwait(WATCHED)
        ended, left = _reap()
        if main in ended:
            try:
                os.write(tell, b"%d" % ended[main])
                os.kill(first, signal.SIGCHLD)
            except OSError:  # it has just been killed
                continue
    if left:
        _end(status, 0)


def _told(second: int, codes: int) -> bytes | None:
    """Return main's exit code once it is known, b"" if the second was killed.

    Reap, too, and continue the second where it is stopped.
    """
    try:
        pid, status = os.waitpid(second, os.WNOHANG | os.WUNTRACED)
        if pid and os.WIFSTOPPED(status):
            os.kill(second, signal.SIGCONT)
    except ChildProcessError:
        pass  # it has been reaped
    _reap()
    try:
        return os.read(codes, 16)
    except BlockingIOError:
        return None


def guard(
    parent: int,
    orders: tuple[int, int],
    status: int,
    grace: float,
    command: list[str],
) -> int:
    """Run *command* to its end, or until told to end it; return its exit code."""
    for each in (*orders, status):
        os.set_inheritable(each, False)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
    if os.getppid() != parent:
        return 128 + signal.SIGHUP
    second = _second(command, orders, status)
    told: bytes | None = None
    while told is None:
        number = signal.sigwait(WATCHED)
        told = _told(*second)
        if number != signal.SIGCHLD:
            grace = grace if number == signal.SIGTERM else min(grace, HURRIED_GRACE)
            break
    _end(status, 0 if told == b"" else grace)
    code = int(told or _told(*second) or -signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    parent, order, words, status = map(int, sys.argv[1:5])
    grace, command = float(sys.argv[5]), sys.argv[6:]
    # Nothing is left to clean up, and the interpreter would take 4 ms for it.
    os._exit(guard(parent, (order, words), status, grace, command))
