"""The folder of the leases where other users may put what they like."""

from __future__ import annotations

import grp
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_mighetero.devices.lease import Lease, holder_of, myself, take
from pytest_mighetero.errors import DeviceError
from tests.lab.driver import UUIDS, Lab
from tests.lab.processes import until

NAME = UUIDS[0]
FILE = f"{NAME}.lease"
ME = myself("test_it[dlrm_server]")
MALLORY, ALICE = 65534, 12345
ADVICE = "name a folder .* with --mig-lease-dir"

root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can act for other users"
)


@pytest.fixture
def tmp() -> Iterator[Path]:
    """A temporary folder as /tmp is."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


def leased(folder: Path) -> bool:
    """Take the lease and give it back."""
    lease = take(folder, [NAME], ME)
    assert isinstance(lease, Lease), lease
    assert holder_of(folder, [NAME]) == str(ME)
    lease.close()
    return holder_of(folder, [NAME]) is None


def refused(folder: Path, why: str) -> None:
    for ask in (lambda: take(folder, [NAME], ME), lambda: holder_of(folder, [NAME])):
        with pytest.raises(DeviceError, match=f"cannot be opened: {why}.*{ADVICE}"):
            ask()


def folder_of(path: Path, mode: int, owner: int = -1, group: int = -1) -> Path:
    path.mkdir()
    path.chmod(mode)
    os.chown(path, owner, group)
    return path


def link(path: Path, target: str | Path, owner: int) -> Path:
    path.symlink_to(target)
    os.lchown(path, owner, -1)
    return path


def as_user(uid: int, code: str, *arguments: object, group: int | None = None) -> str:
    """Run *code* as another user, who may be unable to import anything more."""
    prelude = f"""
import encodings.ascii, os, sys
from pathlib import Path
from pytest_mighetero.devices.lease import Lease, holder_of, myself, take
os.setgroups({[group] if group is not None else []})
os.setgid({uid})
os.setuid({uid})
folder = Path(sys.argv[1])
"""
    command = [sys.executable, "-c", prelude + code, *map(str, arguments)]
    done = subprocess.run(
        command, text=True, capture_output=True, timeout=60, check=False
    )
    return (done.stdout + done.stderr).strip()


TAKE = """
got = take(folder, [sys.argv[2]], myself("x"))
print(got if isinstance(got, str) else "taken")
"""


@root_only
@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_that_another_user_put_in_the_place_of_the_folder(
    lab: Lab, tmp: Path, dangling: bool
) -> None:
    target = tmp / "target"
    if not dangling:
        target.mkdir()
    folder = link(tmp / "leases", target, MALLORY)
    refused(folder, f"uid {MALLORY} has put a symbolic link there")
    report = lab.run(f"--mig-lease-dir={folder}")
    report.result.assert_outcomes(errors=1)
    error = report.case.problems["error"]
    assert f"uid {MALLORY} has put a symbolic link there (leases)" in error
    assert not report.launches()
    assert dangling is not target.exists()
    assert dangling or not any(target.iterdir())
    assert "symbolic link" in lab.run("--mig-list", f"--mig-lease-dir={folder}").text


@root_only
def test_a_link_of_another_user_on_the_way(tmp: Path) -> None:
    (tmp / "target").mkdir()
    link(tmp / "way", "target", MALLORY)
    refused(tmp / "way" / "leases", "uid 65534 has put a symbolic link there")
    refused(tmp / "target" / ".." / "way" / "leases", "uid 65534 has put a symbolic")
    link(tmp / "mine", "way", 0)
    refused(tmp / "mine", "uid 65534 has put a symbolic link there")


@root_only
@pytest.mark.parametrize("target", ["private", "../{}/private", "{tmp}/private"])
def test_a_link_of_ones_own_or_roots(tmp: Path, target: str) -> None:
    private = folder_of(tmp / "private", 0o755)
    folder = link(tmp / "leases", target.format(tmp.name, tmp=tmp), 0)
    assert leased(folder)
    assert [path.name for path in private.iterdir()] == [FILE]
    private.chmod(0o1777)
    assert as_user(ALICE, TAKE, folder, NAME) == "taken"  # by root's link
    home = folder_of(tmp / "home", 0o755, ALICE)
    assert leased(link(home / "link", private, ALICE))  # nobody else could put it there


@root_only
def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    refused(tmp_path / "one", "Too many levels of symbolic links")


Plant = Callable[[Path, Path], object]


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@root_only
@pytest.mark.parametrize(
    ("plant", "why"),
    [
        (lambda path, victim: path.symlink_to(victim), "it is a symbolic link of uid"),
        (lambda path, _: path.symlink_to("nothing"), "it is a symbolic link of uid"),
        (lambda path, _: os.mkfifo(path, 0o666), "it is a named pipe of uid"),
        (lambda path, _: bound(path), "it is a socket of uid"),
        (lambda path, _: path.mkdir(), "it is a folder of uid"),
        (
            lambda path, _: os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3)),
            "it is a device of uid",
        ),
        (lambda path, victim: path.hardlink_to(victim), "it is a file with 2 names"),
    ],
)
@pytest.mark.parametrize("owner", [0, MALLORY])
def test_what_is_no_lease_is_left_alone(
    tmp: Path, plant: Plant, why: str, owner: int
) -> None:
    victim = tmp / "victim"
    victim.write_text("precious")
    folder = folder_of(tmp / "leases", 0o1777)
    plant(folder / FILE, victim)
    if not (folder / FILE).is_symlink() or owner:
        os.lchown(folder / FILE, owner, -1)
    refused(folder, why)
    assert victim.read_text() == "precious"
    assert {path.name for path in folder.iterdir()} == {FILE}


@root_only
def test_a_file_that_another_user_has_not_made_for_all(lab: Lab, tmp: Path) -> None:
    folder = folder_of(tmp / "leases", 0o1777)
    (folder / FILE).write_text("a diary")
    (folder / FILE).chmod(0o600)
    os.chown(folder / FILE, MALLORY, -1)
    refused(folder, f"uid {MALLORY} has put a file of its own there \\(mode 0600, exp")
    report = lab.run(f"--mig-lease-dir={folder}")
    report.result.assert_outcomes(errors=1)
    assert (folder / FILE).read_text() == "a diary"


@root_only
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o1755])
def test_a_folder_that_another_user_has_not_made_for_all(tmp: Path, mode: int) -> None:
    folder = folder_of(tmp / "leases", mode, MALLORY)
    refused(folder, f"uid {MALLORY} has made it, and not for all users \\(mode")
    assert not any(folder.iterdir())


@pytest.mark.parametrize("mode", [0o777, 0o2777])
def test_a_folder_in_which_everybody_deletes(tmp: Path, mode: int) -> None:
    folder = folder_of(tmp / "leases", mode)
    refused(folder, f"everybody may delete what is in it \\(mode {mode:04o}, expected")
    folder.chmod(mode | stat.S_ISVTX)
    assert leased(folder)


def test_a_file_in_the_place_of_the_folder(tmp: Path) -> None:
    (tmp / "leases").touch()
    refused(tmp / "leases", "it is a file of uid")
    os.mkfifo(tmp / "pipe")
    refused(tmp / "pipe", "it is a named pipe of uid")


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o775, 0o1777])
def test_a_folder_of_ones_own(tmp: Path, mode: int) -> None:
    assert leased(folder_of(tmp / "leases", mode))


@root_only
def test_a_folder_that_another_user_made_for_all(tmp: Path) -> None:
    folder = tmp / "leases"
    umask = "os.umask(0o077)"
    assert as_user(MALLORY, umask + TAKE, folder, NAME) == "taken"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert leased(folder)
    assert as_user(ALICE, umask + TAKE, folder, NAME) == "taken"
    lease = take(folder, [NAME], ME)
    assert isinstance(lease, Lease)
    assert as_user(ALICE, TAKE, folder, NAME) == str(ME)
    lease.close()


@root_only
@pytest.mark.parametrize("mode", [0o770, 0o2775, 0o1770])
def test_a_folder_that_a_group_shares(tmp: Path, mode: int) -> None:
    group = next(
        n for n in range(54321, 60000) if n not in {g[2] for g in grp.getgrall()}
    )
    folder = folder_of(tmp / "leases", mode, ALICE, group)
    assert as_user(ALICE, TAKE, folder, NAME) == "taken"
    assert as_user(MALLORY, TAKE, folder, NAME, group=group) == "taken"
    assert "cannot be opened" in as_user(MALLORY, TAKE, folder, NAME)


@root_only
def test_a_folder_where_only_who_is_trusted_makes_any(tmp: Path) -> None:
    """As a container has it that mounts its user's own folder."""
    mounts = folder_of(tmp / "mounts", 0o755)
    assert leased(folder_of(mounts / "leases", 0o755, ALICE))


@root_only
def test_in_a_user_namespace_the_owners_are_nobody(tmp: Path) -> None:
    apart = ["unshare", "--user", "--map-root-user"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no user namespace can be made here")
    folder = folder_of(tmp / "leases", 0o1777, MALLORY)
    assert as_user(ALICE, TAKE, folder, NAME) == "taken"
    code = f"""
import sys
from pathlib import Path
from pytest_mighetero.devices.lease import myself, take
folder = Path(sys.argv[1])
{TAKE}"""
    command = [*apart, sys.executable, "-c", code, str(folder), NAME]
    assert subprocess.check_output(command, text=True).strip() == "taken"


@root_only
def test_who_may_only_read_may_ask(tmp: Path) -> None:
    folder = folder_of(tmp / "leases", 0o755)
    lease = take(folder, [NAME], ME)
    assert isinstance(lease, Lease)
    (folder / FILE).chmod(0o644)
    ask = "print(holder_of(folder, [sys.argv[2]]))"
    assert as_user(MALLORY, ask, folder, NAME) == str(ME)
    assert "Permission denied" in as_user(MALLORY, TAKE, folder, NAME)
    lease.close()
    assert as_user(MALLORY, ask, folder, NAME) == "None"


def test_who_asks_makes_nothing(lab: Lab) -> None:
    assert "  free" in lab.run("--mig-list").text
    assert not (lab.folder / "leases").exists()


FIRST = """
(folder / sys.argv[2]).touch()
while not (folder / "go").exists():
    pass
for number in range(20):
    got = take(folder / str(number) / "leases", [sys.argv[2], "same"], myself("x"))
    assert isinstance(got, Lease) or "pid" in got or got == "somebody", got
print("done")
"""


@root_only
def test_all_may_be_first_at_once(tmp: Path) -> None:
    """Nobody sees a folder or a file before it is everybody's."""
    for number in range(20):
        folder_of(tmp / str(number), 0o1777)
    users = range(54321, 54325)
    with ThreadPoolExecutor(len(users)) as pool:
        done = pool.map(lambda uid: as_user(uid, FIRST, tmp, uid), users)
        until(lambda: all((tmp / str(uid)).exists() for uid in users))
        (tmp / "go").touch()
        assert list(done) == ["done"] * len(users)


def test_a_file_of_another_user_is_never_made(
    tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel refuses that by fs.protected_regular, unless O_EXCL is said."""
    really = os.open

    def protected(
        path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        if flags & os.O_CREAT and not flags & os.O_EXCL:
            raise PermissionError(13, "Permission denied")
        return really(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", protected)
    assert leased(tmp / "leases")
    assert leased(tmp / "leases")


def test_the_umask_stays(tmp: Path) -> None:
    before = os.umask(0o027)
    try:
        assert leased(tmp / "leases")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
