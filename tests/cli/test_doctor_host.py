"""``mighetero doctor`` on the machine: disk, and limits of cgroups and ulimits."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.cli.doctor import cgroup, host
from tests.cli.looked import CPU, LISTED, look
from tests.lab.driver import FAKE


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


MOUNTED = 'mount -t tmpfs -o "$1" none results || exit 77; shift; exec "$@"'


@pytest.mark.parametrize(
    ("options", "state", "says"),
    [
        ("size=4m", "bad", "4 MiB free for "),
        ("size=1g", "warning", "1.0 GiB free for "),
        ("size=4g,nr_inodes=100", "warning", "room for 99 more files in "),
        ("size=4g,ro", "bad", "results cannot be written to; name another"),
        ("size=4g", "ok", "4.0 GiB free for "),
    ],
)
def test_the_disk(here: Path, options: str, state: str, says: str) -> None:
    if not shutil.which("unshare"):
        pytest.skip("no unshare to mount with")
    (here / "results").mkdir()
    before = ["unshare", "--mount", "sh", "-c", MOUNTED, "sh", options]
    tried = subprocess.run([*before, "true"], check=False, cwd=here)
    if tried.returncode:
        pytest.skip("no file system can be mounted here")
    code, found = look(here, *CPU, before=before)
    [(was, said)] = found["disk"]
    assert (was, says in said) == (state, True), said
    assert code == (1 if state == "bad" else 0)


def test_few_open_files(here: Path) -> None:
    before = ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh"]
    _, found = look(here, *CPU, before=before)
    [(state, said)] = found["open files"]
    assert state == "warning"
    assert said.startswith("200 for each process; raise it: ulimit -n 1024")


def test_fewer_cores_than_harnesses(here: Path) -> None:
    core = min(os.sched_getaffinity(0))
    words = [*LISTED, f"--mig-harness-dir={FAKE}"]
    _, found = look(here, *words, before=["taskset", "--cpu-list", str(core)])
    [(state, said)] = found["cores"]
    assert state == "warning"
    assert said.startswith("1 core, for 3 harnesses; give each one: --cpus")
    _, found = look(here, *CPU, before=["taskset", "--cpu-list", str(core)])
    assert found["cores"] == [("ok", "1 core")]


CGROUPS = Path("/sys/fs/cgroup")


@contextmanager
def limited(controller: str, file: str, limit: str) -> Iterator[Path]:
    """Make a cgroup with a limit, and skip where nobody may."""
    folders = [CGROUPS / controller, CGROUPS]  # version 1, version 2
    found = [each for each in folders if (each / "cgroup.procs").exists()]
    if not found:
        pytest.skip("there are no cgroups here")
    folder = found[0] / f"mighetero-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("no cgroup can be made here")
    try:
        if not (folder / file).exists():
            pytest.skip(f"cgroups have no controller {controller} here")
        (folder / file).write_text(limit)
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a cgroup as soon as the kernel has let go of what ended in it."""
    end = time.monotonic() + 30
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


@pytest.mark.parametrize(
    ("most", "state"), [("30", "bad"), ("400", "warning"), ("4000", "ok")]
)
def test_a_limit_on_processes(here: Path, most: str, state: str) -> None:
    with limited("pids", "pids.max", most) as folder:

        def enter() -> None:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

        code, found = look(here, *CPU, preexec=enter)
    [(was, said)] = found["processes"]
    assert (was, code) == (state, 1 if state == "bad" else 0)
    left = int(said.split()[0])
    assert int(most) - 10 <= left < int(most)


V2 = "29 23 0:26 {root} {mount} rw,nosuid - cgroup2 cgroup rw,nsdelegate\n"
V1 = "30 23 0:27 {root} {mount}/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"


def test_the_narrowest_limit_of_cgroups_above_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "cg" / "system.slice" / "job"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("max 100000\n")
    (inner.parent / "cpu.max").write_text("250000 100000\n")
    (inner / "memory.max").write_text("max\n")
    (inner.parent / "memory.max").write_text("1073741824\n")
    (inner / "pids.max").write_text("500\n")
    (inner / "pids.current").write_text("7\n")
    told = tmp_path / "cgroup"
    told.write_text("0::/system.slice/job\n")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(V2.format(root="/", mount=tmp_path / "cg"))
    monkeypatch.setattr(cgroup, "_CGROUPS", told)
    monkeypatch.setattr(cgroup, "_MOUNTS", mounts)
    found = cgroup.cgroup_limits()
    assert found == cgroup.CgroupLimits(2.5, 1 << 30, 500, 7)


def test_a_container_without_a_namespace_of_cgroups_of_version_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cpu,cpuacct"
    folder.mkdir()
    (folder / "cpu.cfs_quota_us").write_text("150000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    told = tmp_path / "cgroup"
    told.write_text("4:cpu,cpuacct:/docker/0a1b\n1:name=systemd:/docker/0a1b\n")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(V1.format(root="/docker/0a1b", mount=tmp_path))
    monkeypatch.setattr(cgroup, "_CGROUPS", told)
    monkeypatch.setattr(cgroup, "_MOUNTS", mounts)
    assert cgroup.cgroup_limits() == cgroup.CgroupLimits(cpus=1.5)
    (folder / "cpu.cfs_quota_us").write_text("-1\n")
    assert cgroup.cgroup_limits() == cgroup.CgroupLimits()


def test_a_look_that_fails_ends_no_other(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    governor = here / "cpu0" / "cpufreq" / "scaling_governor"
    governor.mkdir(parents=True)  # no file, as a core that goes offline has none
    monkeypatch.chdir(here)
    monkeypatch.setattr(host, "_CPUS", here)
    assert main(["doctor", "--mig-suite=nowhere"]) == 1
    out = capsys.readouterr().out
    assert f"bad      clock          {governor} cannot be looked into: Is a dir" in out
    assert "cores  " in out
