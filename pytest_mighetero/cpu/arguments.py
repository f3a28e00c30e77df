"""RUN_ARGS: the flags of `closed/<org>/code/main.py`, and the names it accepts.

The rules are those of MLPerf Inference v1.0: an unknown flag is argparse's error
with exit code 2, abbreviations work, and an override that is falsy is dropped.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pytest_mighetero.cpu.audit import AUDITS
from pytest_mighetero.cpu.configs import LOADGEN_FLAGS, Value

TEST_MODES = ("SubmissionRun", "AccuracyOnly", "PerformanceOnly", "FindPeakPerformance")

BENCHMARKS = {
    "3d-unet": "3D-Unet 3DUnet 3d-unet UNET Unet unet",
    "bert": "BERT bert",
    "dlrm": "DLRM dlrm",
    "rnnt": "RNN-T RNNT rnn-t rnnt",
    "resnet50": "ResNet ResNet50 Resnet Resnet50 resnet resnet50",
    "ssd-mobilenet": "SSD-MobileNet SSDMobileNet ssd-mobilenet ssd-small",
    "ssd-resnet34": "SSD-ResNet34 SSDResNet34 ssd-resnet34 ssd-large",
}
"""Every accepted spelling, by benchmark; case counts."""

_STREAM = "{0}Stream {0}stream {0}-Stream {1}stream {1}-stream {1}_stream"
SCENARIOS = {
    "Offline": "Offline offline",
    "Server": "Server server",
    "SingleStream": _STREAM.format("Single", "single"),
    "MultiStream": _STREAM.format("Multi", "multi"),
}
"""Every accepted spelling, by LoadGen scenario; case counts."""

SEED_FLAGS = (
    "qsl_rng_seed",
    "sample_index_rng_seed",
    "schedule_rng_seed",
    "accuracy_log_rng_seed",
)
HARNESS_FLAGS: dict[str, type[Value]] = {
    "gpu_batch_size": int,
    "performance_sample_count": int,
    "warmup_duration": float,
    **dict.fromkeys(SEED_FLAGS, int),
    "logfile_suffix": str,
    "logfile_prefix_with_datetime": bool,
    "log_copy_detail_to_stdout": bool,
    "disable_log_copy_summary_to_stdout": bool,
    "log_enable_trace": bool,
    "verbose": bool,
}
"""The flags that `main` hands on to the harness."""

OVERRIDES = HARNESS_FLAGS | {
    name: kind for flags in LOADGEN_FLAGS.values() for name, (kind, _) in flags.items()
}
"""The flags that replace a value of the configuration: milliseconds unless named ns."""

# Accepted because RUN_ARGS written for a GPU carry them; a CPU has no use for them.
_GPU_SWITCHES = (
    "gpu_only no_gpu no_child_process power profile use_graphs use_triton verbose_nvtx"
)
_GPU_VALUES = (
    "gpu_copy_streams gpu_inference_streams num_warmups devices start_from_device "
    "numa_config mlperf_conf_path log_mode log_mode_async_poll_interval_ms "
    "multi_stream_target_qps multi_stream_max_async_queries "
    "multi_stream_target_latency_ns"
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all of RUN_ARGS' flags."""
    parser = argparse.ArgumentParser(
        prog="main.py", description="Run the embedded CPU harness."
    )
    actions = ("run_harness", "run_audit_harness", "run_audit_verification")
    select = parser.add_argument_group("selection")
    select.add_argument("--action", choices=actions, required=True)
    select.add_argument("--audit_test", choices=AUDITS)
    select.add_argument("--benchmarks", help="comma list; all where absent")
    select.add_argument("--scenarios", help="comma list; all where absent")
    select.add_argument("--config_ver", default="default", help="comma list, or all")
    select.add_argument("--configs", help="comma list of files like configs.json")
    select.add_argument("--system_name", help="the folder name instead of our own")
    select.add_argument("--log_dir", help="instead of the environment's LOG_DIR")
    select.add_argument("--user_conf_path", help="read it instead of writing one")
    measure = parser.add_argument_group("measurement")
    measure.add_argument("--test_mode", choices=TEST_MODES)
    measure.add_argument("--fast", action="store_true")
    add_flags(measure, OVERRIDES)
    unused = parser.add_argument_group("accepted, without effect on a CPU")
    add_flags(unused, dict.fromkeys(_GPU_SWITCHES.split(), bool))
    add_flags(unused, dict.fromkeys(_GPU_VALUES.split(), str))
    return parser


def add_flags(
    parser: argparse._ActionsContainer, flags: Mapping[str, type[Value]]
) -> None:
    """Add a flag for each name: a switch for bool, one with a value otherwise."""
    for name, kind in flags.items():
        if kind is bool:
            parser.add_argument(f"--{name}", action="store_true")
        else:
            parser.add_argument(f"--{name}", type=kind)


def overrides(args: argparse.Namespace, scenario: str) -> dict[str, Value]:
    """Return the values that RUN_ARGS put in place of the configuration's.

    Falsy ones are dropped, as the real harness does: `--min_duration=0` has no effect
    there, nor here. `--fast` means 60 s unless a duration is given, and one query in
    Offline and MultiStream.
    """
    given: dict[str, Value] = {name: getattr(args, name) for name in OVERRIDES}
    given["test_mode"] = args.test_mode
    if args.fast:
        given["min_duration"] = given["min_duration"] or 60_000
        if scenario in ("Offline", "MultiStream"):
            given["min_query_count"] = 1
    return {name: value for name, value in given.items() if value}


def resolve(text: str | None, kind: str, spellings: Mapping[str, str]) -> list[str]:
    """Return the names that a comma list spells; all of them for None.

    Raises:
        ValueError: An item is unknown, or empty.
    """
    if text is None:
        return list(spellings)
    known = {item: name for name, items in spellings.items() for item in items.split()}
    items = text.split(",")
    for item in items:
        if item not in known:
            raise ValueError(f"Unknown {kind}: {item}")
    return [known[item] for item in items]
