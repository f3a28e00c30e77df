"""What is found out of a run: as facts, and as its record and comparisons take it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch, RunPlan
from pytest_mighetero.readers.result import Result
from pytest_mighetero.records.comparison.own_figures import Own
from pytest_mighetero.records.facts import Value, texts
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.evidence.overlap import OverlapReport
from pytest_mighetero.run.evidence.traces import ran_otherwise, result_of
from pytest_mighetero.run.evidence.workload import server_of
from pytest_mighetero.run.judge import accuracy_verdicts
from pytest_mighetero.run.moments import stamps, workload_moments
from pytest_mighetero.run.servers import Server
from pytest_mighetero.terms.clock import Clock
from pytest_mighetero.terms.scenario import is_bounded

Known = dict[str, Value]
_STAMPS = ("launched", "started", "finished", "stopped", "exited")

# NVIDIA's harness: "Accuracy = 76.460, Threshold = 75.695. Accuracy test PASSED."
_ACCURACY = re.compile(r"Accuracy = ([-\d.]+), Threshold = ([-\d.]+?)\.?(?:\s|$)")


def plan_facts(plan: RunPlan, length_by: str | None) -> Known:
    """Return what is known once it is decided what to start.

    How the backgrounds' length was found says *length_by*.
    """
    main, device = plan.main, plan.main.device
    lengths = [each.min_duration for each in plan.backgrounds]
    return {
        "run": "heterogeneous" if plan.backgrounds else "isolated",
        "device_uuid": device.uuid,
        "device_profile": device.profile,
        "device_slot": device.slot,
        "device_gi": device.gi,
        "device_ci": device.ci,
        "gpu": plan.gpu.name,
        "geometry": str(plan.gpu),
        "driver": plan.gpu.driver,
        "harness_dir": main.harness_dir,
        "backgrounds": [each.pair.benchmark for each in plan.backgrounds],
        "background_devices": [each.device.uuid for each in plan.backgrounds],
        "run_args": str(main.run_args),
        "command": str(main.command),
        "log_dir": str(main.log_dir),
        "background_duration_s": lengths[0] if lengths else None,
        "background_duration_by": length_by,
    }


def result_facts(result: Result) -> Known:
    """Return what main came to; what its tool did not say is None."""
    metric = result.metric
    figure: Known = {}
    if metric is not None:
        figure = {"metric": metric.name, "value": metric.value, "unit": metric.unit}
        if result.judged_by and not metric.higher_is_better:
            figure["better"] = "lower"
    return {
        "validity": result.valid,
        "validity_by": result.judged_by,
        "damage": result.damage,
        **figure,
        "mode": result.mode,
        "target_qps": result.target_qps,
        **_latencies(result),
        "percentiles_ms": result.percentiles_ms,
        result.version_name: result.version,
    }


def audit_facts(runs: Mapping[str, Result]) -> Known:
    """Return what an audit's runs came to, by its parts; the first has the figure."""
    if not runs:
        return {}
    parts = sorted(runs)
    verdicts = [runs[part].valid for part in parts]
    said = [f"{part}={_summary(runs[part])}" for part in parts]
    return {
        **result_facts(runs[parts[0]]),
        "audit_runs": said if len(parts) > 1 else None,
        "validity": False if False in verdicts else None if None in verdicts else True,
        "damage": [each for part in parts for each in runs[part].damage],
    }


def _summary(result: Result) -> str:
    said = {"value": "none", "unit": "", **texts(result_facts(result))}
    figure = f"{said['value']} {said['unit']}".rstrip()
    return f"{figure} {said.get('validity', 'without a verdict')}"


def _latencies(result: Result) -> Known:
    """Return the latencies, of a language model's Server run those that are judged."""
    tokens = result.tokens
    limited = {bound.percentile for bound in result.bounds if bound.limit_ms}
    whole: Known = {
        "p99_ms": result.percentiles_ms.get(99.0),
        "latency_limit_ms": result.target_latency_ms,
        "limit_percentile": next(iter(limited - {99.0}), None),
    }
    if tokens is None or not tokens.are_judged or not is_bounded(result.scenario):
        return whole
    if "latency" not in {bound.name for bound in result.bounds}:
        del whole["p99_ms"], whole["latency_limit_ms"]
    return whole | {
        "ttft_p99_ms": tokens.first_token.percentiles_ms.get(99.0),
        "ttft_limit_ms": tokens.first_token_limit_ms,
        "tpot_p99_ms": tokens.per_output_token.percentiles_ms.get(99.0),
        "tpot_limit_ms": tokens.per_output_token_limit_ms,
    }


def accuracy_facts(summary: Mapping[str, Any] | None) -> Known:
    """Return what ``accuracy_summary.json`` says; nothing where there is no verdict."""
    verdicts = accuracy_verdicts(summary)
    figures = [match for each in verdicts if (match := _ACCURACY.search(each))]
    if len(figures) < len(verdicts):
        return {"accuracy": " ".join(verdicts)}
    tests = [each.rpartition("Accuracy test ")[2].strip(" .") for each in verdicts]
    return {
        "accuracy": [match[1] for match in figures],
        "accuracy_threshold": [match[2] for match in figures],
        "accuracy_test": tests,
    }


def overlap_facts(overlap: OverlapReport) -> Known:
    """Return the verdict on the overlap and its smallest margins."""
    return {
        "overlap_ok": overlap.ok,
        "overlap_source": overlap.source,
        "start_margin_s": overlap.start_margin_s,
        "end_margin_s": overlap.end_margin_s,
    }


def main_facts(attempt: Attempt) -> Known:
    """Return what main came to, as far as it is known."""
    code, measured = attempt.main.exit_code, attempt.measured
    facts: Known = {"exit_code": "none" if code is None else str(code)}
    server = attempt.backgrounds.servers.of(attempt.plan.main)
    facts["server_ready_s"] = server.seconds_to_ready if server else None
    if measured is None:
        return facts
    main = measured.main
    facts["seconds"] = main.window.seconds
    facts["throttled_by"] = measured.telemetry.get("throttled_by", ())
    facts["audit_overrides"] = main.audit.meant
    facts |= audit_facts(main.audit.runs)
    if main.result is not None:
        facts |= result_facts(main.result) | accuracy_facts(main.accuracy)
    return facts


def end_facts(attempt: Attempt) -> Known:
    """Return how the backgrounds ended, what they came to, and clock steps."""
    return {
        "clock_steps": attempt.clock_steps,
        "background_exit_codes": [
            f"{launch.pair.benchmark}={_exit(harness)}"
            for launch, harness in attempt.workloads[1:]
        ],
        "background_values": list(map(str, own_figures(attempt))),
    }


def _exit(harness: HarnessProcess) -> str:
    if harness.stopped:
        return "stopped"
    if harness.exit_code is None:
        return "running" if harness.running else "none"
    return str(harness.exit_code)


def described(attempt: Attempt, *, read_logs: bool = True) -> dict[str, Any]:
    """Return what a record says of a try, at whatever point it is.

    To *read_logs* of its tools takes its time.
    """
    measured, overlap = attempt.measured, attempt.overlap
    activity = measured.activity if measured else {}
    runs = measured.main.audit.runs.items() if measured else ()
    servers = attempt.backgrounds.servers
    said: dict[str, Any] = {
        "overlap": overlap and [vars(each) for each in overlap.margins],
        "telemetry": measured.telemetry if measured else {},
        "audit": {part: result.to_dict() for part, result in runs},
        "harnesses": [
            _described(launch, harness, attempt.clock, read_logs=read_logs)
            | {"activity": activity.get(launch.folder.name)}
            | _served(servers.of(launch), attempt.clock, activity.get(served))
            for launch, harness in attempt.workloads
            for served in [server_of(launch)]
        ],
    }
    if read_logs:
        both = zip(said["harnesses"], workload_moments(attempt), strict=True)
        for harness_said, moments in both:
            harness_said.update(moments)
    return said


def _described(
    launch: Launch, harness: HarnessProcess, clock: Clock, *, read_logs: bool
) -> dict[str, Any]:
    result = result_of(launch) if read_logs and harness.exited else None
    otherwise = ran_otherwise(launch) if read_logs and harness.launched else []
    return {
        "role": launch.folder.name,
        "benchmark": launch.pair.benchmark,
        "scenario": launch.pair.scenario,
        "action": launch.action,
        "device": asdict(launch.device),
        "run_args": str(launch.run_args),
        "command": str(launch.command),
        "min_duration_s": launch.min_duration,
        "log_dir": str(launch.log_dir),
        "output": str(launch.output),
        **stamps(harness, clock, *_STAMPS),
        "exit_code": harness.exit_code,
        "asked": [asdict(each) for each in launch.asked],
        "ran_otherwise": otherwise,
        "loadgen": result and result.to_dict(),
    }


def _served(
    server: Server | None, clock: Clock, activity: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what a record says of the server that a harness loads, if there is one."""
    if server is None:
        return {}
    launch, process = server.launch, server.process
    said = {
        "command": str(launch.command),
        "port": launch.port,
        "output": str(launch.output),
        **stamps(process, clock, "launched", "stopped", "exited"),
        "ready": server.ready and clock.posix(server.ready.monotonic),
        "exit_code": process.exit_code,
        "activity": activity,
    }
    return {"server": said}


def own_figures(attempt: Attempt) -> list[Own]:
    """Return what backgrounds came to that ended by themselves, with a good result."""
    figures = []
    for launch, harness in attempt.workloads[1:]:
        if not harness.exited or harness.stopped:
            continue
        result = result_of(launch)
        if result is not None and result.metric is not None and not result.damage:
            told = launch.pair, launch.device.profile, launch.run_args
            metric = result.metric
            lower = not metric.higher_is_better
            figures.append(Own(*told, metric.value, metric.unit, lower))
    return figures
