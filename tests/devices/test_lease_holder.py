"""Who holds a lease: what is said of it, whatever somebody wrote into its file."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path

import pytest

from pytest_mighetero.devices.lease import Lease, holder_of, myself, take
from tests.lab.driver import UUIDS, Lab

NAME = UUIDS[0]
ME = myself("test_it[dlrm_server]")
GONE = "which has ended and left a harness behind"
RED = "\x1b[31mroot\x1b[0m\r\nGPU 0: free\u202e\udc9b"


@contextmanager
def held(folder: Path, raw: bytes) -> Iterator[None]:
    """Hold the lease of *NAME* with *raw* in its file."""
    folder.mkdir(exist_ok=True)
    with (folder / f"{NAME}.lease").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(raw)
        file.flush()
        yield


def said_of(folder: Path, raw: bytes) -> str:
    with held(folder, raw):
        said = take(folder, [NAME], ME)
        assert said == holder_of(folder, [NAME])
    assert isinstance(said, str)
    return said


def text_of(**fields: object) -> bytes:
    return json.dumps({**asdict(ME), **fields}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        *(text_of(**{key: RED}) for key in ("user", "host", "since", "test")),
        *(text_of(**{key: "x" * 900}) for key in ("user", "host", "since", "test")),
        text_of(pid="1\x1b[2J"),
        text_of(pid=[RED] * 50),
        text_of(pid=True),
        text_of(pid=0),
        text_of(pid=-1),
        text_of(pid=1.5),
        text_of(pid=10**40),
        text_of(started="1"),
        text_of(user=None),
        text_of(host={"a": RED}),
        text_of(test=["x"]),
        text_of(machine=1),
        text_of(shared=RED),
        text_of(test="x" * 5_000_000),
        b"x" * 5_000_000,
        b"[" * 5_000,
        b"{}",
        b"7",
        b"null",
        b'"\x1b[31m"',
        b"\xff\xfe\x1b[31m\n",
        b"\x1b]0;title\x07\n" * 100,
    ],
    ids=map(str, count()),  # for what they say is of this process and second
)
def test_what_others_wrote_is_told_as_printable_text(
    tmp_path: Path, raw: bytes
) -> None:
    said = said_of(tmp_path, raw)
    assert said.isprintable()
    assert len(said) < 1200
    assert said.startswith(("somebody (who left the text ", "pid "))


def test_a_text_is_still_to_be_recognized(tmp_path: Path) -> None:
    assert "of \\x1b[31mroot\\x1b[0m\\nGPU" in said_of(tmp_path, text_of(user=RED))
    assert '"pid": "me"' in said_of(tmp_path, text_of(pid="me"))


@pytest.mark.parametrize("raw", [b"", b"\0" * 10, b"\n"])
def test_who_has_not_written_its_name_is_somebody(tmp_path: Path, raw: bytes) -> None:
    assert said_of(tmp_path, raw) == "somebody"


def test_a_text_of_an_earlier_or_later_version_is_read(tmp_path: Path) -> None:
    earlier = {key: getattr(ME, key) for key in ("pid", "user", "host", "since")}
    earlier.update(test="x", pid=2**22 - 1)
    said = said_of(tmp_path, json.dumps(earlier).encode())
    assert said.startswith(f"pid {2**22 - 1} of {ME.user}")
    assert GONE not in said
    assert said_of(tmp_path, text_of(more=1)) == str(ME)


def test_a_list_shows_it_so_too(lab: Lab) -> None:
    with held(lab.folder / "leases", text_of(user=RED)):
        text = lab.run("--mig-list").text
    assert f"  used by pid {os.getpid()} of \\x1b[31mroot" in text
    assert "\x1b[31mroot" not in text


@pytest.mark.parametrize("test", ["x" * 10_000, "test[\x1b[31m\ud83d\n]", "ü" * 3_000])
def test_a_name_of_any_kind_can_be_read_again(tmp_path: Path, test: str) -> None:
    me = myself(test)
    lease = take(tmp_path, [NAME], me)
    assert isinstance(lease, Lease)
    said = take(tmp_path, [NAME], ME)
    assert said == str(me)
    assert said.startswith(f"pid {os.getpid()} of ")
    lease.close()


def test_one_that_has_ended_is_said_to_have(tmp_path: Path) -> None:
    child = subprocess.Popen(["sleep", "300"])
    stat = Path(f"/proc/{child.pid}/stat").read_bytes().rpartition(b")")[2].split()
    raw = text_of(pid=child.pid, started=int(stat[19]))
    assert GONE not in said_of(tmp_path, raw)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert GONE in said_of(tmp_path, raw)  # a zombie
    child.wait()
    assert GONE in said_of(tmp_path, raw)


def test_another_process_with_its_pid_is_not_the_holder(tmp_path: Path) -> None:
    assert GONE in said_of(tmp_path, text_of(started=ME.started - 1))
    assert GONE not in said_of(tmp_path, text_of(started=0))


@pytest.mark.parametrize(
    "machine", ["", ME.machine.replace("pid:[", "pid:[1"), "b" + ME.machine[1:] + "0"]
)
def test_a_pid_of_another_machine_or_container_says_nothing(
    tmp_path: Path, machine: str
) -> None:
    raw = text_of(pid=2**22 - 1, machine=machine)
    assert GONE not in said_of(tmp_path, raw)
    assert GONE in said_of(tmp_path, text_of(pid=2**22 - 1))


def test_of_several_who_share_it_the_last_may_have_ended(tmp_path: Path) -> None:
    one = take(tmp_path, [NAME], ME, shared=[NAME])
    other = take(tmp_path, [NAME], replace(ME, pid=2**22 - 1), shared=[NAME])
    assert isinstance(one, Lease)
    assert isinstance(other, Lease)
    other.close()
    said = str(take(tmp_path, [NAME], ME))
    assert "which has ended, but not all who share it" in said
    one.close()


ASK = """
import sys
from pathlib import Path
from pytest_mighetero.devices.lease import holder_of
print(holder_of(Path(sys.argv[1]), sys.argv[2:]))
"""


@pytest.mark.parametrize("proc", [True, False])
def test_in_another_pid_namespace_a_holder_has_not_ended(
    tmp_path: Path, proc: bool
) -> None:
    apart = ["unshare", "--pid", "--fork", *(["--mount-proc"] if proc else [])]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no pid namespace can be made here")
    lease = take(tmp_path, [NAME], ME)
    assert isinstance(lease, Lease)
    command = [*apart, sys.executable, "-c", ASK, str(tmp_path), NAME]
    assert subprocess.check_output(command, text=True).strip() == str(ME)
    lease.close()
