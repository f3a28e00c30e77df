"""Several runs in one harness folder, whose files the real harness writes over."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.lab.driver import (
    FAKE,
    OUTER,
    UUIDS,
    Files,
    Lab,
    arguments_of,
    ini_of,
)
from tests.lab.processes import until

# From writing a user.conf to LoadGen's reading it.
CONF: dict[str, Any] = {"conf": True}
SLOW = {"*": {**CONF, "before": 0.3}}
TIMES = 20


@pytest.fixture
def shared(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab whose harness folder is its own, so that it may be written into."""
    lab.harness = tmp_path_factory.mktemp("closed") / "org"
    shutil.copytree(FAKE, lab.harness)
    lab.fake(**SLOW)
    return lab


def start(
    lab: Lab, name: str, devices: list[str], *options: str
) -> subprocess.Popen[str]:
    """Start a pytest session of its own, with results in a folder of its own."""
    folder = lab.folder / name
    folder.mkdir(exist_ok=True)
    (folder / "pytest.ini").write_text("\n".join(ini_of()))
    shutil.copy(lab.folder / "test_run.py", folder)
    use = [f"--mig-suite={lab.suite}", f"--mig-harness-dir={lab.harness}"]
    use += [f"--mig-devices={','.join(devices)}"] if devices else []
    use += [*arguments_of(0), f"--mig-lease-dir={lab.folder / 'leases'}"]
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *use, *options],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={k: v for k, v in os.environ.items() if k not in OUTER[1:]},
    )


def end(session: subprocess.Popen[str]) -> str:
    printed, _ = session.communicate(timeout=120)
    assert session.returncode == 0, printed
    return printed


def durations(folder: Path) -> set[tuple[str, int]]:
    """Return by role the min_duration that LoadGen ran with, in ms."""
    return {
        (
            each["role"].rpartition("-")[2],
            each["loadgen"]["settings"]["min_duration_ms"],
        )
        for record in Files(folder).records
        for each in record["harnesses"]
    }


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [1, 2])
def test_two_sessions_in_one_folder_do_not_mix(
    shared: Lab, monkeypatch: pytest.MonkeyPatch, nodes: int
) -> None:
    """Main bert of one, background bert of the other: one user.conf for both."""
    many = f"--mig-repeat={TIMES}"
    apart: list[list[str]] = [[], []]
    if nodes == 2:
        monkeypatch.setenv("SLURM_JOB_ID", "15")
        apart = [[f"--mig-lease-dir={shared.folder / name}"] for name in ("n1", "n2")]
    ours = ("-k", "bert_offline", "--background-benchmarks=dlrm,resnet50", many)
    theirs = ("-k", "dlrm_server", "--background-benchmarks=bert,resnet50", many)
    short = "--main-benchmark-duration=700ms"
    sessions = [
        start(shared, "one", UUIDS[:3], *ours, short, *apart[0]),
        start(shared, "two", UUIDS[3:6], *theirs, *apart[1]),
    ]
    with ThreadPoolExecutor() as pool:
        list(pool.map(end, sessions))
    one, two = durations(shared.folder / "one"), durations(shared.folder / "two")
    assert one == {("main", 700), ("dlrm", 8000), ("resnet50", 8000)}
    assert two == {("main", 300), ("bert", 8000), ("resnet50", 8000)}
    assert len(Files(shared.folder / "one").records) == TIMES


def test_who_waits_for_the_folder_says_for_whom_and_starts_no_clock(
    shared: Lab,
) -> None:
    # Longer than a busy machine takes to start the second, and than that one's buffer.
    shared.fake(**{"*": CONF, "bert": {**CONF, "load": 8}})
    first = start(
        shared,
        "one",
        UUIDS[:3],
        "-k",
        "dlrm_server",
        "--main-benchmark-duration=1s",
        "--background-benchmark-duration=15s",
    )
    until(lambda: any(shared.folder.glob("one/results/*/background-1-bert/logs/f*")))
    shared.fake(**{"*": CONF})
    second = start(
        shared,
        "two",
        UUIDS[3:6],
        *("-k", "dlrm_server", "--start-time-buffer=5s"),
        "--background-benchmark-duration=15s",
    )
    printed = end(second)
    end(first)
    said = f"waits for a harness folder: {shared.harness} is used by pid {first.pid} of"
    assert said in printed


def test_own_backgrounds_still_start_together(shared: Lab) -> None:
    report = shared.run()
    report.result.assert_outcomes(passed=1)
    first, second = (each["at"] for each in report.launches("background"))
    assert second - first < 0.3


def test_an_audit_config_of_another_run_reaches_nobody(shared: Lab) -> None:
    """Who launches while an audit is under way waits for its end."""
    audit = start(
        shared,
        "one",
        UUIDS[:3],
        *("-k", "dlrm_server", "--main-action=run_audit_test01"),
        *("--main-benchmark-duration=9s", "--background-benchmark-duration=18s"),
    )
    until((shared.harness / "audit.config").exists)
    other = start(shared, "two", UUIDS[3:6], "-k", "dlrm_offline")
    assert f"is used by pid {audit.pid} of" in end(other)
    end(audit)
    (record,) = Files(shared.folder / "one").records
    done = record["harnesses"][0]["exited"]
    begun = [e["launched"] for e in Files(shared.folder / "two").record["harnesses"]]
    assert min(begun) > done


def test_an_audit_config_that_lies_about_fails_a_main_that_is_no_audit(
    shared: Lab,
) -> None:
    shared.pytester.makepyfile(
        test_run=f"""
        import threading, time
        from pathlib import Path

        FOLDER = Path({str(shared.harness)!r})
        LAUNCHED = FOLDER / "measurements" / "fake_system" / "dlrm" / "Server"

        def lay():
            while not (LAUNCHED / "user.conf").exists():
                time.sleep(0.01)
            (FOLDER / "audit.config").write_text("*.*.mode = 2")

        def test_heterogeneous(background, main):
            threading.Thread(target=lay).start()
            main.run()
        """
    )
    shared.fake(**{"*": CONF, "dlrm": {**CONF, "before": 1}})
    report = shared.run("--background-benchmark-duration=15s")
    report.result.assert_outcomes(failed=1)
    assert "an audit.config in its folder" in report.case.problems["failure"]


def test_an_audit_whose_config_is_taken_away_fails(shared: Lab) -> None:
    shared.pytester.makepyfile(
        test_run=f"""
        import threading, time
        from pathlib import Path

        CONFIG = Path({str(shared.harness)!r}, "audit.config")

        def take():
            while not CONFIG.exists():
                time.sleep(0.01)
            CONFIG.unlink()

        def test_heterogeneous(background, main):
            threading.Thread(target=take).start()
            main.run()
        """
    )
    shared.fake(**{"*": CONF, "dlrm": {**CONF, "before": 1}})
    report = shared.run(
        "--background-benchmark-duration=15s", "--main-action=run_audit_test01"
    )
    report.result.assert_outcomes(failed=1)
    assert "no audit.config reached LoadGen" in report.case.problems["failure"]
