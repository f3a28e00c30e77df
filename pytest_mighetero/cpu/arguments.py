"""RUN_ARGS: the flags of `closed/<org>/code/main.py`, and the names it accepts.

The rules are those of MLPerf Inference v1.0: an unknown flag is argparse's error
with exit code 2, abbreviations work, and an override that is falsy is dropped.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_mighetero.cpu.configs import Value

__all__ = [
    "ACTIONS",
    "AUDIT_TESTS",
    "BENCHMARKS",
    "SCENARIOS",
    "SEED_FLAGS",
    "TEST_MODES",
    "apply_overrides",
    "benchmark_names",
    "build_parser",
    "overrides",
    "scenario_names",
]

ACTIONS = ("run_harness", "run_audit_harness", "run_audit_verification")
AUDIT_TESTS = ("TEST01", "TEST04-A", "TEST04-B", "TEST05")
TEST_MODES = ("SubmissionRun", "AccuracyOnly", "PerformanceOnly", "FindPeakPerformance")

BENCHMARKS: dict[str, tuple[str, ...]] = {
    "3d-unet": ("3D-Unet", "3DUnet", "3d-unet", "UNET", "Unet", "unet"),
    "bert": ("BERT", "bert"),
    "dlrm": ("DLRM", "dlrm"),
    "rnnt": ("RNN-T", "RNNT", "rnn-t", "rnnt"),
    "resnet50": ("ResNet", "ResNet50", "Resnet", "Resnet50", "resnet", "resnet50"),
    "ssd-mobilenet": ("SSD-MobileNet", "SSDMobileNet", "ssd-mobilenet", "ssd-small"),
    "ssd-resnet34": ("SSD-ResNet34", "SSDResNet34", "ssd-resnet34", "ssd-large"),
}
"""Every accepted spelling, by benchmark; case counts."""

SCENARIOS: dict[str, tuple[str, ...]] = {
    "Offline": ("Offline", "offline"),
    "Server": ("Server", "server"),
    "SingleStream": (
        "SingleStream",
        "Singlestream",
        "Single-Stream",
        "singlestream",
        "single-stream",
        "single_stream",
    ),
    "MultiStream": (
        "MultiStream",
        "Multistream",
        "Multi-Stream",
        "multistream",
        "multi-stream",
        "multi_stream",
    ),
}
"""Every accepted spelling, by LoadGen scenario; case counts."""

SEED_FLAGS = (
    "qsl_rng_seed",
    "sample_index_rng_seed",
    "schedule_rng_seed",
    "accuracy_log_rng_seed",
)

# The flags that replace a value of the benchmark's configuration.
_INT_OVERRIDES = (
    "min_duration",
    "max_duration",
    "min_query_count",
    "max_query_count",
    "performance_sample_count",
    "server_target_qps",
    "server_target_latency_ns",
    "single_stream_expected_latency_ns",
    "multi_stream_expected_latency_ns",
    "multi_stream_samples_per_query",
    "gpu_batch_size",
    *SEED_FLAGS,
)
_FLOAT_OVERRIDES = (
    "offline_expected_qps",
    "server_target_latency_percentile",
    "single_stream_target_latency_percentile",
    "multi_stream_target_latency_percentile",
    "warmup_duration",
)
_STRING_OVERRIDES = ("logfile_suffix",)
_BOOLEAN_OVERRIDES = (
    "verbose",
    "logfile_prefix_with_datetime",
    "log_copy_detail_to_stdout",
    "disable_log_copy_summary_to_stdout",
    "log_enable_trace",
)

# Accepted because RUN_ARGS written for a GPU carry them; a CPU has no use for them.
_GPU_SWITCHES = (
    "gpu_only",
    "no_gpu",
    "no_child_process",
    "power",
    "profile",
    "use_graphs",
    "use_triton",
    "verbose_nvtx",
)
_GPU_VALUES = (
    "gpu_copy_streams",
    "gpu_inference_streams",
    "num_warmups",
    "devices",
    "start_from_device",
    "numa_config",
    "mlperf_conf_path",
    "log_mode",
    "log_mode_async_poll_interval_ms",
    "multi_stream_target_qps",
    "multi_stream_max_async_queries",
    "multi_stream_target_latency_ns",
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all flags; times are in milliseconds unless named ns."""
    parser = argparse.ArgumentParser(
        prog="main.py", description="Run the embedded CPU harness."
    )
    select = parser.add_argument_group("selection")
    select.add_argument("--action", choices=ACTIONS, required=True)
    select.add_argument("--audit_test", choices=AUDIT_TESTS)
    select.add_argument("--benchmarks", help="comma list; all where absent")
    select.add_argument("--scenarios", help="comma list; all where absent")
    select.add_argument("--config_ver", default="default", help="comma list, or all")
    select.add_argument("--configs", help="comma list of files like configs.json")
    select.add_argument("--system_name", help="the folder name instead of our own")
    select.add_argument("--log_dir", help="instead of the environment's LOG_DIR")
    select.add_argument("--user_conf_path", help="read it instead of writing one")
    loadgen = parser.add_argument_group("measurement")
    loadgen.add_argument("--test_mode", choices=TEST_MODES)
    loadgen.add_argument("--fast", action="store_true")
    for name in _INT_OVERRIDES:
        loadgen.add_argument(f"--{name}", type=int)
    for name in _FLOAT_OVERRIDES:
        loadgen.add_argument(f"--{name}", type=float)
    for name in _STRING_OVERRIDES:
        loadgen.add_argument(f"--{name}")
    for name in _BOOLEAN_OVERRIDES:
        loadgen.add_argument(f"--{name}", action="store_true")
    unused = parser.add_argument_group("accepted, without effect on a CPU")
    for name in _GPU_SWITCHES:
        unused.add_argument(f"--{name}", action="store_true")
    for name in _GPU_VALUES:
        unused.add_argument(f"--{name}")
    return parser


def overrides(args: argparse.Namespace, scenario: str) -> dict[str, Value]:
    """Return what RUN_ARGS say about a run, before the falsy ones are dropped.

    `--fast` means 60 s unless a duration is given, and one query in Offline and
    MultiStream.
    """
    names = (*_INT_OVERRIDES, *_FLOAT_OVERRIDES, *_STRING_OVERRIDES)
    given: dict[str, Value] = {
        name: getattr(args, name) for name in (*names, *_BOOLEAN_OVERRIDES)
    }
    given["test_mode"] = args.test_mode
    if args.fast:
        given["min_duration"] = given["min_duration"] or 60_000
        if scenario in ("Offline", "MultiStream"):
            given["min_query_count"] = 1
    return given


def apply_overrides(
    config: Mapping[str, Value], given: Mapping[str, Value]
) -> dict[str, Value]:
    """Return the configuration with the truthy values of `given` in place.

    Dropping falsy ones is what the real harness does: `--min_duration=0` has no
    effect there, nor here.
    """
    return {**config, **{key: value for key, value in given.items() if value}}


def benchmark_names(text: str | None) -> list[str]:
    """Resolve a comma list of benchmarks; all seven for None.

    Raises:
        ValueError: An item is unknown, or empty.
    """
    return _resolve(text, BENCHMARKS, "benchmark")


def scenario_names(text: str | None) -> list[str]:
    """Resolve a comma list of scenarios; all four for None.

    Raises:
        ValueError: An item is unknown, or empty.
    """
    return _resolve(text, SCENARIOS, "scenario")


def _resolve(
    text: str | None, spellings: Mapping[str, Sequence[str]], kind: str
) -> list[str]:
    if text is None:
        return list(spellings)
    known = {alias: name for name, aliases in spellings.items() for alias in aliases}
    names = []
    for item in text.split(","):
        if item not in known:
            raise ValueError(f"Unknown {kind}: {item}")
        names.append(known[item])
    return names
