"""Workloads that a suite calls by a command: words, folders, variables, neighbours."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_servers import problem_of
from tests.lab.driver import FAKE, UUIDS, Report
from tests.lab.web_suite import ALONE, CLIENT, ONE, PYTHON, Web

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Says what it was started with, and loads nothing.
ECHO = """
import json, os, sys, time
print("Loading", flush=True)
print("first answer", flush=True)
said = {"argv": sys.argv[1:], "cwd": os.getcwd(), "environ": dict(os.environ)}
with open(os.environ["SAY"], "a") as file:
    file.write(json.dumps(said) + "\\n")
begin = time.time()
time.sleep(float(os.environ["SECONDS"]))
print("answers 70 failed 0 in 0.5 s")
print("rate 7 p99 1.5 ms")
print(f"from {begin} to {time.time()}", flush=True)
"""


@pytest.fixture
def echo(web: Web) -> Web:
    """A suite whose benchmarks say what they were started with."""
    (web.folder / "echo.py").write_text(ECHO)
    command = [*PYTHON, str(web.folder / "echo.py")]
    said = {"SAY": "{log_dir}/said.json", "SECONDS": "{seconds}"}
    web.harness(command=command, environment=said, server=None)
    return web


def words(web: Web, *further: str, **change: Any) -> None:
    command = [*PYTHON, str(web.folder / "echo.py"), *further]
    web.harness(command=command, **change)


def said_by(report: Report, role: str = "main") -> dict[str, Any]:
    (path,) = report.folder.glob(f"results/*/{role}*/logs/said.json")
    said: dict[str, Any] = json.loads(path.read_text())
    return said


def argv(report: Report, role: str = "main") -> list[str]:
    found: list[str] = said_by(report, role)["argv"]
    return found


def test_every_placeholder(echo: Web) -> None:
    built_in = [
        *(
            "{device}",
            "{slot}",
            "{gpu}",
            "{log_dir}",
            "{seconds}",
            "{ms}",
            "{requests}",
        ),
        *("{rate}", "{port}", "{benchmark}", "{scenario}", "{python}", "{package}"),
    ]
    words(echo, *built_in, "{run_args}", "x{benchmark}-{scenario}y", "{{log_dir}}")
    report = echo.run(
        ONE,
        "--main-benchmark-duration=1500ms",
        "--main-benchmark-runargs=--fast --server_target_qps=0.8",
    )
    report.result.assert_outcomes(passed=1)
    main, beta = argv(report), argv(report, "background")
    log_dir = str(next(report.folder.glob("results/*/main/logs")))
    assert main[:3] == [UUIDS[0], "0", "0"]
    assert beta[:3] == [UUIDS[1], "1", "0"]
    assert main[3] == log_dir
    assert main[4:8] == ["2", "1500", "2", "0.8"]
    assert beta[7] == "100"
    assert main[8] != beta[8]
    assert min(int(main[8]), int(beta[8])) >= 10000
    assert main[9:12] == ["alpha", "server", sys.executable]
    assert beta[9:11] == ["beta", "offline"]
    assert (Path(main[12]) / "plan").is_dir()
    assert main[13:] == [
        "--fast",
        "--server_target_qps=0.8",
        "xalpha-servery",
        "{log_dir}",
    ]
    assert beta[13:] == ["xbeta-offliney", "{log_dir}"]
    assert report.case.properties["target_qps"] == "0.8"


def test_a_benchmarks_own_values(echo: Web) -> None:
    load = {"server": ["--rate", "{rate}"], "offline": []}
    own = {"model": "Qwen/{benchmark}", "load": load, "size": "small"}
    other = {**own, "size": {"offline": "big", "server": ""}}
    values = {"alpha": own, "beta": other, "gamma": own}
    echo.change(benchmarks={name: {"values": each} for name, each in values.items()})
    words(echo, "{model}", "{load}", "all-{load}", "{size}")
    report = echo.run(ONE)
    report.result.assert_outcomes(passed=1)
    assert argv(report) == [
        *("Qwen/alpha", "--rate", "50", "all---rate 50", "small"),
    ]
    assert argv(report, "background") == ["Qwen/beta", "all-", "big"]


def test_folder_and_environment(echo: Web) -> None:
    (echo.folder / "data-alpha").mkdir()
    (echo.folder / "data-beta").mkdir()
    environment = {
        "SAY": "{log_dir}/said.json",
        "SECONDS": "{seconds}",
        "WHO": "{{{benchmark}}} on {device}",
    }
    echo.harness(folder="data-{benchmark}", environment=environment)
    report = echo.run(ONE)
    report.result.assert_outcomes(passed=1)
    main, beta = said_by(report), said_by(report, "background")
    assert main["cwd"] == str(echo.folder / "data-alpha")
    assert beta["cwd"] == str(echo.folder / "data-beta")
    assert main["environ"]["WHO"] == f"{{alpha}} on {UUIDS[0]}"
    assert main["environ"]["CUDA_VISIBLE_DEVICES"] == UUIDS[0]
    assert beta["environ"]["CUDA_VISIBLE_DEVICES"] == UUIDS[1]
    assert said_by(report)["cwd"] in report.case.properties["command"]


def test_its_own_log_folder_is_where_it_runs_by_default(echo: Web) -> None:
    report = echo.run(ALONE)
    assert said_by(report)["cwd"] == str(
        next(report.folder.glob("results/*/main/logs"))
    )


@pytest.mark.parametrize("folder", ["nowhere", "{log_dir}/none"])
def test_a_folder_that_is_not_there(echo: Web, folder: str) -> None:
    echo.harness(folder=folder)
    problem = problem_of(echo.run(ALONE))
    assert f"{echo.path}: harnesses.web.folder: /" in problem
    assert f"/{folder.rpartition('/')[2]} is no folder; expected one that" in problem


@pytest.mark.parametrize("role", ["client", "server"])
def test_a_command_that_does_not_exist(web: Web, role: str) -> None:
    words = ["no-such-program", "{port}"]
    web.harness(**({"command": words} if role == "client" else {}))
    web.server(**({"command": words} if role == "server" else {}))
    problem = problem_of(web.run(ALONE))
    who = "Main alpha_server failed: it" if role == "client" else "alpha's server"
    assert f"{who} exited with code 127" in problem
    assert "no-such-program: No such file or directory" in problem


def test_a_prefix_stands_before_mains_command_alone(web: Web) -> None:
    report = web.run(ONE, "--main-benchmark-cmd-prefix=env PROFILED=1")
    report.result.assert_outcomes(passed=1)
    main, beta = report.record["harnesses"]
    assert " env PROFILED=1 " in main["command"]
    assert "PROFILED" not in beta["command"] + main["server"]["command"]


# A make main, and commands beside it.


@pytest.fixture
def mixed(web: Web) -> Web:
    fake = tomllib.loads((FAKE / "fake.toml").read_text())
    harness = {**fake["harness"], "folder": str(FAKE)}
    web.said = {
        **web.said,
        "harness": harness,
        "benchmarks": {**web.said["benchmarks"], **fake["benchmarks"]},
    }
    web.change()
    return web


BESIDE = "--background-benchmarks=beta,solo"


def test_loadgen_beside_a_client_of_a_server_and_an_aggressor(mixed: Web) -> None:
    report = mixed.run(BESIDE, k="dlrm_server")
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert (facts["validity"], facts["overlap_ok"]) == ("VALID", "true")
    assert facts["overlap_source"] == "loadgen, lines"
    assert float(facts["loadgen_version"].partition(" ")[0][:3]) > 5
    assert facts["backgrounds"] == "beta,solo"
    assert "server_ready_s" not in facts
    roles = [each["benchmark"] for each in report.record["harnesses"]]
    assert roles == ["dlrm", "beta", "solo"]


def test_a_client_beside_loadgen(mixed: Web) -> None:
    report = mixed.run("--background-benchmarks=bert,solo")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_source"] == "lines, loadgen"


def test_two_folders_with_makefiles_in_one_suite(mixed: Web) -> None:
    other = mixed.folder / "other"
    other.mkdir()
    text = f"run_harness:\n\t@{sys.executable} {FAKE / 'harness.py'} $@ $(RUN_ARGS)\n"
    (other / "Makefile").write_text(f"export LOG_DIR\n{text}")
    harness = {**mixed.said["harness"], "folder": str(other)}
    mixed.change(
        harnesses={"other": harness}, benchmarks={"resnet50": {"harness": "other"}}
    )
    report = mixed.run(
        "--background-benchmarks=bert,resnet50,solo", devices=4, k="dlrm_server"
    )
    report.result.assert_outcomes(passed=1)
    commands = {h["benchmark"]: h["command"] for h in report.record["harnesses"]}
    assert commands["resnet50"].startswith(f"cd {other} && ")
    assert commands["bert"].startswith(f"cd {FAKE} && ")
    assert "/logs && " in commands["solo"]


def test_what_only_some_mains_can_be_told(mixed: Web) -> None:
    """It is refused where it is lost, and reaches those that can take it."""
    options = [ALONE, "--main-benchmark-runargs=--gpu_batch_size=4"]
    report = mixed.run(*options, k="dlrm_server or alpha_server")
    report.result.assert_outcomes(passed=1, errors=1)
    (problem,) = [case.problems["error"] for case in report.junit if case.problems]
    assert "--gpu_batch_size would not reach alpha_server, whose command" in problem


# Rates.


def test_a_rate_that_nobody_said(web: Web) -> None:
    web.change(benchmarks={"alpha": {"rates": {"server": None}}})
    problem = problem_of(web.run(ALONE))
    assert "the command of alpha_server takes {rate} or {requests}, and suite site" in (
        problem
    )
    assert "say benchmarks.alpha.rates.server in " in problem
    assert "or --main-benchmark-runargs=--server_target_qps=N of main" in problem
    said = "--main-benchmark-runargs=--server_target_qps=30"
    report = web.run(ALONE, said, "--results-dir=more")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["target_qps"] == "30"


def test_a_rate_of_a_background_that_nobody_said(web: Web) -> None:
    web.change(benchmarks={"beta": {"rates": {"offline": None}}})
    problem = problem_of(web.run(ONE))
    assert "the command of beta_offline takes {rate}" in problem
    assert "benchmarks.beta.rates.offline" in problem


def test_the_nearest_rate_counts(echo: Web) -> None:
    profile = "1g.10gb"
    words(echo, "{rate}", "{requests}")
    targets = {profile: {"default": {"alpha": {"server": 12.5}}}}
    echo.change(targets=targets, benchmarks={"alpha": {"config_ver": "default"}})
    of_profile = echo.run(ALONE, f"--main-profile={profile}")
    assert argv(of_profile) == ["12.5", "7"]
    other = echo.run(ALONE, "--results-dir=2/results")
    (path,) = echo.folder.glob("2/results/*/main/logs/said.json")
    assert json.loads(path.read_text())["argv"] == ["50", "25"]
    assert other.case.properties["target_qps"] == "50"


# Programs that are not here.


def test_a_main_whose_program_is_missing_is_skipped(web: Web) -> None:
    web.harness(needs={"no-such-tool": "no-such-package"})
    report = web.run(ALONE)
    report.result.assert_outcomes(skipped=1)
    (problem,) = report.case.problems.values()
    assert "alpha_server needs no-such-tool, which is not on PATH" in problem
    assert "no-such-package" in problem
    named = web.run(ALONE, "--main-benchmark=alpha")
    named.result.assert_outcomes(errors=1)


def test_a_background_whose_program_is_missing_is_left_out(web: Web) -> None:
    web.change(harnesses={"solo": {"needs": {"no-such-tool": "no-such-package"}}})
    report = web.run("--background-benchmarks=all", devices=4)
    report.result.assert_outcomes(passed=1)
    assert "solo" not in report.case.properties["backgrounds"]
    assert "no-such-tool" in report.case.properties["backgrounds_left_out"]
    named = web.run("--background-benchmarks=beta,solo", "--results-dir=more")
    assert "no-such-package" in problem_of(named)


# Secrets.

HUB, KEY, OWN, WORD = (f"{each}-0123-secret" for each in ("hub", "key", "own", "word"))


@pytest.fixture
def secretive(web: Web) -> Web:
    web.harness(
        command=[*CLIENT, "{benchmark}", "--api-key", KEY, "{auth}"],
        environment={"HF_TOKEN": HUB},
    )
    web.server(
        command=[*web.said["harnesses"]["web"]["server"]["command"], f"--token={WORD}"],
        environment={"OWN_PASSWORD": OWN},
    )
    values = {"values": {"auth": ["--api-key", f"{KEY}-too"]}}
    web.change(benchmarks=dict.fromkeys(("alpha", "beta", "gamma"), values))
    return web


@pytest.mark.parametrize("goes", ["well", "badly", "dry"])
def test_no_secret_is_shown(secretive: Web, goes: str) -> None:
    client = f"{HUB} {KEY}\n{KEY}-too {OWN}"
    options = {"badly": {"says": client, "exit": 1}, "well": {}, "dry": {}}[goes]
    secretive.clients(alpha=options)
    dry = ["--dryrun"] if goes == "dry" else []
    report = secretive.run(ONE, *dry)
    paths = [*report.folder.rglob("record.json"), report.folder / "report.xml"]
    text = "\n".join([report.text, *(path.read_text() for path in paths)])
    for secret in (HUB, KEY, OWN, WORD):
        assert secret not in text
    if goes == "well":
        report.result.assert_outcomes(passed=1)
        assert "--api-key ***" in report.case.properties["command"]
    elif goes == "dry":
        assert '--api-key "${api_key:?is not printed}"' in report.text
        assert '--token="${token:?is not printed}"' in report.text
        assert 'OWN_PASSWORD="${OWN_PASSWORD:?is not printed}"' in report.text


def test_a_server_that_fails_shows_no_secret(secretive: Web) -> None:
    printing = f"import sys; print('{OWN}'); sys.exit({{port}} and 3)"
    secretive.server(command=[*PYTHON, "-c", printing])
    report = secretive.run(ALONE)
    problem = problem_of(report)
    assert "alpha's server exited with code 3" in problem
    assert OWN not in problem + report.text


@pytest.mark.parametrize(
    "change",
    [
        {"environment": {"MODE": "fast"}},
        {"files": {"tool.conf": "workers 2"}},
        {},
    ],
)
def test_runs_are_alike_whose_variables_and_files_are(
    echo: Web, change: dict[str, Any]
) -> None:
    echo.harness(environment={"MODE": "slow"}, files={"tool.conf": "workers 1"})
    first = echo.run(ALONE, k="alpha_offline")
    assert "MODE=slow" in first.case.properties["run_args"]
    echo.harness(**change)
    second = echo.run(ALONE, "--mig-compare=last", k="alpha_offline")
    second.result.assert_outcomes(passed=1)
    assert ("compared" in second.case.properties) == (not change)


def test_a_list_says_which_program_is_missing(web: Web) -> None:
    web.harness(needs={"no-such-program": "no-such-package"})
    text = web.run("--mig-list").text
    said = "no-such-program, which is not on PATH; Debian's package no-such-package"
    assert f"    alpha: alpha_server needs {said} brings it" in text
    assert "    solo: offline" in text
