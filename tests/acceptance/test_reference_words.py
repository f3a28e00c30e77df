"""Every option of launch_heterogeneous_mig.py, v1.0 to v2.1, as its users say it."""

from __future__ import annotations

import pytest

from tests.lab.driver import FAKE, Lab, config_of

START = "main_benchmark_immediate_start"
SCRIPT = [
    "--main_benchmark=dlrm",
    "--main_scenario=server",
    "--main_action=run_harness",
    "--main_benchmark_duration=300",
    "--main_benchmark_runargs=--server_target_qps=100 --verbose",
    "--main_benchmark_cmd_prefix=env A=b",
    "--start_time_buffer=10000",
    f"--{START}=True",
    "--end_time_buffer_min=100",
    "--background_benchmarks=datacenter",
    "--background_benchmark_duration=1500",
    "--background_benchmark_timeout=30000",
    "--start_from_device",
    "--lenient",
    "--verbose_all",
    "--verbose",
]


def usage_error(lab: Lab, *options: str) -> str:
    report = lab.run(*options)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in report.text
    return report.text


def test_the_whole_command_line_of_the_script(lab: Lab) -> None:
    report = lab.run(*SCRIPT, devices=4)
    report.result.assert_outcomes(passed=1)
    assert {"--server_target_qps=100", "--verbose_nvtx"} <= set(report.run_args())
    assert report.case.properties["backgrounds"] == "bert,dlrm,resnet50"
    assert report.launches()[0]["environ"]["A"] == "b"


def test_a_dry_run_of_the_script(lab: Lab) -> None:
    lab.run(*SCRIPT, "--dryrun", devices=4).result.assert_outcomes(skipped=1)


def planned_wait(lab: Lab, *options: str) -> bool:
    """Return whether main waits out the start buffer, by the printed script."""
    text = lab.run("--dryrun", *options).text
    assert "1 skipped" in text
    return "pause $((launched + buffer))" in text


@pytest.mark.parametrize("name", [START, START.replace("_", "-")])
@pytest.mark.parametrize(
    ("said", "waits"),
    [
        *(("", False), ("=True", False), ("=true", False), ("=1", False)),
        *(("=False", True), ("=false", True), ("=FALSE", True), ("=0", True)),
    ],
)
def test_immediate_start(lab: Lab, name: str, said: str, waits: bool) -> None:
    assert planned_wait(lab, f"--{name}{said}") is waits


@pytest.mark.parametrize(("said", "waits"), [("False", True), ("True", False)])
def test_immediate_start_in_the_ini_file(lab: Lab, said: str, waits: bool) -> None:
    lab.ini(f"{START} = {said}")
    assert planned_wait(lab) is waits
    assert planned_wait(lab, f"--{START}={waits}") is not waits
    assert planned_wait(lab, f"--no-{START.replace('_', '-')}")


def test_the_last_word_counts(lab: Lab) -> None:
    assert planned_wait(lab, f"--{START}=True", f"--{START}=False")
    assert not planned_wait(lab, f"--no_{START}", f"--{START}=True")


def test_a_path_after_the_bare_flag_is_a_path(lab: Lab) -> None:
    lab.run(f"--{START}", "test_run.py", "--dryrun").result.assert_outcomes(skipped=1)


@pytest.mark.parametrize("flag", [f"--{START}", "--main-benchmark-immediate-start"])
@pytest.mark.parametrize("word", ["True", "False"])
def test_a_value_apart_says_what_to_write(lab: Lab, flag: str, word: str) -> None:
    assert f"expected {flag}={word}, in one word" in usage_error(lab, flag, word)


def test_a_value_that_is_none(lab: Lab) -> None:
    assert f"--{START}" in usage_error(lab, f"--{START}=maybe")


@pytest.mark.parametrize(
    ("said", "means"),
    [
        *(("automatic", "automatic"), ("AUTOMATIC", "automatic")),
        *(("planned", "planned"), ("calculated", "planned"), ("Calculated", "planned")),
        ("2000", 2.0),
    ],
)
def test_the_backgrounds_duration(lab: Lab, said: str, means: str | float) -> None:
    config = config_of(lab.folder, background_benchmark_duration=said)
    assert config.background_duration == means
    lab.run(f"--background_benchmark_duration={said}", "--dryrun")


@pytest.mark.parametrize("said", ["--verbose_all", "--verbose-all"])
def test_verbose_all_reaches_every_harness(lab: Lab, said: str) -> None:
    report = lab.run(said)
    report.result.assert_outcomes(passed=1)
    for role in ("main", "background-1"):
        words = report.run_args(role)
        assert {"--verbose", "--verbose_nvtx"} <= set(words)
    assert "--verbose_nvtx" not in lab.run("--results-dir=b").text


def test_the_manuals_name_for_the_run_args(lab: Lab) -> None:
    report = lab.run("--main_benchmark_args=--server_target_qps=100")
    assert "--server_target_qps=100" in report.run_args()
    assert "main_benchmark_args" not in lab.run("--help").text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--main_benchmark=resnet"], "did you mean resnet50?"),
        (["--background_benchmarks=servers"], "accepted: all, bert"),
        (["--main_action=run_audit"], "did you mean run_audit_test"),
        (["--main_scenario=online"], "accepted: interactive, multistream, offline"),
        (["--background_benchmark_duration=always"], "planned, automatic or a time"),
        (["--main_benchmark_duration=10 minutes"], "90s, 10min, 2h or 600000"),
    ],
)
def test_other_words_are_answered(lab: Lab, options: list[str], said: str) -> None:
    assert said in usage_error(lab, *options)


def test_names_in_any_case(lab: Lab) -> None:
    said = ["--main_benchmark=DLRM", "--background_benchmarks=BERT,ResNet50"]
    report = lab.run(*said, "--main_scenario=Server", "--dryrun")
    report.result.assert_outcomes(skipped=1)
    assert str(FAKE) in report.text
