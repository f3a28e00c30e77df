"""A tool of its own needs one file in readers/ and a suite, nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero import readers
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.readers.reader import reader_named
from tests.lab.driver import Lab, Report

READER = '''
"""Reads what Perfbench writes."""

import json
import re

from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.reader import Difference, Reader
from pytest_mighetero.readers.result import Metric, Result
from pytest_mighetero.terms.window import TimedWindow


class Perfbench(Reader):
    name = "perfbench"
    tool = "Perfbench"
    names = ("perf.json",)
    sign = Sign("perf.log", re.compile(b"request 1 sent"), "request")
    settings = ("server_target_qps",)

    def read(self, folder):
        said = json.loads((folder / "perf.json").read_text())
        rate = said["requests_per_s"]
        errors = said.get("errors", [])
        return Result(
            folder,
            self.tool,
            version="2.1",
            metric=Metric("requests per second", rate, "requests/s", True),
            valid=said.get("good"),
            target_qps=said["target"],
            errors=tuple(errors),
            error_count=len(errors),
            windows=(TimedWindow(said["begin"], said["end"], "perfbench"),),
        )

    def differences(self, asked, result):
        return [
            Difference(f"asked for {each.said_by}, {self.tool} ran otherwise", False)
            for each in asked
            if each.name in self.settings and float(each.value) != result.target_qps
        ]


READER = Perfbench()
'''

SUITE = """
devices = "nvml"

[harness]
folder = "."
config_ver = "default"
actions = ["run_harness"]
start_markers = ["perf: measuring"]
finish_markers = ["perf: done"]
audit_folder = "{log_dir}"
reader = "perfbench"
make_variables = { LOG_DIR = "{log_dir}", PYTHON = "{python}" }

[defaults]
main-benchmark-duration = "300ms"
background-benchmark-duration = "1500ms"
settle-time = "0"
end-time-buffer-min = "100ms"

[groups]
datacenter = ["bert", "dlrm"]

[benchmarks]
bert = { scenarios = ["server"] }
dlrm = { scenarios = ["server"] }
"""

MAKEFILE = """
run_harness:
	@LOG_DIR=$(LOG_DIR) $(PYTHON) perf.py $(RUN_ARGS)
"""

PERF = """
import json, os, pathlib, sys, time

args = dict(word.removeprefix("--").split("=") for word in sys.argv[1:])
logs = pathlib.Path(os.environ["LOG_DIR"])
print("perf: measuring", flush=True)
(logs / "perf.log").write_text("request 1 sent")
begin = time.time()
time.sleep(int(args["min_duration"]) / 1000)
said = {"good": True, "requests_per_s": 42.5, "target": 400}
said |= json.loads(pathlib.Path("said.json").read_text()).get(args["benchmarks"], {})
said |= {"begin": begin, "end": time.time()}
(logs / "perf.json").write_text(json.dumps(said))
print("perf: done", flush=True)
"""


@pytest.fixture
def bench(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab whose suite's tool is Perfbench."""
    lab.harness = tmp_path / "harness"
    lab.harness.mkdir()
    (lab.harness / "Makefile").write_text(MAKEFILE)
    (lab.harness / "perf.py").write_text(PERF)
    lab.suite = str(tmp_path / "perf.toml")
    Path(lab.suite).write_text(SUITE)
    more = tmp_path / "more"
    more.mkdir()
    (more / "perfbench.py").write_text(READER)
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(more)])
    return lab


def run(bench: Lab, *options: str, **main: Any) -> Report:
    (bench.harness / "said.json").write_text(json.dumps({"dlrm": main}))
    beside = ("--background-benchmarks=bert", "--background-scenario=server")
    report = bench.run(*beside, *options)
    junit = report.folder / "report.xml"
    assert not junit.exists() or "loadgen" not in junit.read_text().lower()
    return report


def test_a_valid_result_is_green_with_its_metric(bench: Lab) -> None:
    report = run(bench)
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["validity"] == "VALID"
    assert facts["metric"] == "requests per second"
    assert (facts["value"], facts["unit"]) == ("42.5", "requests/s")
    assert facts["perfbench_version"] == "2.1"
    assert (facts["overlap_ok"], facts["overlap_source"]) == ("true", "perfbench")
    assert facts["background_values"] == "bert=42.5 requests/s"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"good": None}, "Perfbench wrote its result"),
        ({"errors": ["request 7 timed out"]}, "Perfbench counted 1 error: request 7"),
        ({"good": False}, "INVALID: unsaid. 42.5 requests/s at target 400"),
        ({"target": 300}, "asked for --server_target_qps=400, Perfbench ran otherwise"),
    ],
)
def test_a_bad_result_is_red_in_the_tools_name(
    bench: Lab, said: dict[str, Any], sentence: str
) -> None:
    report = run(bench, "--main-benchmark-runargs=--server_target_qps=400", **said)
    report.result.assert_outcomes(failed=1)
    assert sentence in report.case.problems["failure"]


def test_a_tool_that_left_nothing_is_named(bench: Lab) -> None:
    (bench.harness / "perf.py").write_text(PERF.replace('"perf.json"', '"other.json"'))
    report = run(bench)
    report.result.assert_outcomes(failed=1)
    assert "left no Perfbench result of its own" in report.case.problems["failure"]


def test_a_tool_that_tells_nothing_while_it_runs_is_ready_by_its_marker(
    bench: Lab,
) -> None:
    more = Path(readers.__path__[-1])
    silent = READER.replace(
        'Sign("perf.log", re.compile(b"request 1 sent"), "request")', "None"
    )
    (more / "silentbench.py").write_text(silent.replace('"perfbench"', '"silentbench"'))
    suite = SUITE.replace('reader = "perfbench"', 'reader = "silentbench"')
    Path(bench.suite).write_text(suite)
    report = run(bench)
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_source"] == "silentbench"


@pytest.mark.parametrize("name", ["result", "loadgen.windows", "../reader", "x", ""])
def test_what_is_no_reader(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"no reader '{name}': .*accepted: .*, lo"):
        reader_named(name)


def test_a_reader_that_is_not_there_is_a_usage_error(bench: Lab) -> None:
    Path(bench.suite).write_text(SUITE.replace('"perfbench"', '"perfbnch"'))
    report = run(bench)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    said = "reader: no reader 'perfbnch': did you mean perfbench? accepted: "
    assert f"{said}aiperf, " in report.text
