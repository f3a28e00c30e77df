"""Suites of commands and servers: what of them cannot be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plan.run_plan import check_tools
from pytest_mighetero.spec.library import load_suite
from pytest_mighetero.spec.runspec import RunSpec
from tests.lab.driver import FAKE, config_of
from tests.lab.web_suite import CLIENT, RESULT, SERVER, SUITE, changed


def config(folder: Path, change: dict[str, Any], **said: str) -> RunSpec:
    path = folder / "site.toml"
    path.write_text(tomlkit.dumps(changed(SUITE, change)))
    found = config_of(folder, mig_suite=str(path), **said)
    check_tools(found)
    return found


def web(**change: Any) -> dict[str, Any]:
    return {"harnesses": {"web": change}}


def server(**change: Any) -> dict[str, Any]:
    return web(server=change)


def alpha(**change: Any) -> dict[str, Any]:
    return {"benchmarks": {"alpha": change}}


SECRET = "sk-0123456789"
MISUSES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown placeholder": (
        web(command=[*CLIENT, "{benchmark}", "{prot}"]),
        "harnesses.web.command: no placeholder {prot}: did you mean port? accepted: ",
    ),
    "unknown placeholder of a server": (
        server(environment={"X": "{modle}"}),
        "harnesses.web.server.environment.X: no placeholder {modle}: ",
    ),
    "unknown placeholder in a folder": (
        web(folder="/data/{models}"),
        "harnesses.web.folder: no placeholder {models}: ",
    ),
    "unknown placeholder in a URL": (
        server(ready_url="http://127.0.0.1:{ports}/"),
        "harnesses.web.server.ready_url: no placeholder {ports}: did you mean port? ",
    ),
    "stray brace": (
        web(command=[*CLIENT, '{"benchmark": 1}']),
        (
            "harnesses.web.command: expected {NAME} for a placeholder, {{ and }} for "
            "braces, found a single brace"
        ),
    ),
    "stray brace in a value": (
        alpha(values={"model": "a}"}),
        "benchmarks.alpha.values.model: expected {NAME} for a placeholder, {{ and }}",
    ),
    "a value that another one fills": (
        alpha(values={"model": "a", "path": "/m/{model}"}),
        "benchmarks.alpha.values.path: no placeholder {model}: ",
    ),
    "a value that each launch has": (
        alpha(values={"port": "80"}),
        (
            "benchmarks.alpha.values.port: expected another name, since every launch ha"
            "s {port}: device, slot, gpu, "
        ),
    ),
    "a value's name": (
        alpha(values={"Model": "a"}),
        (
            "benchmarks.alpha.values: expected a placeholder's name: lower-case letters"
            ", digits and _, found 'Model'"
        ),
    ),
    "a value that is a number": (
        alpha(values={"load": 3}),
        (
            "benchmarks.alpha.values.load.offline: expected a text, a list of texts, or"
            " either for each scenario, found ***"
        ),
    ),
    "a value of no scenario": (
        alpha(values={"load": {"online": "x"}}),
        "unknown key 'benchmarks.alpha.values.load.online': ",
    ),
    "a value in one scenario alone": (
        changed(
            alpha(values={"load": {"server": "x"}}),
            web(command=[*CLIENT, "{benchmark}", "{load}"]),
        ),
        "harnesses.web.command: no placeholder {load}: ",
    ),
    "unknown harness": (
        alpha(harness="wep"),
        (
            "benchmarks.alpha.harness: no [harnesses.wep]: did you mean web? accepted: "
            "solo, web"
        ),
    ),
    "no harness": (
        alpha(harness=None),
        "no 'harness' here nor in a suite it extends",
    ),
    "both signs of a server": (
        server(ready_line="ready"),
        "[harnesses.web].server: expected ready_url or ready_line, found both",
    ),
    "no URL": (
        server(ready_url="127.0.0.1:{port}/health"),
        (
            "[harnesses.web].server.ready_url: expected a URL such as http://127.0.0.1:"
            "{port}/health, found '127.0.0.1:{port}/health'"
        ),
    ),
    "another protocol": (
        server(ready_url="https://127.0.0.1:{port}/health"),
        "found 'https://127.0.0.1:{port}/health'",
    ),
    "a URL of no host": (server(ready_url="http:///health"), "expected a URL such as"),
    "a URL of no port": (
        server(ready_url="http://127.0.0.1:{port}x/"),
        "expected a URL such as",
    ),
    "no command of a server": (
        server(command=None),
        "[harnesses.web].server lacks command",
    ),
    "a command that is a line": (
        web(command=f"vllm serve --api-key {SECRET}"),
        "harnesses.web.command: expected a list of texts, the first one a",
    ),
    "an empty command": (
        server(command=[]),
        "harnesses.web.server.command: expected a list of texts, the first one",
    ),
    "a command with a number": (
        server(command=[*SERVER, "--api-key", SECRET, 8000]),
        "harnesses.web.server.command: expected a list of texts, found ***",
    ),
    "an environment with a number": (
        server(environment={"API_KEY": 12345}),
        "harnesses.web.server.environment.API_KEY: expected a text, found ***",
    ),
    "a timeout without a unit": (
        server(ready_timeout=600),
        'harnesses.web.server.ready_timeout: expected a time such as "90s", found 600',
    ),
    "a misspelt key": (
        server(ready_time="1s"),
        "unknown key 'harnesses.web.server.ready_time': did you mean ready_timeout",
    ),
    "the device's variable": (
        web(environment={"CUDA_VISIBLE_DEVICES": "0"}),
        "harnesses.web.environment: expected another variable than CUDA_",
    ),
    "the device's variable of a server": (
        server(environment={"CUDA_VISIBLE_DEVICES": "0"}),
        "harnesses.web.server.environment: expected another variable than CUDA_",
    ),
    "make's variables": (
        web(make_variables={"LOG_DIR": "{log_dir}"}),
        "[harnesses.web]: make_variables: expected no such key beside command",
    ),
    "a server of make": (
        web(
            command=None,
            folder=".",
            config_ver="x",
            actions=["run_harness"],
            finish_markers=["b"],
            audit_folder=".",
        ),
        "[harnesses.web]: server: expected command beside it",
    ),
    "a marker of everything": (
        web(start_markers=[" *"]),
        (
            "harnesses.web.start_markers: expected a text without control characters, o"
            "f more than blanks and *, found ' *'"
        ),
    ),
    "a line of everything": (
        server(ready_url=None, ready_line="*"),
        "harnesses.web.server.ready_line: expected a text without control characters",
    ),
    "nothing tells when it issues": (
        web(start_markers=[], result={"issuing": None}),
        (
            "harnesses.web: nothing tells when it issues queries beside a main: expecte"
            "d start_markers, or a reader that sees it live (reader = 'lines' does not"
        ),
    ),
    "nothing tells when it issues, as promised": (
        web(start_markers=[], live_evidence=False),
        "harnesses.web: nothing tells when it issues queries beside a main",
    ),
    "an unknown reader": (
        web(reader="line"),
        "harnesses.web.reader: no reader 'line': did you mean lines",
    ),
    "a result that its reader does not take": (
        web(result={"valve": "x"}),
        "harnesses.web.result.valve: no such key: did you mean value? accepted: ",
    ),
    "a client that cannot find its server": (
        web(command=[*CLIENT[:3], "8000", *CLIENT[4:], "{benchmark}"]),
        (
            "harnesses.web.command: expected {port} in it, in environment or in files, "
            "since its server takes that: they would not meet"
        ),
    ),
    "a server that its client cannot find": (
        server(command=[*SERVER[:3], "8000", *SERVER[4:]]),
        (
            "harnesses.web.server.command: expected {port} in it, in environment or in "
            "files, since its client takes that"
        ),
    ),
    "a server of which nothing tells": (
        web(
            command=[*CLIENT[:3], "8000", *CLIENT[4:], "{benchmark}"],
            server={"command": [*SERVER[:3], "8000", *SERVER[4:]], "ready_url": None},
        ),
        "harnesses.web.server: expected {port} in its command, ready_url or ready_line",
    ),
    "a limit that is none": (
        alpha(limits={"server": {"ttft_ms": 0}}),
        "benchmarks.alpha.limits.server.ttft_ms: expected a number over 0, found 0",
    ),
    "a percentile that is none": (
        alpha(limits={"server": {"percentile": 101}}),
        "benchmarks.alpha.limits.server.percentile: expected a percentile, found 101",
    ),
    "a limit on what is below nothing": (
        alpha(limits={"server": {"failed": -1}}),
        "benchmarks.alpha.limits.server.failed: expected a number from 0, found -1",
    ),
    "a misspelt limit": (
        alpha(limits={"server": {"p99_ms": 1}}),
        "unknown key 'benchmarks.alpha.limits.server.p99_ms': ",
    ),
    "a rate of nothing": (
        alpha(rates={"server": 0}),
        "benchmarks.alpha.rates.server: expected a number over 0, found 0",
    ),
    "needs that are a list": (
        web(needs=["wrk"]),
        "harnesses.web.needs: expected a table, found ['wrk']",
    ),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_what_cannot_be_meant_names_file_and_key(tmp_path: Path, misuse: str) -> None:
    change, said = MISUSES[misuse]
    with pytest.raises(ConfigError) as error:
        config(tmp_path, change)
    text = str(error.value)
    assert text.startswith(f"{tmp_path / 'site.toml'}: ")
    assert said in text
    assert SECRET not in text
    assert "12345" not in text


def test_a_limit_that_its_tools_verdict_does_not_know(tmp_path: Path) -> None:
    text = f"extends = '{FAKE / 'fake.toml'}'\n[benchmarks.dlrm.limits.server]\n"
    (tmp_path / "site.toml").write_text(text + "failed = 0\n")
    with pytest.raises(ConfigError, match=r"limits.server.failed: expected no such"):
        check_tools(config_of(tmp_path, mig_suite="site.toml"))


def test_values_beside_make(tmp_path: Path) -> None:
    text = f"extends = '{FAKE / 'fake.toml'}'\n[benchmarks.dlrm.values]\na = 'b'\n"
    (tmp_path / "site.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"values: expected a harness with a command"):
        load_suite("site.toml", tmp_path, device_kinds())


def test_a_tool_of_which_nothing_tells_may_run_alone(tmp_path: Path) -> None:
    alone = web(start_markers=[], result={**RESULT, "issuing": None})
    config(tmp_path, alone, background_benchmarks="solo")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (
            {"main_benchmark_runargs": "--fast=1", "main_benchmark": "alpha"},
            (
                "--main-benchmark-runargs: --fast would not reach alpha_offline, whose "
                "command has no {run_args}; it takes --offline_expected_qps"
            ),
        ),
        (
            {"target_qps_backoff": "5%", "main_benchmark": "solo"},
            "--target-qps-backoff: the command of solo_offline takes no {rate}",
        ),
        (
            {"config_ver": "hetero", "main_benchmark": "alpha"},
            "--config-ver: the harness of suite site that runs alpha_offline has no",
        ),
        ({"start_from_device": "true"}, "has no device memory to start from"),
    ],
)
def test_options_that_a_command_cannot_take(
    tmp_path: Path, said: dict[str, str], problem: str
) -> None:
    with pytest.raises(ConfigError) as error:
        config(tmp_path, {}, **said)
    assert problem in str(error.value)
