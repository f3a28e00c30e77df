"""What people and dashboards see of a run: facts, the block of them, the table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import RunPlan
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.overlap import OverlapReport
from pytest_mighetero.run.verdict import accuracy_verdicts
from pytest_mighetero.show.columns import columns
from pytest_mighetero.terms.pair import audit_of
from pytest_mighetero.terms.printable import printable_line
from pytest_mighetero.terms.scenario import is_bounded
from pytest_mighetero.units import significant

Facts = Mapping[str, str]

_COLUMNS = (
    ("benchmark", "benchmark"),
    ("scenario", "scenario"),
    ("run", "run"),
    ("valid", "validity"),
    ("target", "target_qps"),
    ("metric", "value"),
    ("", "unit"),
    ("p99 ms", "p99_ms"),
    ("limit ms", "latency_limit_ms"),
    ("p99 TTFT ms", "ttft_p99_ms"),
    ("limit ms", "ttft_limit_ms"),
    ("p99 TPOT ms", "tpot_p99_ms"),
    ("limit ms", "tpot_limit_ms"),
    ("accuracy", "accuracy"),
    ("threshold", "accuracy_threshold"),
    ("accuracy test", "accuracy_test"),
    ("overlap margin s", "end_margin_s"),
    ("seconds", "seconds"),
)
_LIMITS = {"latency_limit_ms", "ttft_limit_ms", "tpot_limit_ms"}
_AS_IT_IS = {"target_qps", "accuracy", "accuracy_threshold", *_LIMITS}
_LATENCIES = {"p99_ms", "ttft_p99_ms", "tpot_p99_ms"}
_NUMBERS = {"value", "end_margin_s", "seconds", *_LATENCIES, *_AS_IT_IS}
# NVIDIA's harness: "Accuracy = 76.460, Threshold = 75.695. Accuracy test PASSED."
_ACCURACY = re.compile(r"Accuracy = ([-\d.]+), Threshold = ([-\d.]+?)\.?(?:\s|$)")


def plan_facts(plan: RunPlan) -> dict[str, str]:
    """Return what is known once it is decided what to start."""
    device = plan.main.device
    return _known(
        run="heterogeneous" if plan.backgrounds else "isolated",
        device_uuid=device.uuid,
        device_profile=device.profile,
        device_slot=_number(device.slot),
        device_gi=_number(device.gi),
        device_ci=_number(device.ci),
        gpu=plan.gpu.name,
        geometry=str(plan.gpu),
        driver=plan.gpu.driver,
        harness_dir=str(plan.main.command.cwd),
        backgrounds=",".join(each.pair.benchmark for each in plan.backgrounds),
        background_devices=",".join(each.device.uuid for each in plan.backgrounds),
        run_args=str(plan.main.run_args),
        command=str(plan.main.command),
        log_dir=str(plan.main.log_dir),
    )


def result_facts(result: Result) -> dict[str, str]:
    """Return what main came to; what its tool did not say is left out."""
    validity = {True: "VALID", False: "INVALID", None: None}[result.valid]
    metric = result.metric
    return _known(
        validity=validity,
        damage=" ".join(result.damage),
        metric=metric.name if metric else None,
        value=significant(metric.value, 10) if metric else None,
        unit=metric.unit if metric else None,
        mode=result.mode,
        target_qps=_number(result.target_qps),
        **_latency_facts(result),
        percentiles_ms=" ".join(
            f"{percentile:g}={_number(ms)}"
            for percentile, ms in result.percentiles_ms.items()
        ),
        **{result.version_name: result.version},
    )


def audit_facts(runs: Mapping[str, Result]) -> dict[str, str]:
    """Return what an audit's runs came to; the first part's has the figure.

    Args:
        runs: by the audit's parts, ``TEST01`` or ``TEST04-A`` and ``TEST04-B``.
    """
    if not runs:
        return {}
    of_parts = {part: result_facts(runs[part]) for part in sorted(runs)}
    facts = next(iter(of_parts.values()))
    if len(runs) > 1:
        facts["audit_runs"] = ", ".join(
            f"{part}={said.get('value', 'none')} {said.get('unit', '')}".rstrip()
            + f" {said.get('validity', 'without a verdict')}"
            for part, said in of_parts.items()
        )
    verdicts = [said.get("validity") for said in of_parts.values()]
    if "INVALID" in verdicts:
        facts["validity"] = "INVALID"
    elif None in verdicts:
        facts.pop("validity", None)
    damage = [said["damage"] for said in of_parts.values() if "damage" in said]
    return facts | _known(damage=" ".join(damage))


def _latency_facts(result: Result) -> dict[str, str | None]:
    """Return the latencies, of a language model's Server run those that are judged."""
    tokens = result.tokens
    if tokens is None or not tokens.are_judged or not is_bounded(result.scenario):
        return {
            "p99_ms": _number(result.percentiles_ms.get(99.0)),
            "latency_limit_ms": _number(result.target_latency_ms),
        }
    return {
        "ttft_p99_ms": _number(tokens.first_token.percentiles_ms.get(99.0)),
        "ttft_limit_ms": _number(tokens.first_token_limit_ms),
        "tpot_p99_ms": _number(tokens.per_output_token.percentiles_ms.get(99.0)),
        "tpot_limit_ms": _number(tokens.per_output_token_limit_ms),
    }


def accuracy_facts(summary: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what ``accuracy_summary.json`` says; nothing where there is no verdict."""
    verdicts = accuracy_verdicts(summary)
    if not verdicts:
        return {}
    figures = [match for each in verdicts if (match := _ACCURACY.search(each))]
    tests = (each.rpartition("Accuracy test ")[2].strip(" .") for each in verdicts)
    if len(figures) < len(verdicts):
        return {"accuracy": " ".join(verdicts)}
    return {
        "accuracy": ", ".join(match[1] for match in figures),
        "accuracy_threshold": ", ".join(match[2] for match in figures),
        "accuracy_test": ", ".join(tests),
    }


def overlap_facts(overlap: OverlapReport) -> dict[str, str]:
    """Return the verdict on the overlap and its smallest margins."""
    return {
        "overlap_ok": str(overlap.ok).lower(),
        "overlap_source": overlap.source,
        "start_margin_s": f"{overlap.start_margin_s:.3f}",
        "end_margin_s": f"{overlap.end_margin_s:.3f}",
    }


def exit_codes(benchmarks: Sequence[str], harnesses: Sequence[HarnessProcess]) -> str:
    """Return ``bert=0,dlrm=stopped,...`` for backgrounds that have ended."""
    codes = []
    for name, harness in zip(benchmarks, harnesses, strict=True):
        ended = "running" if harness.running else "none"
        code = ended if harness.exit_code is None else str(harness.exit_code)
        codes.append(f"{name}={'stopped' if harness.stopped else code}")
    return ",".join(codes)


def _known(**facts: str | None) -> dict[str, str]:
    return {name: value for name, value in facts.items() if value}


def _number(value: float | None) -> str | None:
    return None if value is None else significant(value, 6)


def block(facts: Facts) -> str:
    """Return the facts as one short block of text."""
    width = max(map(len, facts))
    lines = (f"  {name:<{width}}  {value}" for name, value in facts.items())
    return "\n".join(["mighetero:", *map(printable_line, lines), ""])


def table(runs: Sequence[Facts]) -> list[str]:
    """Return one line for each run, under a line of headings."""
    shown = [column for column in _COLUMNS if any(column[1] in run for run in runs)]
    if not any(run.get("run") == "isolated" for run in runs):
        shown = [column for column in shown if column[1] != "run"]
    rows = [[_cell(run, name) for _, name in shown] for run in runs]
    right = [heading for heading, name in shown if name in _NUMBERS]
    return columns([heading for heading, _ in shown], rows, right)


def interference_table(runs: Sequence[Facts]) -> list[str]:
    """Return a line for each pair of which both kinds of run exist; else nothing.

    Of several runs of a pair the last one has them all in its medians.
    """
    last = {
        (run["benchmark"], run["scenario"]): run
        for run in runs
        if "interference" in run
    }
    rows = [
        [
            f"{benchmark}_{scenario}",
            *(run.get(name, "-") for name in ("isolated_value", "heterogeneous_value")),
            run["interference"].partition(" (")[0],
            run["interference"].rpartition("): ")[2],
        ]
        for (benchmark, scenario), run in last.items()
    ]
    headings = ("pair", "isolated", "heterogeneous", "change", "which is")
    return columns(headings, rows, right=headings[1:3]) if rows else []


def _cell(run: Facts, name: str) -> str:
    value = run.get(name, "-")
    if name in _LIMITS and not is_bounded(run["scenario"]):
        return "-"
    if name in _AS_IT_IS:
        return value
    if name == "validity" and "damage" in run:
        return f"{value}, damaged"
    if name in _NUMBERS and value != "-":
        by_markers = name == "end_margin_s" and run["overlap_source"] == "marker"
        return f"{float(value):.2f}{' by markers' if by_markers else ''}"
    if name == "scenario" and (audit := audit_of(run["action"])):
        return f"{value}-{audit}"
    return value
