from __future__ import annotations

import re

import pytest

from pytest_mighetero.cpu.arguments import BENCHMARKS
from pytest_mighetero.cpu.console import CONSOLES, Console

GLOG = r"I\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ main_%s\.cc:\d+\] "
PREFIXES = {"bert": GLOG % "bert", "dlrm": GLOG % "dlrm", "rnnt": r"\[I\] "}


def whole_run(console: Console) -> None:
    console.running("cmd")
    console.say("create_qsl")
    console.say("created_qsl", samples=512)
    console.say("create_sut")
    console.say("created_sut")
    console.say("warmup", seconds=0.5)
    console.say("warmed_up", seconds=0.51234567)
    console.mark("Starting")
    console.mark("Finished")
    console.processed({16: 3, 2: 1})
    console.passed("cmd")


@pytest.mark.parametrize("benchmark", list(BENCHMARKS))
def test_markers(benchmark: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole_run(CONSOLES[benchmark])
    captured = capsys.readouterr()
    stream = captured.err if benchmark in ("bert", "dlrm") else captured.out
    prefix = PREFIXES.get(benchmark, "")
    for word in ("Starting", "Finished"):
        pattern = f"^{prefix}{word} running actual test\\.$"
        assert len(re.findall(pattern, stream, re.MULTILINE)) == 1
    assert captured.out.count("running actual test") in (0, 2)
    assert captured.out.startswith("&&&& RUNNING ")


def test_default_harness(capsys: pytest.CaptureFixture[str]) -> None:
    whole_run(CONSOLES["resnet50"])
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.splitlines() == [
        "&&&& RUNNING Default_Harness # cmd",
        "Creating QSL.",
        "Finished Creating QSL.",
        "Setting up SUT.",
        "[I] Device:0: CPU (simulated)",
        "Finished setting up SUT.",
        "Starting warmup. Running for a minimum of 0.5 seconds.",
        "Finished warmup. Ran for 0.51235s.",
        "Starting running actual test.",
        "Finished running actual test.",
        "Device CPU (simulated) processed:",
        "  1 batches of size 2",
        "  3 batches of size 16",
        "  Memcpy Calls: 4",
        "  PerSampleCudaMemcpy Calls: 0",
        "  BatchedCudaMemcpy Calls: 0",
        "&&&& PASSED Default_Harness # cmd",
    ]


@pytest.mark.parametrize("benchmark", ["bert", "dlrm"])
def test_glog_harnesses_have_no_last_line(
    benchmark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole_run(CONSOLES[benchmark])
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "PASSED" not in captured.err
