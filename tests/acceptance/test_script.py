"""The script that a dry run prints, run for real by bash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lab.driver import FAKE, Files, Lab
from tests.lab.processes import until

Printed = Callable[..., Path]
SHORT = "--background-benchmark-duration=2s"


@pytest.fixture
def printed(lab: Lab) -> Printed:
    """Make a dry run and return the file with its script."""

    def make(*options: str, **behaviour: dict[str, Any]) -> Path:
        lab.fake(**behaviour)
        report = lab.run("--dryrun", *options)
        report.result.assert_outcomes(skipped=1)
        lines = report.result.outlines
        begin = lines.index("# test_run.py::test_heterogeneous[dlrm_server]")
        end = next(n for n in range(begin, len(lines)) if lines[n].startswith("===="))
        path = lab.folder / "run.sh"
        path.write_text("\n".join(lines[begin:end]))
        assert not (lab.folder / "results").exists()
        return path

    return make


def run(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(path)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def launched(folder: Path) -> list[str]:
    """Return the benchmarks in the order in which they were launched."""
    found = [json.loads(p.read_text()) for p in folder.rglob("launch.json")]
    found.sort(key=lambda launch: launch["at"])
    return [launch["argv"][1].partition("=")[2] for launch in found]


def test_it_waits_for_every_first_query(lab: Lab, printed: Printed) -> None:
    # bert's marker comes long before its first query.
    options = ["--settle-time=300ms", "--background-benchmark-duration=15s"]
    path = printed(*options, bert={"load": 0.8})
    done = run(path)
    assert done.returncode == 0, done.stderr
    assert launched(lab.folder)[-1] == "dlrm"
    assert set(launched(lab.folder)[:-1]) == {"bert", "resnet50"}
    files = Files(lab.folder)
    (main,) = files.launches()
    (bert,) = files.launches("background-1")
    assert main["at"] - bert["at"] > 0.8 + 0.29
    assert done.stdout.splitlines()[:2] == [
        "bert_offline is ready",
        "resnet50_offline is ready",
    ]
    assert "Finished running actual test." in done.stdout
    assert "Finished" in next(lab.folder.glob("results/*/*bert/output.log")).read_text()


def test_it_waits_out_the_buffer_where_that_is_asked_for(
    lab: Lab, printed: Printed
) -> None:
    waiting = ["--start-time-buffer=4s", "--background-benchmark-duration=15s"]
    assert run(printed("--no-main-benchmark-immediate-start", *waiting)).returncode == 0
    files = Files(lab.folder)
    gap = files.launches()[0]["at"] - files.launches("background")[0]["at"]
    assert gap > 2  # a busy machine takes its time to start the background


@pytest.mark.parametrize(
    ("behaviour", "options", "code", "said"),
    [
        ({"dlrm": {"exit": 3}}, [], 2, ""),
        ({"bert": {"exit": 3}}, [], 1, "bert_offline exited with code 2"),
        ({"bert": {"test": 0.1}, "dlrm": {"test": 1}}, [], 1, "the overlap broke"),
        (
            {"bert": {"die": ["start", 3]}},
            [],
            1,
            "bert_offline ended before main was launched; its last lines:",
        ),
        (
            {"bert": {"load": 60}},
            ["--start-time-buffer=1s"],
            1,
            "bert_offline issued no query in time",
        ),
        (
            {"dlrm": {"test": 60}},
            ["--background-benchmark-timeout=2500ms", SHORT],
            143,
            "the harnesses still ran 2.500 s after their launch",
        ),
    ],
)
def test_what_goes_wrong(
    printed: Printed,
    *,
    lab: Lab,
    behaviour: dict[str, Any],
    options: list[str],
    code: int,
    said: str,
) -> None:
    done = run(printed(*options, **behaviour))
    assert done.returncode == code
    assert said in done.stderr
    assert not left(lab.folder)


def test_what_misleads_make_does_not_reach_it(printed: Printed) -> None:
    path = printed("--background-benchmarks=none", dlrm={"exit": 3})
    done = run(path, GNUMAKEFLAGS="-i", MAKEFLAGS="n", SHELLOPTS="braceexpand:hashall")
    assert done.returncode == 2
    assert "Finished running actual test." in done.stdout


def test_automatic_backgrounds_are_stopped_after_main(
    lab: Lab, printed: Printed
) -> None:
    done = run(printed("--background-benchmark-duration=automatic"))
    assert done.returncode == 0
    assert done.stderr == ""
    assert not left(lab.folder)


def test_main_alone(lab: Lab, printed: Printed) -> None:
    assert run(printed("--background-benchmarks=none")).returncode == 0
    assert launched(lab.folder) == ["dlrm"]


def test_a_harness_without_loadgen_logs(lab: Lab, printed: Printed) -> None:
    path = lab.folder / "site.toml"
    path.write_text(f"extends = '{FAKE / 'fake.toml'}'\nharness.loadgen_log = false")
    lab.suite = str(path)
    assert run(printed(bert={"log": False})).returncode == 0


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
@pytest.mark.parametrize("moment", ["background", "main"])
def test_a_signal_stops_what_it_started(
    lab: Lab, printed: Printed, number: signal.Signals, code: int, moment: str
) -> None:
    late = {"before": 60} if moment == "background" else {}
    path = printed(bert=late, dlrm={"test": 60})
    command = ["env", "--default-signal", "bash", str(path)]  # or nohup has its say
    script = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until(lambda: bool(Files(lab.folder).launches(moment)))
    script.send_signal(number)
    assert script.wait(30) == code
    assert not left(lab.folder)


def test_secrets_are_asked_for(lab: Lab, printed: Printed) -> None:
    path = lab.folder / "site.toml"
    path.write_text(
        f"extends = '{FAKE / 'fake.toml'}'\n"
        "harness.environment = { HF_TOKEN = 'hf_0123456789' }"
    )
    lab.suite = str(path)
    script = printed("--background-benchmarks=none")
    assert "hf_0123456789" not in script.read_text()
    refused = run(script)
    assert refused.returncode
    assert "HF_TOKEN: set it first, its value is not printed" in refused.stderr
    assert not launched(lab.folder)
    assert run(script, HF_TOKEN="another").returncode == 0
    assert Files(lab.folder).launches()[0]["environ"]["HF_TOKEN"] == "another"


def left(folder: Path) -> list[str]:
    """Return the processes that work in *folder*, or on its logs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if f"LOG_DIR={folder}".encode() in words:
            found.append(path.parent.name)
    return found
