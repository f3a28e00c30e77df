"""The search for the highest VALID target QPS of one Server pair, with real runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mighetero.errors import RunError
from pytest_mighetero.plan.search import next_step
from pytest_mighetero.plan.target import probing, with_target
from pytest_mighetero.plan.trial import Found, GaveUp, Next, Trial
from pytest_mighetero.readers.result import LatencyBound, Result
from pytest_mighetero.records.comparison.reference_files import load_references
from pytest_mighetero.records.comparison.references import key_of
from pytest_mighetero.records.marks import same
from pytest_mighetero.records.record import Record, sameness
from pytest_mighetero.records.results_folder import good_records
from pytest_mighetero.run.attempt import Attempt, Warn
from pytest_mighetero.run.backgrounds.keeper import refuse_survivors
from pytest_mighetero.run.repetition import run_main
from pytest_mighetero.terms.scenario import scenario_of

if TYPE_CHECKING:
    from pytest_mighetero.run.case import Case

_PROBE_SHARE = 0.1  # of main's duration
# In less, the time to the last answer weighs more than 1 % of the run.
_SHORTEST_PROBE_S = 2.0
_PROFILE_UNKNOWN = "# Which profile these devices have, --main-profile says."
_LATENCIES = 100  # of the limit on p99


def tune(case: Case, warn: Warn) -> None:
    """Search; leave the full-length run at the target that was found as the result.

    Raises:
        RunError: nothing was found, main failed, or the overlap broke.
        HarnessError: something could not be started, or ran too long.
    """
    case.learn(tuned=True)
    start, source = _known_target(case)
    case.learn(tuned_from=source)
    duration = case.config.main_duration
    probe_s = max(_PROBE_SHARE * duration, _SHORTEST_PROBE_S)
    probes = probe_s <= duration / 2
    done: list[tuple[Trial, Attempt, dict[str, str]]] = []
    while True:
        trials = [trial for trial, _, _ in done]
        step = next_step(
            trials,
            start=start,
            resolution=case.config.tune_resolution,
            probes=probes,
        )
        if not isinstance(step, Next):
            break
        _plan(case, step, probe_s, len(done) + 1)
        attempt = case.attempt
        assert attempt is not None
        trial = _run(case, attempt, step, warn)
        probe_s = min(
            max(probe_s, _LATENCIES * (trial.limit_ms or 0) / 1e3), duration / 2
        )
        done.append((trial, attempt, dict(case.facts)))
        said = {**asdict(trial), "holds": trial.holds, "why": step.why}
        case.tuning.append({**said, **attempt.described()})
    case.learn(tune_runs=_count(trials))
    if isinstance(step, GaveUp):
        raise RunError(f"--mig-tune found no target of {case.pair}: {step.reason}")
    if not step.complete:
        warn(_incomplete(step, case.config.tune_resolution))
    _conclude(case, step, done)


def _plan(case: Case, step: Next, probe_s: float, number: int) -> None:
    """Get the next trial ready; the first one was planned with the test."""
    config = case.config
    if step.target_qps is not None:
        config = with_target(config, case.pair, step.target_qps)
    if not step.full:
        config = probing(config, probe_s)
    previous = case.attempt
    assert previous is not None
    if number > 1:
        previous.stop()
        refuse_survivors(previous.survivors())
        case.forget(*previous.measured_facts(), *previous.overlap_facts())
    length = "full length" if step.full else "probe"
    label = f"trial {number} ({length}, {step.why}): "
    case.plan_attempt(config, case.next_folder("trial", number), label=label)
    case.start_backgrounds()


def _run(case: Case, attempt: Attempt, step: Next, warn: Warn) -> Trial:
    """Measure one trial; only INVALID for its target is a result, too.

    Raises:
        RunError: main failed, or the overlap broke.
        HarnessError: it could not be launched, or ran too long.
    """
    broken = run_main(case, attempt, warn)
    result = attempt.main.result
    main = attempt.main
    unusable = result is None or result.valid is None
    if main.harness.exit_code or unusable or main.otherwise:
        main.judge()
    assert result is not None
    if result.error_count or result.damage or not result.target_qps:
        attempt.main.judge()
        raise RunError(
            f"{result.tool}'s log of {case.pair} does not say its target QPS."
        )
    problem = broken or attempt.unproved()
    problems = [problem] if problem and attempt.broken(problem, warn) else []
    if step.full and result.valid and attempt.backgrounds is not None:
        problems += attempt.finish(warn)
        case.learn(**attempt.overlap_facts())
    if problems:
        case.learn(overlap_ok=False)
        raise RunError("\n".join(problems))
    return _trial(result, full=step.full)


def _trial(result: Result, *, full: bool) -> Trial:
    bound = result.tightest or LatencyBound("latency", 99.0, None, None)
    token = "" if bound.name == "latency" else f" {bound.name}"
    return Trial(
        target_qps=result.target_qps or 0.0,
        full=full,
        valid=bool(result.valid),
        p99_ms=bound.ms,
        limit_ms=bound.limit_ms,
        scheduled_qps=result.scheduled_qps,
        completed_qps=result.completed_qps,
        reason="; ".join(result.invalid_reasons),
        latency=f"p{bound.percentile:g}{token}",
    )


def _conclude(
    case: Case, found: Found, done: list[tuple[Trial, Attempt, dict[str, str]]]
) -> None:
    """Make the run that proved the target the result of the test."""
    attempt, facts = next((a, f) for trial, a, f in done if trial is found.trial)
    case.forget(*(name for name in case.facts if name not in facts))
    case.attempt = attempt
    above = found.invalid_above
    case.learn(
        **facts,
        tune_runs=_count([trial for trial, _, _ in done]),
        tuned_target_qps=found.target_qps,
        tuned_resolution=found.resolution,
        tuned_complete=found.complete,
        tuned_invalid_above=math.inf if above is None else above.target_qps,
    )


def _incomplete(found: Found, wanted: float) -> str:
    above, end = found.invalid_above, "nothing above it was INVALID"
    if above is not None:
        end = f"{above.figures} did not hold, {found.resolution:.1%} above"
    return (
        f"--mig-tune: the search ended before {wanted:.1%} was proved: "
        f"{found.target_qps} is VALID at full length, {end}"
    )


def _count(trials: list[Trial]) -> str:
    full = sum(trial.full for trial in trials)
    return f"{full} at full length, {len(trials) - full} probes"


def _known_target(case: Case) -> tuple[float | None, str]:
    """Return a target to start from and where it is known from, the nearest first."""
    config, pair, facts = case.config, case.pair, case.facts
    if said := config.main_runargs.number(scenario_of(pair.scenario).target_flag):
        return said, "--main-benchmark-runargs"
    reference = load_references(config.references).get(key_of(facts))
    if reference is not None and reference.target_qps:
        return reference.target_qps, str(reference.path)
    alike = _alike(config.results_dir, f"-{pair}", facts)
    if alike is not None and alike.measurement is not None:
        return alike.measurement.target_qps, str(alike.path.parent)
    config_ver = config.config_ver_of(pair.benchmark)
    known = config.suite.target_qps(pair, facts.get("device_profile"), config_ver)
    if known is not None:
        return known, f"suite {config.suite.name}"
    return None, "the harness's configuration"


def _alike(results: Path, part: str, facts: Mapping[str, str]) -> Record | None:
    """Return the newest good run of the same thing, one of the same kind first."""
    wanted, kinds = sameness(facts), ("isolated", "heterogeneous")
    for kind in sorted(kinds, key=lambda each: each != facts["run"]):
        for record in good_records(results, part, same({**facts, "run": kind})):
            if record.measurement is not None and sameness(record.facts) == wanted:
                return record
    return None


def snippet(runs: Sequence[Mapping[str, str]]) -> str:
    """Return the targets that were found as TOML to paste into a suite file.

    Args:
        runs: the facts of the tests; of a pair tuned both ways the heterogeneous
            target counts.
    """
    tables: dict[str, dict[str, str]] = {}
    tuned = [facts for facts in runs if "tuned_target_qps" in facts]
    for facts in sorted(tuned, key=lambda facts: facts["run"]):
        key = key_of(facts)
        head = f'[targets."{key.profile or "unknown"}".{key.config_ver}]'
        if not key.profile:
            head = f"{_PROFILE_UNKNOWN}\n{head}"
        note = "  # isolated" if key.run == "isolated" else ""
        line = f"{key.benchmark} = {{ server = {facts['tuned_target_qps']} }}{note}"
        tables.setdefault(head, {}).setdefault(key.benchmark, line)
    return "\n\n".join("\n".join([h, *lines.values()]) for h, lines in tables.items())
