"""``mighetero doctor`` on harness, make, LoadGen, programs and launches."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pytest_mighetero.cli.doctor import leases
from pytest_mighetero.devices import mount
from pytest_mighetero.devices.launch_lock import lock_places
from pytest_mighetero.devices.lease import Lease, myself, take
from tests.cli.looked import CPU, LISTED, look
from tests.lab import needs
from tests.lab.driver import FAKE
from tests.lab.processes import alive, until
from tests.plan.test_durations import config


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


def test_the_embedded_harness(here: Path) -> None:
    needs.module("mlperf_loadgen")
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("wait", "bad: {} is no GNU make: it says nothing in 10 s; put one before it"),
        ("echo GNU Make 4.3", "ok: GNU Make 4.3 ({})"),
    ],
)
def test_a_make_that_hangs(here: Path, does: str, says: str) -> None:
    make = here / "bin" / "make"
    make.parent.mkdir()
    make.write_text(f"#!/bin/sh\n/bin/sleep 300 &\necho $! > {here}/pid\n{does}\n")
    make.chmod(0o755)
    _, found = look(here, *CPU, PATH=str(make.parent))
    assert [": ".join(each) for each in found["make"]] == [says.format(make)]
    left = int((here / "pid").read_text())
    until(lambda: not alive(left))


def test_the_harness_folder(here: Path) -> None:
    folder = here / "closed"
    (folder / "src").mkdir(parents=True)
    words = [*LISTED, f"--mig-harness-dir={folder}", "--mig-lease-dir=leases"]
    code, found = look(here, *words)
    assert (code, found["harness"][0][0]) == (1, "bad")
    assert f"no Makefile in {folder}: expected" in found["harness"][0][1]
    (folder / "src" / "Makefile").write_text("run_harness:\n")
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


@pytest.mark.parametrize(
    ("makefile", "lacks"),
    [
        ("all:\n\techo run_harness\n# run_harness: not here\n", "run_harness"),
        ("", "run_harness"),
        ("run_harness:\n", ""),
        (".PHONY: build run_harness\n", ""),
        ("-include Makefile.build\n", ""),
        ("run_%:\n\techo $*\n", ""),
        ("$(eval $(call targets))\n", ""),
    ],
)
def test_a_makefile_without_the_target(here: Path, makefile: str, lacks: str) -> None:
    (here / "Makefile").write_text(makefile)
    code, found = look(here, *LISTED, "--mig-lease-dir=leases")
    [(state, said)] = found["harness"]
    assert (code, state) == (0, "warning" if lacks else "ok")
    assert (f" names no target {lacks}; name the closed/<org>" in said) == bool(lacks)


def test_a_makefile_without_an_audits_target(here: Path) -> None:
    (here / "Makefile").write_text("run_harness:\n")
    (here / "pytest.ini").write_text("[pytest]\nmain_action = run_audit_test01\n")
    _, found = look(here, *LISTED, "--mig-lease-dir=leases")
    assert "no target run_audit_test01; name" in found["harness"][0][1]


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
    text = (here / "own.toml").read_text().replace("no-such-program", "true")
    text = text.replace("[harness]", "[harness]\nfolder = '/gone'")
    (here / "own.toml").write_text(text)
    code, found = look(here, "--mig-suite=own.toml", "--background-benchmarks=none")
    assert code == 1
    said = f"{here}/own.toml: harness.folder: /gone is no folder"
    assert found["harness"][1:] == [("bad", said)]


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
