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

from pytest_mighetero.cpu.arguments import HARNESS_FLAGS, TEST_MODES, add_flags
from pytest_mighetero.cpu.console import CONSOLES
from pytest_mighetero.cpu.device import DEVICE_NAME, allowed_cores, visible_device

# How long a Python thread may hold the interpreter while another waits for it: the
# worker would otherwise delay LoadGen's next query by the default 5 ms.
_SWITCH_SECONDS = 0.0005

# An expected rate below the real one ends an Offline run too early to be VALID.
_HEADROOM = 1.1


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the flags that `main` passes."""
    parser = argparse.ArgumentParser(prog="harness")
    parser.add_argument("--logfile_outdir", type=Path, required=True)
    parser.add_argument("--model", choices=CONSOLES, required=True)
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--test_mode", choices=TEST_MODES, default="PerformanceOnly")
    parser.add_argument("--user_conf_path", type=Path, required=True)
    parser.add_argument("--audit_config_path", type=Path)
    parser.add_argument("--calibrate", action="store_true")
    add_flags(parser, HARNESS_FLAGS)
    parser.set_defaults(gpu_batch_size=32, warmup_duration=0.5, logfile_suffix="")
    return parser


def main(argv: list[str]) -> None:
    """Run one test.

    Raises:
        RuntimeError: The device or LoadGen's configuration cannot be used.
    """
    args = build_parser().parse_args(argv)
    console = CONSOLES[args.model]
    command = shlex.join(["harness", *argv])
    console.running(command)

    device = visible_device(os.environ)
    if device is not None:
        device.pin()
    sys.setswitchinterval(_SWITCH_SECONDS)
    # NumPy and LoadGen take most of the start-up: after the first line, so that a
    # caller sees which harness it is waiting for.
    from pytest_mighetero.cpu.models import SAMPLE_COUNT, Workload
    from pytest_mighetero.cpu.sut import SystemUnderTest, configure

    console.say("create_qsl")
    workload = Workload(args.model)
    console.say("created_qsl", samples=SAMPLE_COUNT)
    console.say("create_sut")
    sut = SystemUnderTest(workload, args.gpu_batch_size)
    console.say("created_sut")
    if args.verbose:
        where = "not pinned" if device is None else device.uuid
        console.line(f"[V] {DEVICE_NAME}: {where}, may use cores {allowed_cores()}")
    console.say("warmup", seconds=args.warmup_duration)
    seconds, rate = sut.warm_up(args.warmup_duration)
    console.say("warmed_up", seconds=seconds)
    if args.calibrate:
        expected = f"{rate * _HEADROOM:.3f}"
        with args.user_conf_path.open("a", encoding="utf-8") as conf:
            conf.write(f"*.{args.scenario}.target_qps = {expected}\n")
        console.line(
            f"Calibrated offline_expected_qps : {expected} "
            f"({_HEADROOM:g} x {rate:.1f} of the warm-up)"
        )
    test = configure(args)
    loadable = min(args.performance_sample_count or SAMPLE_COUNT, SAMPLE_COUNT)
    console.mark("Starting")
    sut.measure(test, loadable)
    console.mark("Finished")
    console.processed(sut.batches)
    console.passed(command)


if __name__ == "__main__":
    main(sys.argv[1:])
