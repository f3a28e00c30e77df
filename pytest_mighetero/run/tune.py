"""The search for the highest VALID target QPS of one Server pair, with real runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pytest_mighetero.plan.run_plan import probing, with_target
from pytest_mighetero.plan.search import next_step
from pytest_mighetero.plan.trial import Found, GaveUp, Next, Trial, trial_of
from pytest_mighetero.readers.result import Result
from pytest_mighetero.records.comparison.reference_files import load_references
from pytest_mighetero.records.comparison.references import key_of
from pytest_mighetero.records.facts import Facts
from pytest_mighetero.records.marks import same
from pytest_mighetero.records.record import Record, sameness
from pytest_mighetero.records.results_folder import good_records
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.evidence.workload import Measured
from pytest_mighetero.run.findings import described
from pytest_mighetero.run.rig import Rig
from pytest_mighetero.run.verdict import Warn, fail, on_main, on_overlap
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.scenario import scenario_of
from pytest_mighetero.units import significant

_PROBE_SHARE = 0.1  # of main's duration
# In less, the time to the last answer weighs more than 1 % of the run.
_SHORTEST_PROBE_S = 2.0
_PROFILE_UNKNOWN = "# Which profile these devices have, --main-profile says."
_LATENCIES = 100  # of the limit on p99
_ANSWERS = 5  # of a language model, before as many end as begin


@dataclass(frozen=True)
class _Done:
    """A trial that was run: the try, what it came to, and the facts as of then."""

    trial: Trial
    attempt: Attempt
    measured: Measured
    facts: Mapping[str, str]


def tune(rig: Rig, attempt: Attempt, warn: Warn) -> tuple[Attempt, Measured]:
    """Search; leave the full-length run at the target that was found as the result.

    Raises:
        RunError: nothing was found, main failed, or the overlap broke.
        HarnessError: something could not be started, or ran too long.
    """
    config, ledger = rig.config, rig.ledger
    ledger.learn(tuned=True)
    start, source = _known_target(config, rig.pair, ledger.facts)
    whole = config.suite.harness_of(rig.pair.benchmark).whole_targets
    if start is not None and whole and not start.is_integer():
        source += f" ({significant(start, 10)}: the harness takes whole targets alone)"
    ledger.learn(tuned_from=source)
    duration = config.main_duration
    probe_s = max(_PROBE_SHARE * duration, _SHORTEST_PROBE_S)
    probes, resolution = probe_s <= duration / 2, config.tune_resolution
    done: list[_Done] = []
    while True:
        trials = [each.trial for each in done]
        step = next_step(
            trials, start=start, resolution=resolution, probes=probes, whole=whole
        )
        if not isinstance(step, Next):
            break
        if ledger.trials:
            rig.end(attempt)
            ledger.next_try()
        attempt = _plan(rig, step, probe_s, len(ledger.trials) + 1)
        measured = rig.measure(attempt, warn, again=bool(config.overlap_retries))
        trial = _judged(rig, attempt, measured, step, warn)
        settled = _LATENCIES * (trial.limit_ms or 0) / 1e3, _ANSWERS * trial.answer_s
        longest = max(probe_s, *settled)
        probe_s = min(longest, duration / 2)
        if trial.tells:
            done.append(_Done(trial, attempt, measured, dict(ledger.facts)))
        else:  # and a longer probe would cost what a full-length run does
            probes = False
        said = {**asdict(trial), "holds": trial.holds, "why": step.why}
        del said["tool"]
        ledger.trials.append({**said, **described(attempt)})
    ledger.learn(tune_runs=_count(trials))
    said_by = rig.config.said_by["mig-tune"]
    if isinstance(step, GaveUp):
        fail(f"{said_by} found no target of {rig.pair}: {step.reason}")
    if not step.complete:
        warn(f"{said_by}: {_incomplete(step, resolution)}")
    proof = next(each for each in done if each.trial is step.trial)
    rig.attempt = proof.attempt
    ledger.restore(proof.facts)
    above = step.invalid_above
    ledger.learn(
        tune_runs=_count(trials),
        tuned_target_qps=step.target_qps,
        tuned_resolution=step.resolution,
        tuned_complete=step.complete,
        tuned_invalid_above=math.inf if above is None else above.target_qps,
    )
    return proof.attempt, proof.measured


def _plan(rig: Rig, step: Next, probe_s: float, number: int) -> Attempt:
    """Get the next trial ready; the first one takes the place of the test's own."""
    config = rig.config
    if step.target_qps is not None:
        config = with_target(config, rig.pair, step.target_qps)
    if not step.full:
        config = probing(config, rig.pair, probe_s)
    length = "full length" if step.full else "probe"
    label = f"trial {number} ({length}, {step.why}): "
    attempt = rig.plan(config, rig.folder / f"trial-{number}", label=label)
    rig.start(attempt)
    return attempt


def _judged(
    rig: Rig, attempt: Attempt, measured: Measured, step: Next, warn: Warn
) -> Trial:
    """Return what a trial came to: INVALID for its target is a result, too."""
    main, result = measured.main, measured.main.result
    if result is None or main.exit_code or main.otherwise or not _is_usable(result):
        tool = main.launch.reader.tool
        unsaid = f"{tool}'s log of {rig.pair} does not say its target QPS."
        about = [main.launch.output]
        fail(*(on_main(main).problems or (unsaid,)), about=about)
    verdict = on_overlap(measured, lenient=rig.config.lenient)
    if step.full and result.valid and measured.beside:
        verdict += rig.outlast(attempt, measured)
    if verdict.problems:
        rig.ledger.learn_of_try(overlap_ok=False)
    verdict.enforce(warn)
    return trial_of(result, full=step.full)


def _is_usable(result: Result) -> bool:
    """Tell whether a run was judged at a target it names, and nothing is amiss."""
    judged = result.valid is not None and bool(result.target_qps)
    return judged and not (result.error_count or result.damage)


def _incomplete(found: Found, wanted: float) -> str:
    above, end = found.invalid_above, "nothing above it was INVALID"
    if above is not None:
        end = f"{above.figures} did not hold, {found.resolution:.1%} above"
    return (
        f"the search ended before {wanted:.1%} was proved: "
        f"{significant(found.target_qps, 10)} is VALID at full length, {end}"
    )


def _count(trials: list[Trial]) -> str:
    full = sum(trial.full for trial in trials)
    return f"{full} at full length, {len(trials) - full} probes"


def _known_target(
    config: RunSpec, pair: Pair, facts: Mapping[str, str]
) -> tuple[float | None, str]:
    """Return a target to start from and where it is known from, the nearest first."""
    if said := config.main_runargs.number(scenario_of(pair.scenario).target_flag):
        return said, config.said_by["main-benchmark-runargs"]
    reference = load_references(config.references).get(key_of(facts))
    if reference is not None and reference.target_qps:
        return reference.target_qps, str(reference.path)
    alike = _alike(config.history_dir, f"-{pair}", facts)
    if alike is not None and alike.measurement is not None:
        return alike.measurement.target_qps, str(config.kept(alike.folder))
    config_ver = config.config_ver_of(pair.benchmark)
    known = config.suite.figures(pair, facts.get("device_profile"), config_ver)
    if known:
        return known[0], f"suite {config.suite.name}"
    return None, "the harness's configuration"


def _alike(results: Path, part: str, facts: Mapping[str, str]) -> Record | None:
    """Return the newest good run of the same thing, one of the same kind first."""
    wanted, kinds = sameness(facts), ("isolated", "heterogeneous")
    for kind in sorted(kinds, key=lambda each: each != facts["run"]):
        for record in good_records(results, part, same({**facts, "run": kind})):
            if record.measurement is not None and sameness(record.facts) == wanted:
                return record
    return None


def snippet(runs: Sequence[Facts]) -> str:
    """Return the targets that were found as TOML to paste into a suite file.

    *runs* are the facts of the tests; of a pair tuned both ways the heterogeneous
    target counts.
    """
    tables: dict[str, dict[str, dict[str, Facts]]] = {}
    tuned = [facts for facts in runs if "tuned_target_qps" in facts]
    for facts in sorted(tuned, key=lambda facts: facts["run"]):
        key = key_of(facts)
        version = key.config_ver or "default"
        head = f'[targets."{key.profile or "unknown"}".{version}]'
        if not key.profile:
            head = f"{_PROFILE_UNKNOWN}\n{head}"
        benchmarks = tables.setdefault(head, {})
        benchmarks.setdefault(key.benchmark, {}).setdefault(key.scenario, facts)
    return "\n\n".join(
        "\n".join([head, *(_line(name, found) for name, found in benchmarks.items())])
        for head, benchmarks in tables.items()
    )


def _line(benchmark: str, found: Mapping[str, Facts]) -> str:
    """Return the targets of a benchmark by scenario as a line of TOML."""
    targets = (f"{each} = {found[each]['tuned_target_qps']}" for each in found)
    alone = [each for each in found if found[each]["run"] == "isolated"]
    note = "" if not alone else f"  # isolated: {', '.join(alone)}"
    return f"{benchmark} = {{ {', '.join(targets)} }}{note}"
