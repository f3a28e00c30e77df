"""The script of a run with servers, printed by a dry run and run for real by bash."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from tests.acceptance.test_script import run
from tests.acceptance.test_servers import LINE
from tests.lab.driver import UUIDS
from tests.lab.processes import in_the_run, until
from tests.lab.web_suite import ALONE, ONE, SERVER, Web

HEAD = "# test_run.py::test_heterogeneous[alpha_server]"


def printed(web: Web, *options: str, k: str = "alpha_server") -> Path:
    """Make a dry run and return the file with its script."""
    report = web.run("--dryrun", *options, k=k)
    report.result.assert_outcomes(skipped=1)
    lines = report.result.outlines
    begin = lines.index(HEAD)
    end = next(n for n in range(begin, len(lines)) if lines[n].startswith("===="))
    path = web.folder / "run.sh"
    path.write_text("\n".join(lines[begin:end]))
    assert not (web.folder / "results").exists()
    return path


def outputs(web: Web, name: str) -> str:
    (path,) = web.folder.glob(f"results/*/{name}")
    return path.read_text()


def test_servers_are_ready_before_their_clients_and_end_after_them(web: Web) -> None:
    web.servers(every={"load": 0.3, "warm": 0.3})
    done = run(printed(web, ONE))
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[:3] == [
        "server 1 is ready",
        "server 2 is ready",
        "beta_offline is ready",
    ]
    assert any(line.startswith("answers ") and " failed 0 " in line for line in said)
    assert "request failed" not in outputs(web, "background-1-beta/output.log")
    assert outputs(web, "main/server-0.log").startswith("loading alpha")
    assert in_the_run(web.folder) == []


@pytest.mark.parametrize(
    ("change", "behaviour"),
    [
        ({"ready_url": None}, {"load": 0.3}),
        (LINE, {"load": 0.3, "line": "Startup complete."}),
        (
            {"ready_url": None, "ready_line": "Uvicorn running *"},
            {"line": "Uvicorn running on http://0.0.0.0", "bar": True},
        ),
        ({"ready_url": "http://127.0.0.1:{port}/health?a=b%20c"}, {"warm": 0.3}),
    ],
)
def test_each_way_to_be_ready(
    web: Web, change: dict[str, Any], behaviour: dict[str, Any]
) -> None:
    web.server(**change)
    web.servers(every=behaviour)
    done = run(printed(web, ALONE))
    assert done.returncode == 0, done.stderr
    assert " failed 0 " in done.stdout


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ({"load": 0.1, "die": ["load", 3]}, "server 2 ended; its last lines:"),
        ({"load": 60}, "server 2 was not ready; its last lines:"),
    ],
)
def test_a_server_that_does_not_get_ready(
    web: Web, behaviour: dict[str, Any], said: str
) -> None:
    web.server(ready_timeout="1s")
    web.servers(alpha=behaviour)
    done = run(printed(web, ONE))
    assert done.returncode == 1
    assert said in done.stderr
    assert "loading alpha" in done.stderr
    assert not any(web.folder.glob("results/*/*/output.log"))
    assert in_the_run(web.folder) == []


def test_a_signal_ends_servers_too(web: Web) -> None:
    path = printed(web, ONE, "--main-benchmark-duration=50s")
    with subprocess.Popen(
        ["bash", str(path)], stdout=subprocess.DEVNULL, env={**os.environ}
    ) as script:
        until(lambda: len([*web.folder.glob("results/*/*/logs/server-*.json")]) == 2)
        script.send_signal(signal.SIGTERM)
        assert script.wait(30) == 143
    until(lambda: in_the_run(web.folder) == [], 5)


def test_words_of_a_shell_reach_a_command_as_they_are(web: Web) -> None:
    odd = "a b'c\"d$(echo e)`echo f`;*"
    web.server(command=[*SERVER, odd], environment={"ODD": odd})
    done = run(printed(web, ALONE))
    assert done.returncode == 0, done.stderr
    (said,) = web.folder.glob("results/*/main/logs/server-*.json")
    text = said.read_text()
    escaped = odd.replace('"', '\\"')
    assert text.count(escaped) == 2


VLLM = {
    "devices": "nvml",
    "harness": {
        "command": [
            *("vllm", "bench", "serve", "--model", "{model}", "--port", "{port}"),
            *("--num-prompts", "{requests}", "{load}", "--save-result"),
            *("--result-dir", "{log_dir}", "--metadata", "on={device}"),
        ],
        "reader": "vllm",
        "start_markers": ["Starting main benchmark run..."],
        "server": {
            "command": ["vllm", "serve", "{model}", "--port", "{port}"],
            "ready_url": "http://127.0.0.1:{port}/health",
            "environment": {"VLLM_CACHE_ROOT": "{log_dir}/cache"},
        },
    },
    "benchmarks": {
        name: {
            "scenarios": ["server", "offline"],
            "values": {
                "model": model,
                "load": {
                    "server": ["--request-rate", "{rate}"],
                    "offline": ["--request-rate", "inf"],
                },
            },
            "rates": {"server": 0.8, "offline": 20},
        }
        for name, model in (("alpha", "Qwen/Qwen2.5-0.5B"), ("beta", "gpt2"))
    },
}


def test_an_unmodified_vllm_on_mig_devices(web: Web) -> None:
    web.path.write_text(tomlkit.dumps(VLLM))
    text = printed(web, "--main-benchmark-duration=600s").read_text()
    folder = next(
        line.split()[2].removesuffix("/logs")
        for line in text.splitlines()
        if line.startswith("mkdir -p ")
    ).rpartition("/")[0]
    (main,) = [line for line in text.splitlines() if "--request-rate 0.8" in line]
    port = main.split("--port ")[1].split()[0]
    device = f"CUDA_VISIBLE_DEVICES={UUIDS[0]}"
    logs = f"{folder}/main/logs"
    assert main == (
        f"cd {logs} && {device} vllm bench serve --model Qwen/Qwen2.5-0.5B --port "
        f"{port} --num-prompts 480 --request-rate 0.8 --save-result --result-dir "
        f"{logs} --metadata on={UUIDS[0]}"
    )
    assert (
        f"\nserver_2() {{\ncd {logs} && VLLM_CACHE_ROOT={logs}/cache {device} vllm "
        f"serve Qwen/Qwen2.5-0.5B --port {port}\n}}\n"
    ) in text
    assert f"server_2_ready() {{ answers 127.0.0.1 {port} /health; }}" in text
    assert "server_2_limit=600000" in text
    assert f"CUDA_VISIBLE_DEVICES={UUIDS[1]} vllm serve gpt2 --port " in text
    assert text.count("--request-rate inf") == 1
    check = ["bash", "-n", str(web.folder / "run.sh")]
    assert subprocess.run(check, check=False).returncode == 0
