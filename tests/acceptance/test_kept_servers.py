"""Servers that outlive their client: for the next main, the next try, the next run."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.test_servers import servers, servers_of_mains
from tests.lab.driver import Report
from tests.lab.processes import in_the_run
from tests.lab.web_suite import ALONE, ONE, SERVER, Web

KEPT = "--background-scope=session"
ALPHAS = "alpha_server or alpha_offline"


def served(report: Report, role: str) -> list[tuple[int, float]]:
    """Return port and launch of the server of *role* in each record, in order."""
    each = (h for r in report.records for h in r["harnesses"] if role in h["role"])
    return [(h["server"]["port"], h["server"]["launched"]) for h in each]


def test_one_serves_several_mains_and_all_end_with_the_last(web: Web) -> None:
    report = web.run(ONE, KEPT, k="(alpha or gamma) and server")
    report.result.assert_outcomes(passed=2)
    first, second = served(report, "background")
    assert first == second
    assert len(servers(report)) == 3  # alpha's, gamma's, and beta's only once
    assert in_the_run(report.folder) == []
    beta = report.records[-1]["harnesses"][1]
    assert beta["exited"] <= beta["server"]["stopped"] < beta["server"]["exited"]
    assert report.records[0]["harnesses"][1]["server"]["exited"] is None


def test_mains_own_is_kept_between_scenarios_of_one_command(web: Web) -> None:
    report = web.run(ONE, KEPT, k=ALPHAS)
    report.result.assert_outcomes(passed=2)
    one, other = servers_of_mains(report)
    assert one == other
    assert len(servers(report)) == 2
    assert in_the_run(report.folder) == []


@pytest.mark.parametrize(
    "change",
    [
        {"command": [*SERVER, "{scenario}"]},
        {"environment": {"BATCH": "{scenario}"}},
        {"folder": "{scenario}"},
        {"command": [*SERVER, "{batch}"]},
        {"command": [*SERVER, "{log_dir}/server.yaml"]},
    ],
)
def test_but_not_where_it_would_be_another(web: Web, change: dict[str, object]) -> None:
    for scenario in ("server", "offline"):
        (web.folder / scenario).mkdir()
    web.server(**change)
    web.harness(files={"server.yaml": "batch: {batch}", "client.yaml": "{rate}"})
    batch = {"values": {"batch": {"server": "1", "offline": "64"}}}
    web.change(benchmarks=dict.fromkeys(("alpha", "beta", "gamma"), batch))
    report = web.run(ONE, KEPT, k=ALPHAS)
    report.result.assert_outcomes(passed=2)
    one, other = servers_of_mains(report)
    assert one != other
    logs = sorted(
        path.name for path in report.folder.glob("results/*backgrounds/*.log")
    )
    assert logs == ["server-0-2.log", "server-0.log", "server-1.log"]


def test_a_file_of_the_client_alone_does_not_change_it(web: Web) -> None:
    web.harness(files={"client.yaml": "{rate}"})
    report = web.run(ONE, KEPT, k=ALPHAS)
    report.result.assert_outcomes(passed=2)
    assert len(servers(report)) == 2


def test_a_client_that_ended_is_started_anew_against_the_same_server(web: Web) -> None:
    options = [ONE, KEPT, "--background-benchmark-duration=2s"]
    report = web.run(*options, "--main-benchmark-duration=1s", k=ALPHAS)
    report.result.assert_outcomes(passed=2)
    assert len([*report.folder.glob("results/*backgrounds/set-*")]) == 2
    first, second = served(report, "background")
    assert first == second
    assert len(servers(report)) == 2


def test_one_that_was_lost_is_replaced_for_the_next_main(web: Web) -> None:
    web.servers(beta={"die": [40, 9]})
    report = web.run(ONE, KEPT, k=ALPHAS)
    outcomes = report.result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) >= 1
    first, second = served(report, "background")
    assert first[1] != second[1]
    assert in_the_run(report.folder) == []


def test_one_that_is_not_ready_yet_serves_no_next_main(web: Web) -> None:
    web.server(ready_timeout="500ms")
    web.servers(beta={"load": 0.8})
    report = web.run(ONE, KEPT, k=ALPHAS)
    report.result.assert_outcomes(errors=2)
    assert "beta's server did not answer" in report.junit[1].problems["error"]
    assert in_the_run(report.folder) == []


def test_a_main_without_a_server_before_one_that_has_one(web: Web) -> None:
    """Ports are taken once for all mains of a set of backgrounds."""
    web.change(benchmarks={"able": {"harness": "solo", "scenarios": ["offline"]}})
    report = web.run(
        "--background-benchmarks=solo", KEPT, k="able_offline or alpha_offline"
    )
    report.result.assert_outcomes(passed=2)


def test_tries_of_a_search_load_one_server(web: Web) -> None:
    web.servers(alpha={"works_s": 0.008})
    limits = {"server": {"latency_ms": 400}}
    web.change(benchmarks={"alpha": {"limits": limits}})
    web.lab.isolated()
    report = web.run(
        ONE,
        "--mig-tune",
        "--mig-tune-resolution=40%",
        "--main-benchmark-duration=1s",
    )
    report.result.assert_outcomes(passed=2)
    mains = servers_of_mains(report)
    assert len(mains) > 4
    assert len({*mains}) == 2  # of main alone, and of main beside
    assert len(servers(report)) == 3
    for case in report.junit:
        assert "at full length" in case.properties["tune_runs"]
        assert float(case.properties["tuned_target_qps"]) > 10


def test_a_back_off_loads_the_same_server(web: Web) -> None:
    web.clients(alpha={"slow_ms": 500})
    web.change(benchmarks={"alpha": {"limits": {"server": {"latency_ms": 100}}}})
    options = ["--target-qps-backoff=10%", "--target-qps-backoffs=1"]
    report = web.run(ONE, *options)
    report.result.assert_outcomes(failed=1)
    assert report.case.properties["attempts"] == "2"
    assert "--server_target_qps" not in report.case.properties["command"]
    first, second = servers_of_mains(report)
    assert first == second
    assert report.case.properties["target_qps"] == "45"


def test_a_retry_of_the_overlap_loads_the_same_server(web: Web) -> None:
    options = ["--overlap-retries=1", "--background-benchmark-duration=1s"]
    report = web.run(ONE, *options, "--main-benchmark-duration=2s")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["attempts"] == "2"
    assert len(servers(report)) == 2
    first, second = servers_of_mains(report)
    assert first == second


def test_repeats_start_one_each(web: Web) -> None:
    report = web.run(ALONE, "--mig-repeat=2")
    report.result.assert_outcomes(passed=2)
    assert len({*servers_of_mains(report)}) == 2
    assert in_the_run(report.folder) == []


@pytest.mark.parametrize("scope", ["test", "session"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_pytest_that_is_ended(
    web: Web, scope: str, number: signal.Signals
) -> None:
    from tests.harness.cell import is_locked
    from tests.lab.processes import until

    web.servers(every={"ignore": True})
    options = [ONE, f"--background-scope={scope}", "--main-benchmark-duration=50s"]
    arguments = web.lab.arguments("-k", "alpha_server", *options)
    arguments = [a for a in arguments if not a.startswith("--mig-harness-dir")]
    with (web.folder / "terminal.txt").open("w") as terminal:
        pytest_run = web.lab.pytests.start(
            arguments, web.folder, terminal, environment=os.environ
        )
        logs = web.folder.glob
        until(
            lambda: any("first" in p.read_text() for p in logs("results/*/main/out*"))
        )
        assert len(servers(Report(web.folder, pytest.RunResult(0, [], [], 0)))) == 2
        pytest_run.send_signal(number)
        pytest_run.wait(30)
    leases = [*Path(web.folder).glob("leases/*.lease")]
    assert leases
    # A process that exits loses its environment before the kernel closes its files.
    until(lambda: not in_the_run(web.folder) and not any(map(is_locked, leases)), 6)
