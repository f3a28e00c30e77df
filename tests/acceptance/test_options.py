"""Every option, by what changes when it is given."""

from __future__ import annotations

import json
import sys
from operator import attrgetter
from pathlib import Path

import pytest

from pytest_mighetero.spec.declaration import Option
from pytest_mighetero.spec.options import OPTIONS
from tests.lab.driver import FAKE, UUIDS, Lab

LEGACY = "MIG-GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f/7/0"


def ids(lab: Lab, *options: str) -> set[str]:
    report = lab.run("--collect-only", "-q", *options, k="test")
    return {
        line.partition("[")[2].rstrip("]")
        for line in report.result.outlines
        if line.startswith("test_run.py::")
    }


def usage_error(lab: Lab, *options: str, devices: int = 3) -> str:
    report = lab.run(*options, devices=devices)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in report.text
    return report.text


def test_all_pairs_of_the_default_scenarios(lab: Lab) -> None:
    assert ids(lab) == {
        "bert_offline",
        "bert_server",
        "dlrm_offline",
        "dlrm_server",
        "resnet50_offline",
    }


def test_main_benchmark(lab: Lab) -> None:
    assert ids(lab, "--main-benchmark=dlrm,BERT") == {
        "bert_offline",
        "bert_server",
        "dlrm_offline",
        "dlrm_server",
    }
    assert "did you mean resnet50?" in usage_error(lab, "--main-benchmark=resnet")


def test_main_scenario(lab: Lab) -> None:
    assert ids(lab, "--main-scenario=singlestream") == {"bert_singlestream"}
    assert "bert_singlestream" in ids(lab, "--main-scenario=all")
    assert "accepted: interactive, multistream, offline, server" in usage_error(
        lab, "--main-scenario=online"
    )


def test_an_unsupported_pair_by_name_is_refused_with_the_supported_ones(
    lab: Lab,
) -> None:
    text = usage_error(lab, "--main-benchmark=resnet50", "--main-scenario=server")
    assert "suite fake does not run resnet50_server" in text
    assert "supported: bert_offline, bert_server" in text


def test_main_action(lab: Lab) -> None:
    assert "dlrm_server-test05" in ids(lab, "--main-action=run_audit_test05")
    assert "did you mean run_audit_test05" in usage_error(
        lab, "--main-action=run_audit_test06"
    )


def test_main_benchmark_duration(lab: Lab) -> None:
    report = lab.run("--main-benchmark-duration=0.4s")
    assert "--min_duration=400" in report.run_args()
    assert "expected at least 1 ms" in usage_error(lab, "--main-benchmark-duration=0")
    assert "90s, 10min, 2h or 600000 (milliseconds), found 'soon'" in usage_error(
        lab, "--main-benchmark-duration=soon"
    )


def test_main_benchmark_runargs(lab: Lab) -> None:
    report = lab.run("--main-benchmark-runargs=--server_target_qps=100 --verbose=1")
    assert report.run_args()[-2:] == ["--server_target_qps=100", "--verbose=1"]
    assert "--server_target_qps=100" not in report.run_args("background-1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--x=$(rm)", "'$' would not arrive"),
        ("--x=a;b", "';' would not arrive"),
        ("--min_duration=5", "say --main-benchmark-duration instead"),
        ("--scenarios=Offline", "say --main-benchmark"),
        ("server_target_qps=5", "expected words of the form --name=value"),
    ],
)
def test_run_args_that_cannot_arrive_are_refused(
    lab: Lab, words: str, message: str
) -> None:
    text = usage_error(lab, f"--main-benchmark-runargs={words}")
    assert message.split("--main", maxsplit=1)[0] in text


def test_main_benchmark_cmd_prefix(lab: Lab) -> None:
    report = lab.run("--main-benchmark-cmd-prefix=env 'PROFILER=a b'")
    assert report.launches()[0]["environ"]["PROFILER"] == "a b"
    assert "PROFILER" not in report.launches("background")[0]["environ"]


def test_main_benchmark_immediate_start(lab: Lab) -> None:
    waiting = ["--start-time-buffer=1500ms", "--background-benchmark-duration=15s"]
    report = lab.run("--no-main-benchmark-immediate-start", *waiting)
    report.result.assert_outcomes(passed=1)
    gap = report.launches()[0]["at"] - report.launches("background")[0]["at"]
    assert gap > 1.3


def test_immediate_start_is_the_default_and_can_be_asked_for(lab: Lab) -> None:
    lab.ini("main_benchmark_immediate_start = false")
    report = lab.run("--main-benchmark-immediate-start")
    report.result.assert_outcomes(passed=1)
    gap = report.launches()[0]["at"] - report.launches("background")[0]["at"]
    assert gap < 5  # the buffer is 10 s


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("all", "bert,resnet50"),
        ("edge", "bert,resnet50"),
        ("bert", "bert"),
        ("dlrm,bert", "dlrm,bert"),
        ("bert,bert", "bert,bert"),
    ],
)
def test_background_benchmarks(lab: Lab, value: str, expected: str) -> None:
    report = lab.run(f"--background-benchmarks={value}")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["backgrounds"] == expected


def test_a_group_keeps_mains_own_benchmark(lab: Lab) -> None:
    report = lab.run("--background-benchmarks=datacenter", devices=4)
    assert report.case.properties["backgrounds"] == "bert,dlrm,resnet50"


def test_no_backgrounds(lab: Lab) -> None:
    report = lab.run("--background-benchmarks=none", devices=1)
    report.result.assert_outcomes(passed=1)
    assert not report.launches("background")


def test_an_unknown_background_is_refused(lab: Lab) -> None:
    text = usage_error(lab, "--background-benchmarks=servers")
    assert "accepted: all, bert, datacenter, dlrm, edge, none, resnet50" in text


def test_background_scenario(lab: Lab) -> None:
    report = lab.run("--background-scenario=server", "--background-benchmarks=bert")
    assert "--scenarios=server" in report.run_args("background-1-bert")
    text = usage_error(lab, "--background-scenario=server")
    assert "resnet50 does not run in server" in text


def test_background_benchmark_duration_as_a_time(lab: Lab) -> None:
    report = lab.run("--background-benchmark-duration=2000")
    assert "--min_duration=2000" in report.run_args("background-1")


def test_background_benchmark_duration_planned(lab: Lab) -> None:
    report = lab.run(
        "--background-benchmark-duration=planned", "--start-time-buffer=2s"
    )
    # start buffer + settle + 1.2 x main + end buffer
    assert "--min_duration=2460" in report.run_args("background-1")


def test_background_benchmark_duration_automatic(lab: Lab) -> None:
    automatic = "--background-benchmark-duration=automatic"
    report = lab.run(automatic, "--settle-time=1s")
    report.result.assert_outcomes(passed=1)
    assert report.result.duration < 10
    assert "--min_duration=30000" in report.run_args("background-1")
    facts = report.case.properties
    assert facts["background_exit_codes"] == "bert=stopped,resnet50=stopped"
    assert float(facts["end_margin_s"]) >= 0.1
    assert facts["overlap_ok"] == "true"


def test_automatic_fails_when_a_background_ends_by_itself(lab: Lab) -> None:
    lab.fake(bert={"into": 0.5})
    report = lab.run(
        "--background-benchmark-duration=automatic", "--end-time-buffer-min=5s"
    )
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    assert report.case.properties["overlap_ok"] == "false"


def test_background_benchmark_timeout(lab: Lab) -> None:
    lab.fake(bert={"test": 60})
    short = "--background-benchmark-duration=2s"
    report = lab.run("--background-benchmark-timeout=2500ms", short)
    report.result.assert_outcomes(passed=1, errors=1)
    error = report.case.problems["error"]
    assert "1 of 2 backgrounds still ran 2.5s after their launch" in error
    assert "--background-benchmark-timeout" in error


def test_a_duration_over_the_timeout_is_refused(lab: Lab) -> None:
    text = usage_error(lab, "--background-benchmark-timeout=1s")
    assert "would run 8s (by option), more than the 1s of" in text


def test_a_main_that_hangs_is_stopped_at_the_timeout(lab: Lab) -> None:
    lab.fake(dlrm={"test": 60})
    report = lab.run(
        "--background-benchmark-timeout=2s", "--background-benchmarks=none"
    )
    report.result.assert_outcomes(failed=1)
    assert "Main dlrm_server still ran 2s after" in report.case.problems["failure"]


def test_mig_stop_grace(lab: Lab) -> None:
    lab.fake(dlrm={"exit": 1}, **{"*": {"test": 60, "ignore": True}})
    report = lab.run("--mig-stop-grace=1s")
    report.result.assert_outcomes(failed=1)
    (bert, _) = (h for h in report.record["harnesses"] if h["role"] != "main")
    assert 1 < bert["exited"] - bert["stopped"] < 9


def test_settle_time(lab: Lab) -> None:
    report = lab.run("--settle-time=1s", "--background-benchmark-duration=15s")
    report.result.assert_outcomes(passed=1)
    gap = report.launches()[0]["at"] - report.launches("background")[-1]["at"]
    assert gap > 1


def test_start_from_device(lab: Lab) -> None:
    report = lab.run("--start-from-device")
    assert "--start_from_device=true" in report.run_args()
    assert "--start_from_device=true" in report.run_args("background-1")
    assert "--start_from_device=true" not in lab.run().run_args()[0:0]


def test_config_ver(lab: Lab) -> None:
    report = lab.run("--config-ver=hetero")
    assert "--config_ver=hetero" in report.run_args()
    assert "--config_ver=hetero" in report.run_args("background-1")
    assert "one run has one result" in usage_error(lab, "--config-ver=a,b")


def test_lenient_warns_of_a_broken_overlap(lab: Lab) -> None:
    lab.fake(bert={"into": 0.2}, dlrm={"test": 1})
    report = lab.run_apart("--lenient", "--background-benchmarks=bert")
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "The overlap broke: background bert_offline" in report.text
    assert report.case.properties["overlap_ok"] == "false"
    assert report.case.properties["validity"] == "VALID"


DIES: dict[str, object] = {"into": 0.2, "die": ["middle", 3]}
CRASHES: dict[str, tuple[dict[str, object], list[str]]] = {
    "dies": (DIES, []),
    "finishes, fails at its end": ({"into": 0.2, "exit": 3}, ["--overlap-retries=2"]),
    "retries left": (DIES, ["--overlap-retries=2", "--target-qps-backoff=7%"]),
    "one set for many mains": (DIES, ["--background-scope=session"]),
    "in a search": (DIES, ["--mig-tune"]),
}


@pytest.mark.parametrize("lenient", [True, False])
@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_beside_main_fails_the_run(lab: Lab, name: str, lenient: bool) -> None:
    behaviour, options = CRASHES[name]
    lab.fake(bert=behaviour, dlrm={"test": 1})
    lab.isolated()
    report = lab.run(*["--lenient"] * lenient, *options)
    case = report.junit[-1]
    # The overlap broke, too: the failure names both, and lenient excuses the one.
    failure = case.problems["failure"]
    assert "The overlap broke: background bert_offline" in failure
    assert "code 2 (make: Error 3)" in failure
    assert ("code 0 (--lenient excuses no crash): bert" in failure) == lenient
    excused = "MigheteroWarning: test_heterogeneous[dlrm_server]: The overlap broke"
    assert (excused in report.text) == lenient
    assert case.properties["overlap_ok"] == "false"
    assert "attempts" not in case.properties
    assert set(case.problems) == {"failure"}


@pytest.mark.parametrize(
    ("behaviour", "phase", "overlap_ok"),
    [
        ({"die": ["start", 3]}, "error", None),
        ({"die": ["marker", 3], "before": 0.5}, "error", None),
        ({"test": 2, "exit": 3}, "error", "true"),
    ],
)
def test_lenient_excuses_no_crash_before_and_after_main(
    lab: Lab, behaviour: dict[str, object], phase: str, overlap_ok: str | None
) -> None:
    lab.fake(bert=behaviour)
    report = lab.run("--lenient", "--background-benchmark-duration=2s")
    assert "code 2 (make: Error 3)" in report.case.problems[phase]
    assert report.case.properties.get("overlap_ok") == overlap_ok


def test_lenient_excuses_no_killed_guard(lab: Lab, tmp_path: Path) -> None:
    # When it is done, the background's recipe kills the parent of its make, the guard.
    lab.harness = tmp_path
    (tmp_path / "Makefile").write_text(
        "export LOG_DIR\nrun_harness:\n"
        f"\t@{sys.executable} {FAKE / 'harness.py'} $@ $(RUN_ARGS); case "
        '"$(RUN_ARGS)" in *bert*) kill -9 $$(ps -o ppid= -p $$PPID);; esac\n'
    )
    lab.fake(bert={"into": 0.3}, dlrm={"test": 1.5})
    report = lab.run("--lenient", "--background-benchmarks=bert")
    failure = report.case.problems["failure"]
    assert "code 0 (--lenient excuses no crash): bert_offline: code 137" in failure


def test_a_main_that_fails_with_a_background_is_named_with_it(lab: Lab) -> None:
    lab.fake(bert=DIES, dlrm={"test": 1, "exit": 4})
    failure = lab.run("--lenient").case.problems["failure"]
    assert "Main dlrm_server failed: it exited with code 2 (make: Error 4)." in failure
    assert "bert_offline: code 2 (make: Error 3)" in failure


def test_lenient_warns_of_backgrounds_that_end_too_early(lab: Lab) -> None:
    report = lab.run_apart("--lenient", "--end-time-buffer-min=10s")
    report.result.assert_outcomes(passed=1, warnings=1)
    assert report.case.properties["overlap_ok"] == "false"


@pytest.mark.parametrize("behaviour", [{"validity": "INVALID"}, {"exit": 1}])
def test_lenient_hides_no_bad_main(lab: Lab, behaviour: dict[str, object]) -> None:
    lab.fake(dlrm=behaviour)
    lab.run("--lenient").result.assert_outcomes(failed=1)


def test_dryrun_prints_the_commands_in_launch_order_and_starts_nothing(
    lab: Lab,
) -> None:
    lab.harness = lab.folder
    report = lab.run("--dryrun")
    report.result.assert_outcomes(skipped=1)
    commands = [
        line
        for line in report.result.outlines
        if line.startswith(f"cd {lab.folder} && CUDA_VISIBLE_DEVICES=")
    ]
    assert [word in line for word, line in zip(UUIDS[1:3], commands, strict=False)]
    assert "--benchmarks=bert" in commands[0]
    assert "--benchmarks=resnet50" in commands[1]
    assert "--benchmarks=dlrm --scenarios=server" in commands[2]
    assert not (lab.folder / "results").exists()


def test_a_dry_run_can_be_pasted_into_a_shell(lab: Lab) -> None:
    lab.pytester.makepyfile(test_run="def test_alone(main): main.run()")
    report = lab.run("--dryrun")
    (command,) = [line for line in report.result.outlines if " make " in line]
    log_dir = command.partition("LOG_DIR=")[2].split()[0]
    lab.pytester.mkdir("results")
    done = lab.pytester.run("sh", "-c", f"mkdir -p {log_dir} && {command}")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["dlrm begins on *", "Finished running actual test."])


def test_results_dir(lab: Lab) -> None:
    lab.run("--results-dir=elsewhere").result.assert_outcomes(passed=1)
    assert list(lab.folder.glob("elsewhere/*/main/output.log"))
    assert not (lab.folder / "results").exists()
    assert "' ' would not arrive" in usage_error(lab, "--results-dir=a b")


def test_mig_suite(lab: Lab) -> None:
    lab.suite = "v9.9"
    accepted = usage_error(lab).partition("accepted: ")[2]
    assert accepted.startswith("cpu, endpoints, llm, llm-cpu, services, v1.0, v1.1")
    lab.suite = "v1.1"
    assert "bert_singlestream" in ids(lab, "--main-scenario=singlestream")
    assert ids(lab, "--main-scenario=offline") >= {"ssd-mobilenet_offline"}


def test_mig_harness_dir(lab: Lab) -> None:
    text = usage_error(lab, "--mig-harness-dir=nowhere")
    assert "nowhere is no folder; expected the closed/<org> folder" in text


def test_a_folder_without_makefile_is_an_error(lab: Lab) -> None:
    lab.harness = lab.folder
    report = lab.run()
    report.result.assert_outcomes(errors=1)
    assert f"no Makefile in {lab.folder}" in report.case.problems["error"]


def test_mig_devices(lab: Lab) -> None:
    report = lab.run(
        "--background-benchmarks=none", f"--mig-devices={LEGACY}", devices=0
    )
    assert report.launches()[0]["environ"]["CUDA_VISIBLE_DEVICES"] == LEGACY
    text = usage_error(lab, "--mig-devices=0,1", devices=0)
    assert "expected MIG-<uuid> or MIG-GPU-<uuid>/<gi>/<ci>" in text
    text = usage_error(lab, f"--mig-devices={UUIDS[0]},{UUIDS[0]}", devices=0)
    assert "listed twice" in text


NEWER = "Use the harness of v1.1 or later with its suite (--mig-suite=v2.0)"
OLDER = "Update the driver, or use the harness of v1.0"


@pytest.mark.parametrize("more", [(), ("--dryrun",), ("--mig-list",)])
@pytest.mark.parametrize(
    ("suite", "name", "takes", "remedy"),
    [
        ("v1.0", UUIDS[0], "MIG-GPU-<uuid>/<gi>/<ci> (drivers before R470)", NEWER),
        ("v1.1", LEGACY, "MIG-<uuid> (drivers from R470 on)", OLDER),
        ("v2.0", LEGACY, "MIG-<uuid> (drivers from R470 on)", OLDER),
        ("v2.0", UUIDS[0][:12], "MIG-<uuid> (drivers from R470 on)", "Say it whole"),
    ],
)
def test_a_name_that_the_harness_does_not_know_is_refused(  # noqa: PLR0917
    lab: Lab, suite: str, name: str, takes: str, remedy: str, more: tuple[str, ...]
) -> None:
    lab.suite = suite
    text = usage_error(lab, f"--mig-devices={name}", *more, devices=0)
    assert f"--mig-devices: the harness of suite {suite} does not know {name}" in text
    assert f": it takes {takes}. {remedy}" in text


@pytest.mark.parametrize(("suite", "name"), [("v1.0", LEGACY), ("v1.1", UUIDS[0])])
def test_a_name_that_the_harness_knows(lab: Lab, suite: str, name: str) -> None:
    lab.suite = suite
    options = ("--background-benchmarks=none", "--dryrun", f"--mig-devices={name}")
    report = lab.run(*options, devices=0)
    assert f"CUDA_VISIBLE_DEVICES={name} make run_harness" in report.text


def test_too_few_devices(lab: Lab) -> None:
    report = lab.run(devices=1)
    report.result.assert_outcomes(errors=1)
    error = report.case.problems["error"]
    assert "2 MIG devices are needed on one GPU" in error
    assert "found 1" in error
    assert "--mig-suite=cpu -k dlrm_server" in error


def test_a_background_without_a_device_is_left_out_and_named(lab: Lab) -> None:
    report = lab.run(devices=2)
    report.result.assert_outcomes(passed=1, warnings=1)
    assert "not every background runs: listed by --mig-devices" in report.text
    facts = report.case.properties
    assert facts["backgrounds"] == "bert"
    assert facts["backgrounds_left_out"].endswith("has no device left for resnet50")


def test_mig_rotate(lab: Lab) -> None:
    facts = lab.run("--mig-rotate=2").case.properties
    assert facts["device_uuid"] == UUIDS[2]
    assert facts["background_devices"] == f"{UUIDS[0]},{UUIDS[1]}"


def test_main_profile_of_a_device_that_is_listed(lab: Lab) -> None:
    report = lab.run("--main-profile=1g.10gb")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["device_profile"] == "1g.10gb"


@pytest.mark.parametrize("said", ["1g10gb", "1G.10GB", '1g.10gb"; x', "3g"])
def test_main_profile_is_a_profile(lab: Lab, said: str) -> None:
    error = usage_error(lab, f"--main-profile={said}")
    assert (
        f"--main-profile: expected a profile such as 1g.10gb, found {said!r}" in error
    )


def test_mig_gpu_is_refused_where_nvml_is_not_asked(lab: Lab) -> None:
    assert "only NVML knows GPUs" in usage_error(lab, "--mig-gpu=0")


@pytest.mark.parametrize("option", ["--mig-devices=" + UUIDS[0], "--mig-gpu=0"])
def test_the_cpu_suite_takes_no_mig_devices(lab: Lab, option: str) -> None:
    lab.suite = "cpu"
    assert "suite cpu" in usage_error(lab, option, devices=0)


def test_the_cpu_suite_has_no_device_to_start_from(lab: Lab) -> None:
    lab.suite = "cpu"
    text = usage_error(lab, "--start-from-device", devices=0)
    assert "no device memory to start from" in text


def test_underscores_work_too(lab: Lab) -> None:
    report = lab.run("--main_benchmark_duration=400", "--config_ver=hetero")
    assert {"--min_duration=400", "--config_ver=hetero"} <= set(report.run_args())
    help_text = lab.run("--help").text
    assert "--main-benchmark-duration" in help_text
    assert "--main_benchmark_duration" not in help_text


def test_every_option_can_stand_in_the_ini_file(lab: Lab) -> None:
    lab.ini(
        f"mig_suite = {lab.suite}",
        f"mig_harness_dir = {lab.harness}",
        f"mig_devices = {','.join(UUIDS[:2])}",
        "background_benchmarks = bert",
        "main_benchmark_duration = 400",
        "results_dir = from_ini",
    )
    result = lab.pytester.runpytest("-k", "dlrm_server")
    result.assert_outcomes(passed=1)
    (launch,) = lab.folder.glob("from_ini/*/main/logs/launch.json")
    assert "--min_duration=400" in json.loads(launch.read_text())["argv"]


def test_the_command_line_wins_over_ini_with_0_and_nothing(lab: Lab) -> None:
    lab.ini("settle_time = 60s", "config_ver = hetero", "lenient = true")
    report = lab.run("--settle-time=0", "--config-ver=")
    report.result.assert_outcomes(passed=1)
    assert "--config_ver=default" in report.run_args()


GATES = {
    "mig-max-slowdown": "10%",
    "mig-compare": "last",
    "mig-background-tolerance": "10%",
    "mig-interference": "all",
    "mig-slurm": "--gres=gpu:1",
}


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("how", ["--{}=", "-o={}="])
def test_an_empty_gate_judges_nothing_unsaid(lab: Lab, name: str, how: str) -> None:
    word = how.format(name if how.startswith("--") else name.replace("-", "_"))
    said = usage_error(lab, word)
    assert "found an empty text, which takes back what an ini file or suite" in said
    assert name in said.replace("_", "-")


@pytest.mark.parametrize("name", GATES)
def test_an_empty_gate_takes_back_what_the_ini_file_says(lab: Lab, name: str) -> None:
    ini = [f"{name.replace('-', '_')} = {GATES[name]}"]
    if name == "mig-max-slowdown":
        ini.append("mig_interference = all")
    lab.ini(*ini)
    assert ids(lab, f"--{name}=")


@pytest.mark.parametrize(
    "option", [o for o in OPTIONS if o.metavar], ids=attrgetter("name")
)
def test_an_empty_text_is_no_value(lab: Lab, option: Option) -> None:
    report = lab.run("--collect-only", "-q", f"--{option.name}=")
    refused = option.gate or bool(option.default)
    code = pytest.ExitCode.USAGE_ERROR if refused else pytest.ExitCode.OK
    assert report.result.ret == code
    assert (f"--{option.name}: " in report.text) == refused


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest 8 reads no such file")
def test_texts_in_a_toml_file(lab: Lab) -> None:
    (lab.folder / "pytest.toml").write_text(
        '[pytest]\nmig_repeat = "2"\nlenient = "true"\nmig_junit_properties = false\n'
    )
    report = lab.run("--background-benchmarks=none")
    report.result.assert_outcomes(passed=2)
    assert not any(case.properties for case in report.junit)


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest 8 reads no such file")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mig_repeat = 2", "a text, in quotes"),
        ("lenient = true", "a text, in quotes"),
        ("mig_junit_properties = 'false'", "true or false"),
    ],
)
def test_other_types_in_a_toml_file(lab: Lab, line: str, expected: str) -> None:
    (lab.folder / "pytest.toml").write_text(f"[pytest]\n{line}\n")
    key = line.partition(" ")[0]
    said = f"{key} in pytest.toml: expected {expected}: "
    assert said in usage_error(lab, "--collect-only")


@pytest.mark.parametrize("said", ["n", "f", "No", "0", "off"])
def test_what_is_false_to_pytest_is_to_its_properties(lab: Lab, said: str) -> None:
    lab.ini(f"mig_junit_properties = {said}")
    assert not any(case.properties for case in lab.run().junit)


def test_a_bad_ini_value_names_key_and_file(lab: Lab) -> None:
    lab.ini("lenient = perhaps")
    assert "lenient in tox.ini: expected true or false, found 'perhaps'" in usage_error(
        lab
    )


@pytest.mark.parametrize("ini", [True, False])
def test_a_bad_ini_key_that_is_no_option(lab: Lab, ini: bool) -> None:
    key = "mig_junit_properties"
    if ini:
        lab.ini(f"{key} = perhaps")
    said_by = f"{key} in tox.ini" if ini else f"-o {key}"
    words = () if ini else ("-o", f"{key}=perhaps")
    text = usage_error(lab, "--collect-only", *words)
    expected = "expected true or false: invalid truth value 'perhaps'"
    assert f"{said_by}: {expected}" in text


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("mig-repeat", "1, 2, 3"),
        ("target-qps-backoffs", "1, 2, 3"),
        ("overlap-retries", "0, 1, 2"),
    ],
)
@pytest.mark.parametrize("said", ["-1", "two", "", "1" * 5000, "1000000000"])
def test_a_number_says_what_it_may_be(
    lab: Lab, option: str, expected: str, said: str
) -> None:
    text = usage_error(lab, f"--{option}={said}")
    most = " 999999999" if len(said) > 9 else ""
    assert f"--{option}: expected {expected} ...{most}, found {said!r}" in text


def test_once_is_the_least(lab: Lab) -> None:
    text = usage_error(lab, "--mig-repeat=0")
    assert "--mig-repeat: expected 1, 2, 3 ..., found '0'" in text


def test_markers_select_scenarios_and_groups(lab: Lab) -> None:
    assert ids(lab, "-m", "server") == {"bert_server", "dlrm_server"}
    assert ids(lab, "-m", "edge and offline") == {"bert_offline", "resnet50_offline"}
    lab.run("--strict-markers", "--collect-only").result.assert_outcomes(deselected=4)


def test_the_timeout_is_longer_than_the_runs_own_deadlines(lab: Lab) -> None:
    lab.pytester.makeconftest(
        """
        def pytest_collection_finish(session):
            for item in session.items:
                marker = item.get_closest_marker("timeout")
                print("timeout is", marker and marker.args[0])
        """
    )
    own = lab.run("--collect-only", "-s", "--mig-lease-timeout=5s").text
    assert "timeout is 120.1" in own  # 2 x 5 s + 10 s + 30 s + 0.1 s + 60 s + 10 s
    assert "timeout is None" in lab.run("--collect-only", "-s", "--timeout=5").text


def test_a_timeout_of_the_users_own_stops_the_harnesses(lab: Lab) -> None:
    lab.fake(**{"*": {"test": 60}})
    report = lab.run("--timeout=3")
    report.result.assert_outcomes(failed=1)
    assert "Timeout" in report.case.problems["failure"]
    codes = report.case.properties["background_exit_codes"]
    assert codes == "bert=stopped,resnet50=stopped"


def test_overlap_retries_repeat_with_a_duration_that_fits(lab: Lab) -> None:
    lab.fake(dlrm={"test": 2})
    # Less than main was told to take, even.
    report = lab.run("--overlap-retries=2", "--background-benchmark-duration=250ms")
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert facts["attempts"] == "2"
    assert facts["attempt_1"].startswith("The overlap broke: background ")
    assert facts["overlap_ok"] == "true"
    assert facts["background_duration_by"] == "retry"
    assert 2.1 < float(facts["background_duration_s"]) < 6
    (first,) = report.record["attempts"]
    assert first["problem"] == facts["attempt_1"]
    assert first["facts"]["background_duration_s"] == "0.250"
    assert first["facts"]["validity"] == "VALID"
    assert first["facts"]["exit_code"] == "0"
    assert first["harnesses"][0]["role"] == "main"
    assert len(list(lab.folder.glob("results/*/attempt-2/*/output.log"))) == 3


def test_retries_end(lab: Lab) -> None:
    lab.fake(bert={"into": 0.3}, dlrm={"test": 1})
    report = lab.run("--overlap-retries=1", "--background-benchmark-duration=5s")
    report.result.assert_outcomes(failed=1)
    assert "The overlap broke" in report.case.problems["failure"]
    assert report.case.properties["attempts"] == "2"
    assert report.case.properties["overlap_ok"] == "false"


@pytest.mark.parametrize(
    "behaviour",
    [
        {"bert": {"into": 0.2, "die": ["middle", 9]}, "dlrm": {"test": 60}},
        {"bert": {"into": 0.2}, "dlrm": {"test": 1, "validity": "INVALID"}},
    ],
    ids=["a background died", "main is bad"],
)
def test_what_a_longer_background_does_not_cure_is_not_repeated(
    lab: Lab, behaviour: dict[str, dict[str, object]]
) -> None:
    lab.fake(**behaviour)
    report = lab.run("--overlap-retries=3", "--background-benchmark-duration=20s")
    report.result.assert_outcomes(failed=1)
    assert report.result.duration < 15
    assert "attempts" not in report.case.properties


def test_planned_durations_come_from_recorded_history(lab: Lab) -> None:
    planned = ["--background-benchmark-duration=planned", "--start-time-buffer=2s"]
    first = lab.run(*planned).case.properties
    assert first["background_duration_by"] == "reference"
    second = lab.run(*planned).case.properties
    assert second["background_duration_by"] == "history"
    # start buffer + 1.2 x what main took + end buffer
    assert float(second["background_duration_s"]) == pytest.approx(
        2 + 1.2 * float(first["seconds"]) + 0.1, abs=0.01
    )
    other = lab.run(*planned, "--main-benchmark-duration=400ms").case.properties
    assert other["background_duration_by"] == "reference"


def test_planned_durations_come_from_loadgens_law(lab: Lab) -> None:
    suite = lab.folder / "site.toml"
    suite.write_text(
        f"""
        extends = "{lab.suite}"
        query_counts = {{ server = 800 }}
        """
    )
    lab.suite = str(suite)
    facts = lab.run(
        "--background-benchmark-duration=planned",
        "--start-time-buffer=1s",
        "--main-benchmark-runargs=--server_target_qps=400",
    ).case.properties
    assert facts["background_duration_by"] == "loadgen"
    # start buffer + 1.2 x 800 / 400 + end buffer
    assert float(facts["background_duration_s"]) == pytest.approx(1 + 2.4 + 0.1)
