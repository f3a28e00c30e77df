"""``mighetero init``: what it writes is run, and what is there is kept."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tomlkit

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.spec.library import load_suite
from pytest_mighetero.spec.lineage import SUITES
from pytest_mighetero.spec.options import BY_KEY
from tests.cli.looked import MIGHETERO
from tests.lab import needs
from tests.lab.driver import UUIDS, Lab

Capture = pytest.CaptureFixture[str]
KINDS = device_kinds()
FILES = ["pytest.ini", "site.toml", "test_heterogeneous.py"]


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return an empty folder, the present one."""
    for path in lab.folder.iterdir():
        path.unlink()
    return lab.folder


def files_in(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in found)


@pytest.mark.parametrize("suite", ["v1.0", "v2.0", "v4.1", "v6.0", "cpu", "services"])
def test_what_it_writes_is_run_by_pytest(folder: Path, lab: Lab, suite: str) -> None:
    assert main(["init", f"--mig-suite={suite}"]) == 0
    assert files_in(folder) == FILES
    devices = [f"--mig-devices={','.join(UUIDS[:3])}", "--main-profile=1g.10gb"]
    if suite == "v1.0":
        devices[0] = (
            f"--mig-devices=MIG-GPU-{UUIDS[0][4:]}/7/0,MIG-GPU-{UUIDS[0][4:]}/8/0"
        )
    told = [] if suite in ("cpu", "services") else devices
    result = lab.pytester.runpytest_inprocess("--dryrun", "-rs", *told)
    assert result.ret == 0, result.stdout.str()
    assert result.parseoutcomes()["skipped"] > 3
    result.stdout.fnmatch_lines(["mighetero: suite site (our site)*", "cd * && *"])


@pytest.mark.parametrize(
    ("option", "kinds"),
    [
        ("", {"heterogeneous"}),
        ("--mig-isolated", {"heterogeneous", "isolated"}),
        ("--mig-tune", {"heterogeneous", "isolated"}),
        ("--mig-interference", {"heterogeneous", "isolated"}),
    ],
)
@pytest.mark.usefixtures("folder")
def test_main_alone_is_measured_where_it_is_asked_for(
    lab: Lab, option: str, kinds: set[str]
) -> None:
    assert main(["init"]) == 0
    words = filter(None, ["--collect-only", "-q", option])
    result = lab.pytester.runpytest_inprocess(*words)
    assert result.ret == 0, result.stdout.str()
    assert set(re.findall(r"::test_(\w+)\[", result.stdout.str())) == kinds


@pytest.mark.slow
@pytest.mark.loadgen
def test_a_real_run_of_it(folder: Path, lab: Lab) -> None:
    needs.module("mlperf_loadgen")
    assert main(["init"]) == 0
    short = ["--main-benchmark-duration=1s", "--background-benchmarks=bert"]
    short += ["--background-benchmark-duration=automatic", "--mig-lease-dir=leases"]
    # Above any machine's rate: LoadGen wants as many queries as take the duration.
    short += ["--main-benchmark-runargs=--offline_expected_qps=5000"]
    result = lab.pytester.runpytest_inprocess("-k", "dlrm_offline", *short)
    result.assert_outcomes(passed=1)
    assert list(folder.glob("results/*-dlrm_offline/record.json"))


@pytest.mark.usefixtures("folder")
def test_folders_in_one_another_are_collected_together(lab: Lab) -> None:
    assert [main(["init", *where]) for where in ([], ["mig"], ["mig/deep"])] == [0] * 3
    result = lab.pytester.runpytest_inprocess("--collect-only", "-q", "-k", "dlrm_serv")
    test = "test_heterogeneous.py::test_heterogeneous[[]dlrm_server]"
    result.stdout.fnmatch_lines_random([f"mig/deep/{test}", f"mig/{test}", test])


def test_nothing_is_overwritten(folder: Path, capsys: Capture) -> None:
    mine = {"site.toml": 'extends = "v2.0"', "test_heterogeneous.py": "mine"}
    mine[".gitlab-ci.yml"] = "mighetero doctor"
    for name, text in mine.items():
        (folder / name).write_text(text)
    elsewhere = folder / "elsewhere"
    (folder / "pytest.ini").symlink_to(elsewhere)  # to nothing
    assert main(["init", "--ci=gitlab"]) == 0
    assert {name: (folder / name).read_text() for name in mine} == mine
    assert files_in(folder) == sorted(mine)
    assert not elsewhere.exists()
    assert capsys.readouterr().out.count("kept ") == 4


def test_run_again_it_adds_what_is_missing(folder: Path, capsys: Capture) -> None:
    assert main(["init"]) == 0
    (folder / "site.toml").unlink()
    capsys.readouterr()
    assert main(["init", "--mig-suite=v2.0"]) == 0
    out = capsys.readouterr().out
    assert f"wrote  {folder}/site.toml\n" in out
    assert (out.count("wrote "), out.count("kept ")) == (1, 2)
    assert 'extends = "v2.0"' in (folder / "site.toml").read_text()


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("pyproject.toml", "[tool.pytest.ini_options]"),
        ("setup.cfg", "[tool:pytest]"),
        ("tox.ini", "[pytest]"),
        ("pytest.ini", "[pytest]"),
    ],
)
def test_what_configures_pytest_already_is_to_be_added_to(
    folder: Path, lab: Lab, capsys: Capture, name: str, table: str
) -> None:
    mine = folder / name
    needs = 'minversion = "8"' if name.endswith("toml") else "minversion = 8"
    mine.write_text(f"{table}\n{needs}\n")
    assert main(["init"]) == 0
    said, *lines = capsys.readouterr().out.splitlines()[2:5]
    assert said == f"kept   {mine}, which configures pytest; have its {table} say:"
    assert (folder / "pytest.ini").exists() == (name == "pytest.ini")
    told = "".join(f"{line.strip()}\n" for line in lines)
    mine.write_text(f"{mine.read_text()}{told}")
    result = lab.pytester.runpytest_inprocess("--dryrun", "-k", "dlrm_server")
    result.assert_outcomes(skipped=1, deselected=23)
    result.stdout.fnmatch_lines([f"configfile: {name}"])
    result.stdout.fnmatch_lines(["mighetero: suite site *"])
    assert main(["init"]) == 0
    assert (
        f"kept   {mine}, which names the suite site.toml\n" in capsys.readouterr().out
    )
    assert main(["init", "mig"]) == 0
    words = ["--collect-only", "-q", "-k", "dlrm_server"]
    result = lab.pytester.runpytest_inprocess(*words)
    assert result.ret == 0
    test = "test_heterogeneous.py::test_heterogeneous[[]dlrm_server]"
    result.stdout.fnmatch_lines_random([f"mig/{test}", test])


def test_a_pyproject_without_a_word_on_pytest_is_no_such_file(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n")
    assert main(["init"]) == 0
    assert (folder / "pytest.ini").exists()


def uncommented(text: str, pattern: str) -> str:
    return re.sub(rf"^# ({pattern})", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", sorted(path.stem for path in SUITES.glob("*.toml")))
def test_what_its_comments_propose_is_understood(
    folder: Path, lab: Lab, name: str
) -> None:
    assert main(["init", f"--mig-suite={name}"]) == 0
    site = folder / "site.toml"
    site.write_text(uncommented(site.read_text(), r'\[|[\w".-]+ = '))
    said, suite = tomlkit.parse(site.read_text()), load_suite(name, folder, KINDS)
    ((version, targets),) = said["targets"]["1g.10gb"].items()
    ((benchmark, (scenario,)),) = said["profiles"]["1g.10gb"].items()
    assert targets == {benchmark: {scenario: 30000}}
    assert version == (suite.benchmarks[benchmark].config_ver or "default")
    assert ("harness" in said) == suite.harness_of(benchmark).makes
    words = ["--collect-only", "-q", "-k", f"{benchmark}_{scenario}"]
    result = lab.pytester.runpytest_inprocess(*words)
    pair = f"*::test_heterogeneous[[]{benchmark}_{scenario}[]]"
    result.stdout.fnmatch_lines([pair])


def test_what_the_comments_of_its_ini_file_propose_is_known(folder: Path) -> None:
    assert main(["init"]) == 0
    text = (folder / "pytest.ini").read_text()
    proposed = re.findall(r"^# (mig_\w+|\w+_dir) = ", text, re.MULTILINE)
    assert len(proposed) == 4
    assert set(proposed) <= set(BY_KEY)


def test_a_suite_of_ones_own_is_extended(folder: Path) -> None:
    (folder / "base.toml").write_text('extends = "cpu"\ndescription = "ours"\n')
    assert main(["init", "deep/er", "--mig-suite=base.toml"]) == 0
    suite = load_suite("deep/er/site.toml", folder, device_kinds())
    assert suite.extends == str(folder / "base.toml")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--mig-suite=v9"], "mighetero init: --mig-suite: no suite 'v9': "),
        (["--ci=travis"], "invalid choice: 'travis'"),
        (["file/x"], "file"),
        (["a folder", "--ci=github"], "--ci: a job cannot name 'a folder' as it is"),
    ],
)
def test_wrong_use_writes_nothing(
    folder: Path, capsys: Capture, words: list[str], says: str
) -> None:
    (folder / "file").touch()
    (folder / ".git").mkdir()
    assert main(["init", *words]) == 2
    assert files_in(folder) == ["file"]
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("sink", ["| head -1", "| true", ">&-", ">/dev/full"])
def test_all_is_written_though_nobody_reads_what_is_said(
    folder: Path, sink: str
) -> None:
    init = f"PYTHONUNBUFFERED=1 {' '.join(MIGHETERO)} init {sink}"
    subprocess.run(["sh", "-c", init], capture_output=True, check=False)
    assert files_in(folder) == FILES


SMALL = 'mount -t tmpfs -o size=8k none . && cd "$PWD" && "$@"; echo $?; ls -A'


def test_a_full_disk_leaves_no_half_of_a_file(folder: Path) -> None:
    if not shutil.which("unshare"):
        pytest.skip("no unshare to mount with")
    words = ["unshare", "--mount", "sh", "-c", SMALL, "sh"]
    words += [sys.executable, "-m", "pytest_mighetero.cli", "init"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "mount" in done.stderr:
        pytest.skip("no small file system can be mounted here")
    told = [f"wrote  {folder / name}" for name in reversed(FILES[1:])]
    assert done.stdout.splitlines() == [*told, "2", *FILES[1:]]
    assert "No space left on device; name a folder" in done.stderr
