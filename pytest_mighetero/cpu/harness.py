"""The harness binary: sets a benchmark up, warms up, and lets LoadGen measure it.

`python -m pytest_mighetero.cpu.harness`, started by `main` through a shell, with the
number of BLAS threads already in its environment. Exits 0 whether the result is
VALID or not.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from pytest_mighetero.cpu.arguments import SEED_FLAGS, TEST_MODES
from pytest_mighetero.cpu.console import STYLES
from pytest_mighetero.cpu.device import DEVICE_NAME, visible_device

__all__ = ["main"]

# How long a Python thread may hold the interpreter while another waits for it: the
# worker would otherwise delay LoadGen's next query by the default 5 ms.
_SWITCH_SECONDS = 0.0005

# An expected rate below the real one ends an Offline run too early to be VALID.
_HEADROOM = 1.1


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the flags that `main` passes."""
    parser = argparse.ArgumentParser(prog="harness")
    parser.add_argument("--logfile_outdir", type=Path, required=True)
    parser.add_argument("--logfile_prefix", default="mlperf_log_")
    parser.add_argument("--logfile_suffix", default="")
    parser.add_argument("--logfile_prefix_with_datetime", action="store_true")
    parser.add_argument("--log_copy_detail_to_stdout", action="store_true")
    parser.add_argument("--disable_log_copy_summary_to_stdout", action="store_true")
    parser.add_argument("--log_enable_trace", action="store_true")
    parser.add_argument("--model", choices=list(STYLES), required=True)
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--test_mode", choices=TEST_MODES, default="PerformanceOnly")
    parser.add_argument("--user_conf_path", type=Path, required=True)
    parser.add_argument("--audit_config_path", type=Path)
    parser.add_argument("--gpu_batch_size", type=int, default=32)
    parser.add_argument("--performance_sample_count", type=int, default=0)
    parser.add_argument("--warmup_duration", type=float, default=0.5)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    for name in SEED_FLAGS:
        parser.add_argument(f"--{name}", type=int)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one test.

    Raises:
        RuntimeError: The device or LoadGen's configuration cannot be used.
    """
    args = build_parser().parse_args(argv)
    console = STYLES[args.model]()
    command = shlex.join(["harness", *(sys.argv[1:] if argv is None else argv)])
    console.running(command)

    device = visible_device(os.environ)
    if device is not None:
        device.pin()
    sys.setswitchinterval(_SWITCH_SECONDS)
    # NumPy and LoadGen take most of the start-up: after the first line, so that a
    # caller sees which harness it is waiting for.
    from pytest_mighetero.cpu import models
    from pytest_mighetero.cpu.loadgen import LoadGenTest
    from pytest_mighetero.cpu.sut import SampleLibrary, SystemUnderTest

    console.create_qsl()
    workload = models.create(args.model)
    library = SampleLibrary(workload)
    loadable = args.performance_sample_count or models.SAMPLE_COUNT
    loadable = min(loadable, models.SAMPLE_COUNT)
    console.created_qsl(models.SAMPLE_COUNT)
    console.create_sut()
    sut = SystemUnderTest(workload, library, args.gpu_batch_size)
    console.created_sut()
    if args.verbose:
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
        where = "not pinned" if device is None else device.uuid
        console.line(f"[V] {DEVICE_NAME}: {where}, may use cores {cores}")
    console.warmup(args.warmup_duration)
    warmup = sut.warm_up(args.warmup_duration)
    console.warmed_up(warmup.seconds)

    if args.calibrate:
        rate = warmup.samples_per_second * _HEADROOM
        with args.user_conf_path.open("a", encoding="utf-8") as conf:
            conf.write(f"*.{args.scenario}.target_qps = {rate:.3f}\n")
        console.line(
            f"Calibrated offline_expected_qps : {rate:.3f} "
            f"({_HEADROOM:g} x {warmup.samples_per_second:.1f} of the warm-up)"
        )
    test = LoadGenTest(args)
    sut.start()
    console.starting()
    test.run(sut, library, total=models.SAMPLE_COUNT, loadable=loadable)
    console.finished()
    sut.stop()
    console.processed(sut.batches)
    console.passed(command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
