"""``mighetero doctor`` on the machine: tools, disk, limits, and what pytest is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.cli.doctor import cgroup, leases
from pytest_mighetero.devices import mount
from pytest_mighetero.devices.launch_lock import lock_places
from pytest_mighetero.devices.lease import Lease, myself, take
from tests.lab.driver import FAKE, UUIDS
from tests.plan.test_durations import config

DOCTOR = [sys.executable, "-m", "pytest_mighetero.cli", "doctor"]
CPU = ["--mig-suite=cpu", "--mig-lease-dir=leases"]
LISTED = [f"--mig-suite={FAKE / 'fake.toml'}", f"--mig-devices={','.join(UUIDS[:3])}"]
RAW = 'import os; os.write(1, b"raw"); os.write(2, b"raw")'
Found = dict[str, list[tuple[str, str]]]


def look(
    folder: Path,
    *options: str,
    before: Sequence[str] = (),
    preexec: Callable[[], None] | None = None,
    **environment: str,
) -> tuple[int, Found]:
    """Return the exit code, and by what they are about states and sentences."""
    done = subprocess.run(
        [*before, *DOCTOR, "--json", *options],
        capture_output=True,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
        preexec_fn=preexec,
        text=True,
    )
    assert not done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    found: Found = {}
    for each in document["findings"]:
        said = "; ".join(filter(None, (each["says"], each["do"])))
        found.setdefault(each["about"], []).append((each["state"], said))
    assert document["ok"] == (done.returncode == 0)
    return done.returncode, found


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


# What pytest is told.


@pytest.mark.parametrize("strict", [False, True])
def test_the_ini_file_decides_what_is_needed(here: Path, strict: bool) -> None:
    site = here / "site"
    site.mkdir()
    (site / "own.toml").write_text('extends = "cpu"\n')
    lines = ["[pytest]", "mig_suite = own.toml", "results_dir = kept"]
    lines += ["filterwarnings = error"] * strict
    (site / "pytest.ini").write_text("\n".join(lines))
    for folder, words in ((site, []), (here, ["site"])):
        code, found = look(folder, *words, "--mig-lease-dir=leases")
        assert code == 0
        assert found["options"][0][1].startswith(f"suite own ({site / 'own.toml'}), ")
        assert found["disk"][0][1].endswith(f" free for {site / 'kept'}")
        assert found["driver"] == [("unneeded", "suite own uses no GPU")]
    _, found = look(site, "--mig-suite=services")
    assert found["options"][0][1].startswith("suite services ")
    assert sorted(path.name for path in site.iterdir()) == ["own.toml", "pytest.ini"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("mig_suite = nowhere", "no suite 'nowhere': "),
        (
            "mig_harness_dir = gone",
            "gone is no folder; expected the closed/<org> folder",
        ),
        ("settle_time = soon", "settle_time in pytest.ini: expected a duration like"),
        ("addopts = --no-such", "pytest does not start (exit code 4): ERROR: usage: "),
        ("addopts = -p no:mighetero", "pytest does not load the plugin: -p no:mig"),
    ],
)
def test_what_cannot_be_meant_is_a_finding(here: Path, line: str, says: str) -> None:
    (here / "pytest.ini").write_text(f"[pytest]\n{line}\n")
    code, found = look(here)
    [(state, said)] = found["options"]
    assert (code, state) == (1, "bad")
    assert says in said
    assert {"disk", "cores", "memory"} <= {*found}


def test_a_plugin_that_is_not_loaded(here: Path) -> None:
    code, found = look(here, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert code == 1
    assert "or say -p pytest_mighetero.plugin" in found["options"][0][1]
    addopts = "-p pytest_mighetero.plugin"
    off = "1"
    code, _ = look(
        here, *CPU, PYTEST_DISABLE_PLUGIN_AUTOLOAD=off, PYTEST_ADDOPTS=addopts
    )
    assert code == 0


@pytest.mark.parametrize(
    ("conftest", "code"),
    [("raise SystemExit(3)", 1), ("import no_such", 1), ("print(1)", 0), (RAW, 0)],
)
def test_what_a_conftest_does(here: Path, conftest: str, code: int) -> None:
    (here / "conftest.py").write_text(conftest)
    ended, found = look(here, *CPU)  # and its output is one JSON document
    assert (ended, len(found["options"])) == (code, 1)
    assert ("pytest does not start" in found["options"][0][1]) == (code == 1)


def test_wrong_use(here: Path) -> None:
    done = subprocess.run(
        [*DOCTOR, "gone"], capture_output=True, check=False, cwd=here, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mighetero doctor: gone: no such folder\n"


# Tools.


def test_the_embedded_harness(here: Path) -> None:
    pytest.importorskip("mlperf_loadgen", reason="extra 'cpu' is not installed")
    code, found = look(here, *CPU)
    assert code == 0
    [(state, said)] = found["LoadGen"]
    assert state == "ok"
    assert ", with NumPy " in said
    assert found["make"][0][1].startswith("GNU Make ")
    assert found["suite"][0][1].startswith("21 of suite cpu's 21 pairs run here: ")


def test_a_loadgen_that_cannot_be_imported(here: Path) -> None:
    message = "libstdc++.so.6: version `GLIBCXX_3.4.32' not found"
    text = f"raise ImportError({message!r})"
    (here / "mlperf_loadgen.py").write_text(text)
    code, found = look(here, *CPU, PYTHONPATH=str(here))
    assert (code, found["LoadGen"][0][0]) == (1, "bad")
    assert message in found["LoadGen"][0][1]
    assert found["suite"][0] == ("bad", "none of suite cpu's 21 pairs runs here")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (None, "make is not on PATH; Debian's package make brings it"),
        ("#!/bin/sh\necho bmake; exit 1\n", "make is no GNU make: exit code 1; put"),
        ("no program", "make is no GNU make: "),
    ],
)
def test_make(here: Path, make: str | None, says: str) -> None:
    path = here / "bin"
    path.mkdir()
    if make is not None:
        (path / "make").write_text(make)
        (path / "make").chmod(0o755)
    code, found = look(here, *CPU, PATH=str(path))
    assert code == 1
    assert found["make"][0][0] == "bad"
    assert says in found["make"][0][1]
    assert found["suite"][0][0] == "bad"


def test_the_harness_folder(here: Path) -> None:
    folder = here / "closed"
    (folder / "src").mkdir(parents=True)
    words = [*LISTED, f"--mig-harness-dir={folder}", "--mig-lease-dir=leases"]
    code, found = look(here, *words)
    assert (code, found["harness"][0][0]) == (1, "bad")
    assert f"No Makefile in {folder}: expected" in found["harness"][0][1]
    (folder / "src" / "Makefile").touch()
    code, found = look(here, *words)
    assert code == 0
    assert found["harness"] == [("ok", f"{folder / 'src'} has a Makefile")]
    assert found["LoadGen"][0][0] == "warning"
    loadgen = folder / "build" / "inference" / "loadgen"
    loadgen.mkdir(parents=True)
    (loadgen / "VERSION.txt").write_text("4.1.2\x1b[2J\n")
    (folder / "src" / "audit.config").touch()
    code, found = look(here, *words)
    assert code == 1
    assert "audit.config is there, which LoadGen lets" in found["harness"][0][1]
    [(state, said)] = found["LoadGen"]
    assert (state, said.startswith("the harness's own 4.1.2")) == ("ok", True)


def test_programs_of_commands(here: Path) -> None:
    (here / "own.toml").write_text(
        'devices = "cpu"\n[harness]\ncommand = ["no-such-program"]\nreader = "json"\n'
        "result = { tool = 'x', unit = 'ops/s', value = 'a', issuing = 'x' }\n"
        '[benchmarks]\nown = { scenarios = ["offline"] }\n'
    )
    code, found = look(here, "--mig-suite=own.toml", "--background-benchmarks=none")
    assert code == 1
    assert found["harness"] == [("bad", "no-such-program is not on PATH; install it")]
    assert found["make"][0][0] == found["LoadGen"][0][0] == "unneeded"


def test_programs_of_some_harnesses(here: Path) -> None:
    programs = here / "bin"
    programs.mkdir()
    for name in ("fio", "sysbench"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    code, found = look(here, "--mig-suite=services", PATH=str(programs))
    assert code == 0
    assert found["harness"][0] == ("ok", "fio: fio")
    wrk = "nginx: wrk is not on PATH; Debian's package wrk brings it"
    assert ("warning", wrk) in found["harness"]
    assert found["suite"][0][1].startswith(
        "5 of suite services's 7 pairs run here: fio_offline, fio_server, sysbench-"
    )
    shutil.rmtree(programs)
    code, found = look(here, "--mig-suite=services", PATH=str(programs))
    assert (code, {state for state, _ in found["harness"]}) == (1, {"bad"})


@pytest.mark.parametrize("job", [{}, {"SLURM_JOB_ID": "15"}], ids=["host", "slurm"])
def test_who_launches_in_the_harness_folder(
    here: Path, monkeypatch: pytest.MonkeyPatch, job: dict[str, str]
) -> None:
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    harness = shutil.copytree(FAKE, here / "harness")
    place, first = lock_places(here / "leases", harness)[-1]
    assert (place.parent == harness) == bool(job)
    held = take(place, [first, f"{first}-dlrm_server"], myself("test_it"), [first])
    assert isinstance(held, Lease)
    words = [*LISTED, f"--mig-harness-dir={harness}", "--mig-lease-dir=leases"]
    code, found = look(here, *words)
    state, said = found["leases"][-1]
    assert (code, state) == (0, "warning")
    assert said.startswith(f"in {harness} launches pid {os.getpid()} of ")
    held.close()
    after = look(here, *words)[1]["leases"]
    assert not [said for _, said in after if " launches " in said]


def test_locks_in_a_harness_folder_that_other_nodes_do_not_see(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = FAKE.stat().st_dev
    table = here / "mountinfo"
    numbers = f"{os.major(device)}:{os.minor(device)}"
    table.write_text(f"36 35 {numbers} / /a rw - nfs h:/a rw,nolock\n")
    monkeypatch.setattr(mount, "_TABLE", table)
    told = {"mig_harness_dir": str(FAKE), "mig_lease_dir": str(here / "leases")}
    spec = config(mig_suite=str(FAKE / "fake.toml"), **told)
    assert "bad" not in {each.state for each in leases.findings(spec, ())}
    monkeypatch.setenv("SLURM_JOB_ID", "15")
    *_, found = leases.findings(spec, ())
    assert found.state == "bad"
    assert f"{FAKE}, whose user.conf they write over: its nfs is mounted" in found.says
    assert "or a copy of the folder on the node's own disk" in found.says


# What another user may not touch: root's own right to it is given up.
BOUND = "--bounding-set=-dac_override,-dac_read_search"


def test_what_this_user_may_not_touch(here: Path) -> None:
    tried = [shutil.which("setpriv") or "false", BOUND, "true"]
    if os.geteuid() or subprocess.run(tried, check=False).returncode:
        pytest.skip("only root can give up a right here, with setpriv")
    for name, mode in (("closed", 0o555), ("kept", 0o555), ("theirs", 0o000)):
        (here / name).mkdir()
        (here / name / "Makefile").touch()
        (here / name).chmod(mode)
    where = {"results-dir": "kept/results", "mig-lease-dir": "theirs/leases"}
    words = [f"--{name}={here / folder}" for name, folder in where.items()]
    before = ["setpriv", BOUND]
    code, found = look(
        here, *LISTED, *words, f"--mig-harness-dir={here / 'closed'}", before=before
    )
    assert code == 1
    for about, says in (
        ("harness", "cannot be written to, and the harness does that; run as a user"),
        ("disk", "/kept/results cannot be written to; name another folder"),
        ("leases", "theirs/leases cannot be opened: Permission denied; have all who"),
    ):
        assert [(state, says in said) for state, said in found[about]] == [
            ("bad", True)
        ]


# Disk and limits.

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
