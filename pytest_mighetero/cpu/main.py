"""What the Makefile starts: the counterpart of `closed/<org>/code/main.py`.

Needs the standard library only, so that it is up in a few hundredths of a second;
NumPy and LoadGen belong to the programs that it starts through a shell.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pytest_mighetero.cpu import results
from pytest_mighetero.cpu.arguments import (
    SEED_FLAGS,
    apply_overrides,
    benchmark_names,
    build_parser,
    overrides,
    scenario_names,
)
from pytest_mighetero.cpu.audit import (
    AUDIT_CONFIGS,
    NOT_IN_TEST04,
    REFERENCE_MODES,
    TEST05_SEEDS,
)
from pytest_mighetero.cpu.configs import (
    CONFIG_FILE,
    LogLayout,
    Run,
    Value,
    find_runs,
    user_conf,
)
from pytest_mighetero.cpu.device import SYSTEM_ID, single_threaded, visible_device

if TYPE_CHECKING:
    import argparse

__all__ = ["main"]

_log = logging.getLogger("main")

_PROGRAMS = __package__ or "pytest_mighetero.cpu"
_PAIRS_PER_SAMPLE = 64
_HARNESS_SWITCHES = (
    "verbose",
    "logfile_prefix_with_datetime",
    "log_copy_detail_to_stdout",
    "disable_log_copy_summary_to_stdout",
    "log_enable_trace",
)
_HARNESS_VALUES = (
    "gpu_batch_size",
    "performance_sample_count",
    "warmup_duration",
    "logfile_suffix",
    *SEED_FLAGS,
)


@dataclass(frozen=True)
class Job:
    """A run with RUN_ARGS applied.

    Attributes:
        run: Which benchmark and scenario.
        config: The values in force.
        layout: Where its files go.
        user_conf: A LoadGen configuration to use instead of one made from `config`.
    """

    run: Run
    config: dict[str, Value]
    layout: LogLayout
    user_conf: Path | None

    @property
    def name(self) -> str:
        """The title of the run's results."""
        run = self.run
        return f"{self.layout.system}-{run.config_ver}-{run.scenario}"


def main(argv: list[str] | None = None) -> int:
    """Do one action for every benchmark and scenario that RUN_ARGS select.

    Raises:
        ValueError: A benchmark or scenario is unknown.
        RuntimeError: CUDA_VISIBLE_DEVICES is unusable, the harness failed, an
            answer was wrong too often, or an audit did not pass.
    """
    logging.basicConfig(
        level=logging.INFO,
        format="[%(asctime)s %(filename)s:%(lineno)d %(levelname)s] %(message)s",
    )
    args = build_parser().parse_args(argv)
    benchmarks = benchmark_names(args.benchmarks)
    scenarios = scenario_names(args.scenarios)
    device = visible_device(os.environ)
    _log.info("Detected System ID: %s", SYSTEM_ID)
    if device is not None:
        _log.info("Found 1 simulated instances: %s", device.uuid)

    files = [CONFIG_FILE]
    if args.configs:
        files = [Path(name) for name in args.configs.split(",")]
    for run in find_runs(benchmarks, scenarios, args.config_ver, files):
        job = _job(run, args)
        if args.action == "run_harness":
            _run_harness(job)
        elif args.action == "run_audit_harness":
            _run_audit(job, args.audit_test)
        else:
            _verify_audit(job, args.audit_test)
    return 0


def _job(run: Run, args: argparse.Namespace) -> Job:
    log_dir = args.log_dir or os.environ.get("LOG_DIR") or "build/logs/default"
    return Job(
        run=run,
        config=apply_overrides(run.config, overrides(args, run.scenario)),
        layout=LogLayout(
            Path(log_dir).absolute(),
            args.system_name or run.system,
            run.folder,
            run.scenario,
        ),
        user_conf=Path(args.user_conf_path) if args.user_conf_path else None,
    )


def _run_harness(job: Job) -> None:
    """Run, then judge and record: `make run_harness`."""
    mode = str(job.config["test_mode"])
    result = _measure(job, job.layout.loadgen, mode)
    log_dir = job.layout.log_dir
    text = results.NO_PERFORMANCE if result is None else str(result)
    _log.info("Result: %s", text)
    if result is not None and job.run.benchmark == "dlrm":
        pairs = result.value * _PAIRS_PER_SAMPLE
        print(f"User-item pairs per second: {pairs:.1f}", flush=True)
    folder = job.layout.benchmark_folder
    results.update_summary(
        log_dir / results.PERFORMANCE_SUMMARY, job.name, folder, text
    )
    passed, text = True, results.NO_ACCURACY
    if mode in ("AccuracyOnly", "SubmissionRun"):
        passed, text = _check_accuracy(job)
    results.update_summary(log_dir / results.ACCURACY_SUMMARY, job.name, folder, text)
    if not passed:
        raise RuntimeError(f"{job.run.benchmark}: {text}")


def _check_accuracy(job: Job) -> tuple[bool, str]:
    log = _loadgen_file(job, job.layout.loadgen, "accuracy.json")
    output = _run_program(
        "accuracy", ["--benchmark", job.run.benchmark, "--log", str(log)]
    )
    match = re.search(r"accuracy=([\d.]+)%", output)
    if match is None:
        raise RuntimeError("The accuracy script printed no accuracy")
    accuracy = float(match[1])
    threshold = 99.9 if job.run.high_accuracy else 99.0
    passed = accuracy >= threshold
    text = (
        f"Accuracy = {accuracy:.3f}, Threshold = {threshold:.3f}. "
        f"Accuracy test {'PASSED' if passed else 'FAILED'}."
    )
    print(text, flush=True)
    return passed, text


def _run_audit(job: Job, test: str) -> None:
    """Run an audit and what it is compared with: `--action=run_audit_harness`."""
    folder = job.layout.audit(test)
    for name in ("verify_accuracy.txt", "verify_performance.txt"):
        if (folder / name).exists():
            _log.info("Audit cleanup: Removing file %s", folder / name)
            (folder / name).unlink()
    for name, mode in REFERENCE_MODES[test].items():
        _measure(job, folder / "reference" / name, mode)
    folder.mkdir(parents=True, exist_ok=True)
    audit_config = folder / "audit.config"
    audit_config.write_text(AUDIT_CONFIGS[test], encoding="utf-8")
    if test == "TEST05":
        job.config.update(TEST05_SEEDS)
    result = _measure(job, folder, "PerformanceOnly", audit_config)
    _log.info("Result: %s", results.NO_PERFORMANCE if result is None else result)


def _verify_audit(job: Job, test: str) -> None:
    """Judge an audit's logs: `--action=run_audit_verification`."""
    family = test.partition("-")[0]
    if family == "TEST04" and job.run.benchmark in NOT_IN_TEST04:
        print(f"TEST04 is not supported for benchmark {job.run.benchmark}. Ignoring...")
        return
    folder = job.layout.audit(test)
    other = folder / "reference"
    if family == "TEST04":
        other = job.layout.audit("TEST04-B")
    flags = [f"--test={test}", f"--scenario={job.run.scenario}"]
    flags += [f"--folder={folder}", f"--other={other}"]
    try:
        _run_program("verification", flags)
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{family} verification failed!") from error


def _measure(
    job: Job, outdir: Path, mode: str, audit_config: Path | None = None
) -> results.PerformanceResult | None:
    """Run the harness once and read its result; None where there is none.

    Raises:
        RuntimeError: The harness failed.
    """
    run, config = job.run, job.config
    _log.info(
        "Running harness for %s benchmark in %s scenario...",
        run.benchmark,
        run.scenario,
    )
    described = {
        "benchmark": run.benchmark,
        "scenario": run.scenario,
        "config_ver": run.config_ver,
        "config_name": f"{SYSTEM_ID}_{run.benchmark}_{run.scenario}",
        "system_id": SYSTEM_ID,
        "system_name": job.layout.system,
        "log_dir": str(job.layout.log_dir),
        **config,
        "test_mode": mode,
    }
    for key, value in sorted(described.items()):
        if value is not None:
            print(f"{key} : {value}")

    conf = job.layout.measurements / "user.conf"
    text = user_conf(run.scenario, config)
    if job.user_conf is not None:
        text = job.user_conf.read_text(encoding="utf-8")
    conf.parent.mkdir(parents=True, exist_ok=True)
    conf.write_text(text, encoding="utf-8")

    flags = [f"--logfile_outdir={outdir}", f"--user_conf_path={conf}"]
    flags += [f"--model={run.benchmark}", f"--scenario={run.scenario}"]
    flags += [f"--test_mode={mode}"]
    flags += [f"--{name}" for name in _HARNESS_SWITCHES if config.get(name)]
    flags += [
        f"--{name}={config[name]}" for name in _HARNESS_VALUES if config.get(name)
    ]
    if audit_config is not None:
        flags.append(f"--audit_config_path={audit_config}")
    if run.scenario == "Offline" and ".target_qps" not in text:
        flags.append("--calibrate")
    try:
        _run_program("harness", flags)
    except subprocess.CalledProcessError as error:
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        raise RuntimeError("Run harness failed!") from error
    detail = _loadgen_file(job, outdir, "detail.txt")
    with detail.open(encoding="utf-8", errors="replace") as lines:
        return results.performance_result(lines, run.scenario)


def _loadgen_file(job: Job, folder: Path, name: str) -> Path:
    """Return a log's path; with a date in the names, the newest."""
    kind, dot, extension = name.partition(".")
    name = f"{kind}{job.config.get('logfile_suffix') or ''}{dot}{extension}"
    if job.config.get("logfile_prefix_with_datetime"):
        return max(folder.glob(f"mlperf_log_*_{name}"))
    return folder / f"mlperf_log_{name}"


def _run_program(name: str, flags: list[str]) -> str:
    """Run one of this package's programs through a shell; return its stdout.

    Each line is passed on at once; stderr is inherited and bypasses this process.

    Raises:
        subprocess.CalledProcessError: It exited with another code than 0.
    """
    command = shlex.join([sys.executable, "-m", f"{_PROGRAMS}.{name}", *flags])
    _log.info("Running command: %s", command)
    _log.info("Overriding Environment")
    lines = []
    with subprocess.Popen(  # noqa: S602 - the real one has a shell in between, too
        command,
        shell=True,
        stdout=subprocess.PIPE,
        env=single_threaded(os.environ),
        text=True,
        errors="replace",
    ) as process:
        for line in cast("list[str]", process.stdout):
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
