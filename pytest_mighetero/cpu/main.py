"""What the Makefile starts: the counterpart of `closed/<org>/code/main.py`.

Needs the standard library only, so that it is up in a few hundredths of a second;
NumPy and LoadGen belong to the harness, which it starts through a shell.
"""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import cast

from pytest_mighetero.cpu import accuracy, audit, results
from pytest_mighetero.cpu.arguments import (
    BENCHMARKS,
    HARNESS_FLAGS,
    SCENARIOS,
    SEED_FLAGS,
    build_parser,
    overrides,
    resolve,
)
from pytest_mighetero.cpu.configs import CONFIG_FILE, Run, find_runs, user_conf
from pytest_mighetero.cpu.device import SYSTEM_ID, single_threaded, visible_device

_log = logging.getLogger("main")

_PAIRS_PER_SAMPLE = 64
_NO_RESULT = (
    "Cannot find performance result. Maybe you are running in AccuracyOnly mode."
)


def main() -> None:
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
    args = build_parser().parse_args()
    benchmarks = resolve(args.benchmarks, "benchmark", BENCHMARKS)
    scenarios = resolve(args.scenarios, "scenario", SCENARIOS)
    device = visible_device(os.environ)
    _log.info("Detected System ID: %s", SYSTEM_ID)
    if device is not None:
        _log.info("Found 1 simulated instances: %s", device.uuid)

    names = args.configs.split(",") if args.configs else [CONFIG_FILE]
    files = [Path(name) for name in names]
    log_dir = args.log_dir or os.environ.get("LOG_DIR") or "build/logs/default"
    for found in find_runs(benchmarks, scenarios, args.config_ver, files):
        run = replace(
            found,
            config={**found.config, **overrides(args, found.scenario)},
            system_name=args.system_name,
            log_dir=Path(log_dir).absolute(),
        )
        if args.action == "run_audit_verification":
            _verify_audit(run, args.audit_test)
            continue
        conf = user_conf(run.scenario, run.config)
        if args.user_conf_path:
            conf = Path(args.user_conf_path).read_text(encoding="utf-8")
        if args.action == "run_harness":
            _run_harness(run, conf)
        else:
            _run_audit(run, conf, args.audit_test)


def _run_harness(run: Run, conf: str) -> None:
    """Run, then judge and record: `make run_harness`."""
    mode = str(run.config["test_mode"])
    result = _measure(run, conf, run.logs(), mode)
    text = str(result or _NO_RESULT)
    _log.info("Result: %s", text)
    if result is not None and run.benchmark == "dlrm":
        pairs = result.value * _PAIRS_PER_SAMPLE
        print(f"User-item pairs per second: {pairs:.1f}", flush=True)
    name = f"{run.system}-{run.config_ver}-{run.scenario}"
    summary = run.log_dir / results.PERFORMANCE_SUMMARY
    results.update_summary(summary, name, run.folder, text)
    passed, verdict = True, "No accuracy results in PerformanceOnly mode."
    if mode in ("AccuracyOnly", "SubmissionRun"):
        passed, verdict = _check_accuracy(run)
    summary = run.log_dir / results.ACCURACY_SUMMARY
    results.update_summary(summary, name, run.folder, verdict)
    if not passed:
        raise RuntimeError(f"{run.benchmark}: {verdict}")


def _check_accuracy(run: Run) -> tuple[bool, str]:
    """Judge a run's answers: whether enough are right, and the verdict's text."""
    from pytest_mighetero.cpu import reference  # NumPy

    answers = accuracy.read_log(_loadgen_file(run, run.logs(), "accuracy", "json"))
    score = accuracy.score(answers, reference.load(run.benchmark).tolist())
    passed = score.percent >= run.threshold
    verdict = (
        f"Accuracy = {score.percent:.3f}, Threshold = {run.threshold:.3f}. "
        f"Accuracy test {'PASSED' if passed else 'FAILED'}."
    )
    print(f"{score}\n{verdict}", flush=True)
    return passed, verdict


def _run_audit(run: Run, conf: str, test: str) -> None:
    """Run an audit and what it is compared with: `--action=run_audit_harness`."""
    folder = run.audit(test)
    for name in ("verify_accuracy.txt", "verify_performance.txt"):
        if (folder / name).exists():
            _log.info("Audit cleanup: Removing file %s", folder / name)
            (folder / name).unlink()
    asked = audit.AUDITS[test]
    for name, mode in asked.references.items():
        _measure(run, conf, folder / "reference" / name, mode)
    folder.mkdir(parents=True, exist_ok=True)
    audit_config = folder / "audit.config"
    audit_config.write_text(asked.config, encoding="utf-8")
    # LoadGen 5 and later ignore the seeds in there.
    seeds = {name: n for name, n in asked.settings.items() if name in SEED_FLAGS}
    run = replace(run, config={**run.config, **seeds})
    result = _measure(run, conf, folder, "PerformanceOnly", audit_config)
    _log.info("Result: %s", result or _NO_RESULT)


def _verify_audit(run: Run, test: str) -> None:
    """Judge an audit's logs: `--action=run_audit_verification`."""
    family = test.partition("-")[0]
    if family == "TEST04" and run.benchmark in audit.NOT_IN_TEST04:
        print(f"TEST04 is not supported for benchmark {run.benchmark}. Ignoring...")
        return
    folder = run.audit(test)
    other = run.audit("TEST04-B") if family == "TEST04" else folder / "reference"
    if not audit.verify(test, run.scenario, folder, other):
        raise RuntimeError(f"{family} verification failed!")
    print(f"{family} verification complete")


def _measure(
    run: Run, conf: str, outdir: Path, mode: str, audit_config: Path | None = None
) -> results.PerformanceResult | None:
    """Run the harness once and read its result; None where there is none.

    Raises:
        RuntimeError: The harness failed.
    """
    pair = f"{run.benchmark} benchmark in {run.scenario} scenario"
    _log.info("Running harness for %s...", pair)
    described = {
        "benchmark": run.benchmark,
        "scenario": run.scenario,
        "config_ver": run.config_ver,
        "config_name": run.config_name,
        "system_id": SYSTEM_ID,
        "system_name": run.system,
        "log_dir": str(run.log_dir),
        **run.config,
        "test_mode": mode,
    }
    for key, value in sorted(described.items()):
        if value is not None:
            print(f"{key} : {value}")

    conf_file = run.logs("measurements") / "user.conf"
    conf_file.parent.mkdir(parents=True, exist_ok=True)
    conf_file.write_text(conf, encoding="utf-8")
    flags = [f"--logfile_outdir={outdir}", f"--user_conf_path={conf_file}"]
    flags += [f"--model={run.benchmark}", f"--scenario={run.scenario}"]
    flags += [f"--test_mode={mode}"]
    for name, kind in HARNESS_FLAGS.items():
        if value := run.config.get(name):
            flags.append(f"--{name}" if kind is bool else f"--{name}={value}")
    if audit_config is not None:
        flags.append(f"--audit_config_path={audit_config}")
    if run.scenario == "Offline" and ".target_qps" not in conf:
        flags.append("--calibrate")
    try:
        _run_program(flags)
    except subprocess.CalledProcessError as error:
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        raise RuntimeError("Run harness failed!") from error
    detail = _loadgen_file(run, outdir, "detail", "txt")
    return results.read_result(detail, run.scenario)


def _loadgen_file(run: Run, folder: Path, kind: str, extension: str) -> Path:
    """Return a log's path; with a date in the names, the newest."""
    name = f"{kind}{run.config.get('logfile_suffix') or ''}.{extension}"
    if run.config.get("logfile_prefix_with_datetime"):
        return max(folder.glob(f"mlperf_log_*_{name}"))
    return folder / f"mlperf_log_{name}"


def _run_program(flags: list[str]) -> None:
    """Run the harness through a shell, as the real one is.

    Each line of stdout is passed on at once; stderr bypasses this process.

    Raises:
        subprocess.CalledProcessError: It exited with another code than 0.
    """
    program = [sys.executable, "-m", f"{__package__}.harness"]
    command = shlex.join([*program, *flags])
    _log.info("Running command: %s", command)
    _log.info("Overriding Environment")
    with subprocess.Popen(  # noqa: S602 - the shell is part of what is imitated
        command,
        shell=True,
        stdout=subprocess.PIPE,
        env=single_threaded(os.environ),
        text=True,
        errors="replace",
    ) as process:
        for line in cast("list[str]", process.stdout):
            print(line, end="", flush=True)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)


if __name__ == "__main__":
    main()
