"""``mighetero export``: main's logs to where a submitter's scripts look."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from pytest_mighetero.cli.__main__ import main
from pytest_mighetero.cli.handover import RefusedError, copy
from tests.lab.driver import FAKE, Lab, Report

Capture = pytest.CaptureFixture[str]
ALONE = "--background-benchmarks=none"
SERVER = "fake_system/dlrm/Server"
PASSED = "Accuracy = 76.4, Threshold = 75.7. Accuracy test PASSED."


@pytest.fixture
def closed(lab: Lab, tmp_path: Path) -> Path:
    """The lab's harness folder, with the script of ``make update_results``."""
    lab.harness = tmp_path / "closed" / "org"
    shutil.copytree(FAKE, lab.harness)
    (lab.harness / "scripts").mkdir()
    (lab.harness / "scripts" / "update_results.py").touch()
    return lab.harness


def found(closed: Path) -> dict[str, list[str]]:
    """Return by kind where ``update_results`` sees logs, as the script of v2.0 does."""
    kinds: dict[str, list[str]] = {}
    for path in sorted(closed.glob("build/logs/**/mlperf_log_accuracy.json")):
        kind = "accuracy" if path.stat().st_size > 4 else "performance"
        kinds.setdefault(kind, []).append("/".join(path.parts[-4:-1]))
    return kinds


def measured(lab: Lab, *options: str, **behaviour: Any) -> Report:
    lab.fake(dlrm=behaviour)
    report = lab.run(*options)
    report.result.assert_outcomes(passed=1)
    return report


def runs(lab: Lab) -> list[Path]:
    return sorted(path.parent for path in lab.folder.glob("results/*/record.json"))


def exported(capsys: Capture, *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["export", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_mains_logs_and_no_backgrounds_are_handed_over(
    lab: Lab, closed: Path, capsys: Capture
) -> None:
    measured(lab)
    measured(lab, ALONE, "--main-benchmark-runargs=--test_mode=AccuracyOnly",
             accuracy=PASSED)  # fmt: skip
    first, second = runs(lab)
    code, out, err = exported(capsys, str(first))
    assert code == 0
    assert "has no accuracy run of fake_system/dlrm/Server yet (--test_mode=Acc" in err
    assert exported(capsys, str(second))[::2] == (0, "")
    assert found(closed) == {"performance": [SERVER], "accuracy": [SERVER]}
    target = closed / "build" / "logs" / first.name
    assert str(target) in out
    assert "393.025 samples/s" in out
    logs = first / "main" / "logs"
    for name in ("detail.txt", "summary.txt", "accuracy.json"):
        own, copy = (x / SERVER / f"mlperf_log_{name}" for x in (logs, target))
        assert copy.read_bytes() == own.read_bytes()
        assert copy.stat().st_mtime_ns == own.stat().st_mtime_ns


def test_what_is_there_is_never_overwritten(
    lab: Lab, closed: Path, capsys: Capture
) -> None:
    measured(lab, ALONE)
    words = "results", "--runs=isolated"
    assert exported(capsys, *words)[0] == 0
    code, out, _ = exported(capsys, *words)
    assert (code, out.count("(it was there already)")) == (0, 1)
    (detail,) = closed.glob(f"build/logs/*/{SERVER}/mlperf_log_detail.txt")
    detail.write_text("another run's")
    code, out, err = exported(capsys, *words)
    assert (code, out) == (1, "")
    assert "holds something else: move it away" in err
    assert detail.read_text() == "another run's"


def names_in(table: str) -> list[str]:
    """Return the first column, without its heading."""
    return [line.split()[0] for line in table.splitlines()[1:]]


def test_isolated_runs_are_taken_when_asked_for_and_alone(
    lab: Lab, closed: Path, capsys: Capture
) -> None:
    measured(lab, ALONE)
    measured(lab)
    code, out, err = exported(capsys, "results")
    isolated, heterogeneous = (run.name for run in runs(lab))
    assert (code, names_in(out)) == (1, [heterogeneous])
    assert f"left out results/{isolated}: it is isolated, expected heter" in err
    shutil.rmtree(closed / "build")
    code, out, err = exported(capsys, "results", "--runs=isolated")
    assert (code, names_in(out)) == (1, [isolated])


@pytest.mark.usefixtures("closed")
def test_several_runs_of_a_pair_are_named(lab: Lab, capsys: Capture) -> None:
    """``update_results`` takes the best; of accuracy runs any."""
    measured(lab, ALONE)
    measured(lab, ALONE)
    _, _, err = exported(capsys, "results", "--runs=isolated")
    names = ", ".join(run.name for run in runs(lab))
    assert f"has 2 performance runs of {SERVER}: {names}; update_results" in err
    assert "takes the best VALID one" in err


def test_a_results_folder_that_was_moved(
    lab: Lab, closed: Path, capsys: Capture
) -> None:
    measured(lab, ALONE)
    (lab.folder / "results").rename(lab.folder / "kept")
    away = closed.rename(closed.with_name("moved"))
    code, _, err = exported(capsys, "kept", "--runs=isolated")
    assert code == 1
    assert f"{closed} has no scripts/update_results: name the closed/<org>" in err
    code, _, _ = exported(capsys, "kept", "--runs=isolated", f"--to={away}")
    assert code == 0
    assert found(away) == {"performance": [SERVER]}


@pytest.mark.parametrize("how", ["inside", "linked"])
def test_a_run_is_exported_by_its_own_name(
    lab: Lab,
    closed: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    measured(lab, ALONE)
    (run,) = runs(lab)
    if how == "inside":
        monkeypatch.chdir(run / "main")
    else:
        (lab.folder / "latest").symlink_to(run)
    words = [".." if how == "inside" else "latest", "--runs=isolated"]
    code, out, err = exported(capsys, *words)
    assert (code, f"build/logs/{run.name}" in out) == (0, True), err
    assert [path.name for path in (closed / "build" / "logs").iterdir()] == [run.name]


def test_a_results_folder_where_update_results_looks(
    lab: Lab, closed: Path, capsys: Capture
) -> None:
    measured(lab, ALONE)
    logs = closed / "build" / "logs"
    logs.mkdir(parents=True)
    (lab.folder / "results").rename(logs / "results")
    code, out, err = exported(capsys, str(logs / "results"), "--runs=isolated")
    assert (code, out) == (1, "")
    assert "takes the backgrounds' logs for runs, too: move it out of there" in err


def test_what_an_export_that_was_killed_has_left_is_no_part_of_the_next(
    lab: Lab, closed: Path, capsys: Capture
) -> None:
    measured(lab, ALONE)
    (run,) = runs(lab)
    left = closed / "build" / "logs" / f".{run.name}.partial"
    left.mkdir(parents=True)
    (left / "other").write_text("another run's")
    assert exported(capsys, "results", "--runs=isolated")[0] == 0
    assert not list(closed.glob("build/logs/**/other"))


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(
    ("hidden", "mode"), [("inner", 0o000), ("inner", 0o644), ("inner/file", 0o000)]
)
def test_logs_that_are_hidden_are_not_left_out(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hidden: str,
    mode: int,
    there: bool,
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)  # root's own folders above it are closed to others
    (tmp_path / "logs" / "inner").mkdir(parents=True)
    (tmp_path / "logs" / "inner" / "file").touch()
    if there:
        shutil.copytree("logs", "copied")
    (tmp_path / "logs" / hidden).chmod(mode)
    user = os.geteuid()
    if user == 0:  # root may look anywhere
        os.seteuid(65534)
    try:
        says = "logs/inner(/file)? cannot be read: Permission"
        with pytest.raises(RefusedError, match=says):
            copy(Path("logs"), Path("copied"))
    finally:
        os.seteuid(user)
        (tmp_path / "logs" / "inner").chmod(0o755)
    assert (tmp_path / "copied").exists() == there


def test_names_are_shown_and_not_obeyed(
    lab: Lab, closed: Path, capsys: Capture
) -> None:
    evil = lab.folder / "\x1b[2J"
    measured(lab, ALONE)
    (lab.folder / "results").rename(evil)
    code, out, err = exported(capsys, str(evil), f"--to={closed}")
    assert code == 1
    assert "\x1b" not in out + err
    assert "left out" in err


def spoil(run: Path, how: str) -> None:
    """Do to a good run what must keep it from being handed over."""
    logs, record = run / "main" / "logs", run / "record.json"
    detail = logs / SERVER / "mlperf_log_detail.txt"
    text, data = detail.read_text(), json.loads(record.read_text())
    call = {"outcome": "failed", "text": "Main failed.", "seconds": 1}
    actions: dict[str, Callable[[], object]] = {
        "other figure": lambda: detail.write_text(text.replace("393.025", "493.025")),
        "INVALID": lambda: detail.write_text(text.replace('"VALID"', '"INVALID"')),
        "cut": lambda: detail.write_text(text[: text.index("result_validity")]),
        "gone": lambda: shutil.rmtree(run / "main"),
        "two tests": lambda: shutil.copytree(logs / SERVER, logs / "again"),
        "no accuracy log": (logs / SERVER / "mlperf_log_accuracy.json").unlink,
        "elsewhere": lambda: (logs / SERVER).rename(logs / "Server"),
        "not ended": lambda: data["phases"].pop("teardown"),
        "failed": lambda: data["phases"].update(call=call),
        "overlap": lambda: data["facts"].update(overlap_ok="false"),
        "another tool": lambda: data["facts"].update(validity_by="limits"),
        "system": lambda: (logs / "fake_system").rename(logs / "A100_HeteroMultiUse"),
    }
    actions[how]()
    record.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("other figure", "are not those that its record is of: they say 493.025"),
        ("INVALID", "the result is INVALID"),
        ("cut", "holds no verdict"),
        ("gone", "main's logs are gone"),
        ("two tests", "has logs of 2 tests, expected one"),
        ("no accuracy log", "update_results finds <system>/<benchmark>/<scenario>/"),
        ("elsewhere", "update_results finds <system>/<benchmark>/<scenario>/"),
        ("not ended", "the run did not end"),
        ("failed", "call failed: Main failed"),
        ("overlap", "the backgrounds did not cover main"),
        ("another tool", "its tool is not LoadGen"),
        ("system", "nothing ran beside it, and its logs are of system A100_Hetero"),
    ],
)
def test_a_run_that_is_not_to_be_submitted_is_left_out(
    lab: Lab, closed: Path, capsys: Capture, how: str, says: str
) -> None:
    measured(lab, ALONE)
    spoil(runs(lab)[0], how)
    code, out, err = exported(capsys, "results", "--runs=isolated")
    assert (code, out) == (1, "")
    assert says in err
    assert not (closed / "build").exists()
    failed = exported(capsys, "results", "--runs=isolated", "--failed")
    assert failed[0] == (0 if how in ("not ended", "failed", "overlap") else 1)


def test_a_damaged_record_is_left_out(lab: Lab, closed: Path, capsys: Capture) -> None:
    measured(lab, ALONE)
    (lab.folder / "results" / "damaged").mkdir()
    (lab.folder / "results" / "damaged" / "record.json").write_text("{")
    code, _, err = exported(capsys, "results", "--runs=isolated")
    assert code == 1
    assert "left out results/damaged: results/damaged/record.json is no record" in err
    assert found(closed) == {"performance": [SERVER]}


def test_two_that_copy_one_run_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "logs" / "run"
    source.mkdir()
    for name in "abc":
        (source / name).write_text(name)
    begun, ended = Event(), Event()
    real = shutil.copy2

    def slow(one: Path, other: Path) -> object:
        if not begun.is_set():
            begun.set()
            ended.wait(0.5)  # the second one ends now, unless it waits for its turn
        return real(one, other)

    monkeypatch.setattr(shutil, "copy2", slow)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(copy, source, target)
        assert begun.wait(30)
        second = pool.submit(copy, source, target)
        second.add_done_callback(lambda _: ended.set())
        assert (first.result(), second.result()) == (True, False)
    assert [each.name for each in target.parent.iterdir()] == ["run"]
    assert sorted(each.name for each in target.iterdir()) == ["a", "b", "c"]


def test_a_full_disk_leaves_no_half(
    lab: Lab, closed: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(lab, ALONE)

    def full(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", full)
    code, out, err = exported(capsys, "results", "--runs=isolated")
    assert (code, out) == (1, "")
    assert "cannot be written: No space left on device" in err
    assert not any((closed / "build" / "logs").iterdir())


def test_an_audits_files_go_back_to_where_update_compliance_looks(
    lab: Lab, closed: Path, tmp_path: Path, capsys: Capture
) -> None:
    audits = closed / "build" / "compliance_logs"
    suite = tmp_path / "closed.toml"
    text = (FAKE / "fake.toml").read_text()
    suite.write_text(text.replace("{log_dir}/comp", "build/comp"))
    lab.suite = str(suite)
    test01 = "--main-action=run_audit_test01"
    measured(lab, ALONE, test01, audits_in=str(audits), rate=1)
    code, out, _ = exported(capsys, "results", "--runs=isolated")
    assert (code, out.count("(it was there already)")) == (0, 1)
    (first,) = runs(lab)
    own = first / "main" / "compliance_logs" / "TEST01" / SERVER
    there = audits / "TEST01" / SERVER
    (there / "verify_performance.txt").write_text("TEST PASS of another audit")
    code, _, err = exported(capsys, "results", "--runs=isolated")
    assert code == 1
    assert f"{there} holds something else: move it away" in err
    shutil.rmtree(there)
    assert exported(capsys, "results", "--runs=isolated")[0] == 0
    assert {x.name for x in there.iterdir()} == {x.name for x in own.iterdir()}
    shutil.rmtree(there)
    (own / "verify_performance.txt").write_text("TEST FAIL")
    code, _, err = exported(capsys, "results", "--runs=isolated", "--failed")
    assert code == 1
    assert "TEST01 did not pass" in err
