from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pytest_mighetero.cpu.arguments import BENCHMARKS, SCENARIOS
from pytest_mighetero.cpu.configs import Run, find_runs, user_conf

MATRIX = {
    "3d-unet": {"Offline", "SingleStream"},
    "bert": {"Offline", "Server", "SingleStream"},
    "dlrm": {"Offline", "Server"},
    "resnet50": {"Offline", "Server", "SingleStream", "MultiStream"},
    "rnnt": {"Offline", "Server", "SingleStream"},
    "ssd-mobilenet": {"Offline", "SingleStream", "MultiStream"},
    "ssd-resnet34": {"Offline", "Server", "SingleStream", "MultiStream"},
}


@pytest.mark.parametrize("version", ["default", "hetero"])
def test_support_matrix(version: str) -> None:
    found: dict[str, set[str]] = {}
    for run in find_runs(list(BENCHMARKS), list(SCENARIOS), version):
        found.setdefault(run.benchmark, set()).add(run.scenario)
    assert found == MATRIX


def test_high_accuracy_is_for_dlrm_and_3d_unet() -> None:
    runs = find_runs(list(BENCHMARKS), ["Offline"], "hetero_high_accuracy")
    assert [(run.folder, run.system) for run in runs] == [
        ("3d-unet-99.9", "CPU-simulated_NumPy_HeteroMultiUse"),
        ("dlrm-99.9", "CPU-simulated_NumPy_HeteroMultiUse"),
    ]


def test_runs_are_scenario_major() -> None:
    runs = find_runs(["bert", "dlrm"], ["Offline", "Server"], "default")
    assert [(run.scenario, run.folder) for run in runs] == [
        ("Offline", "bert-99"),
        ("Offline", "dlrm-99"),
        ("Server", "bert-99"),
        ("Server", "dlrm-99"),
    ]


def test_all_versions_leave_hetero_out() -> None:
    runs = list(find_runs(["dlrm"], ["Offline"], "all"))
    assert [run.config_ver for run in runs] == ["default"]


def test_hetero_inherits_the_default_configuration() -> None:
    plain, hetero = find_runs(["dlrm"], ["Server"], "default,hetero")
    assert plain.config == hetero.config
    assert plain.config["server_target_qps"] == 100


def test_unknown_version_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert list(find_runs(["dlrm"], ["Offline"], "bogus")) == []
    assert caplog.messages == ["--config_ver=bogus does not exist in config file"]


def test_unsupported_pair_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert list(find_runs(["dlrm"], ["SingleStream"], "default")) == []
    assert caplog.messages == [
        "Cannot find any valid configs for the specified benchmark-scenario pairs."
    ]


def test_user_conf_has_loadgens_units() -> None:
    text = user_conf(
        "Server",
        {
            "min_duration": 2000,
            "server_target_qps": 100,
            "server_target_latency_ns": 500_000_000,
            "server_target_latency_percentile": 0.99,
            "offline_expected_qps": 7.5,
            "gpu_batch_size": 16,
        },
    )
    assert text.splitlines() == [
        "*.Server.min_duration = 2000",
        "*.Server.target_qps = 100",
        "*.Server.target_latency = 500",
        "*.Server.target_latency_percentile = 99.0",
    ]


def test_user_conf_never_asks_for_a_latency_of_zero() -> None:
    text = user_conf("SingleStream", {"single_stream_expected_latency_ns": 300_000})
    assert text == "*.SingleStream.target_latency = 1\n"


def test_layout() -> None:
    run = Run("bert", "Offline", "default", {}, "S", Path("/logs"))
    assert run.logs() == Path("/logs/S/bert-99/Offline")
    assert run.logs("measurements") == Path("/logs/measurements/S/bert-99/Offline")
    assert run.audit("TEST04-A") == Path(
        "/logs/compliance_logs/TEST04-A/S/bert-99/Offline"
    )
