"""Measuring main until it is good: overlap retries and target back-offs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_mighetero.plan.advice import next_target
from pytest_mighetero.plan.durations import BackgroundTime
from pytest_mighetero.plan.run_plan import with_target
from pytest_mighetero.run.attempt import Attempt
from pytest_mighetero.run.evidence.workload import Measured
from pytest_mighetero.run.findings import described
from pytest_mighetero.run.rig import Rig
from pytest_mighetero.run.verdict import (
    Verdict,
    Warn,
    enough_for,
    fail,
    main_problems,
    on_main,
    on_overlap,
)
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.scenario import is_bounded


@dataclass(frozen=True)
class Again:
    """Why main is measured again, and with what.

    Attributes:
        kind: what went wrong: the ``overlap``, or main at its ``target``.
        config: the settings of the next try.
        time: that its backgrounds must run; None for what is known of main.
    """

    kind: Literal["overlap", "target"]
    problem: str
    config: RunSpec
    time: BackgroundTime | None = None


def measure_until_good(
    rig: Rig, attempt: Attempt, warn: Warn
) -> tuple[Attempt, Measured]:
    """Return the try that is good: what retries and back-offs allow is repeated."""
    done: list[Again] = []
    while True:
        measured = rig.measure(attempt, warn, again=bool(_left(rig, done, "overlap")))
        again = _judge(rig, attempt, measured, done, warn)
        if again is None:
            return attempt, measured
        done.append(again)
        attempt = _repeat(rig, attempt, again, len(done))


def _left(rig: Rig, done: list[Again], kind: Literal["overlap", "target"]) -> int:
    config = rig.config
    backoffs = config.target_backoffs if config.target_backoff else 0
    allowed = config.overlap_retries if kind == "overlap" else backoffs
    return allowed - [each.kind for each in done].count(kind)


def _judge(
    rig: Rig, attempt: Attempt, measured: Measured, done: list[Again], warn: Warn
) -> Again | None:
    """Return why another try is worth it; None where this one is good."""
    verdict, broken = on_main(measured.main), measured.broken
    if measured.main.otherwise:
        verdict.enforce(warn)  # another target would be lost in the same way
    if _left(rig, done, "target") and (again := _other_target(rig, attempt, measured)):
        return again
    verdict.enforce(warn)
    if broken is not None and _left(rig, done, "overlap"):
        if measured.unloaded:  # longer ones would do no better
            return Again("overlap", broken.summary, attempt.config)
        seconds = enough_for(attempt.config, measured)
        if seconds > attempt.config.background_timeout:
            said_by = rig.config.said_by["background-benchmark-timeout"]
            fail(f"Longer than {said_by}: {broken.problem}", about=broken.about)
        time = BackgroundTime(seconds, "retry")
        return Again("overlap", broken.summary, attempt.config, time)
    overlap = on_overlap(measured, lenient=rig.config.lenient)
    if overlap != Verdict():
        rig.ledger.learn_of_try(overlap_ok=False)
    overlap.enforce(warn)
    return None


def _other_target(rig: Rig, attempt: Attempt, measured: Measured) -> Again | None:
    """Return with which target an INVALID main is worth another try."""
    result, step = measured.main.result, rig.config.target_backoff
    if result is None or step is None or measured.main.exit_code:
        return None
    whole = measured.main.launch.tool.whole_targets
    if (target := next_target(result, step, whole=whole)) is None:
        return None
    was = result.target_qps or 0.0
    if "target_qps_first" not in rig.ledger.facts:
        rig.ledger.learn(target_qps_first=was)
    if is_bounded(rig.pair.scenario):
        rig.ledger.learn(target_qps_invalid=was)
    problem = "; ".join(main_problems(measured.main))
    return Again("target", problem, with_target(attempt.config, rig.pair, target))


def _repeat(rig: Rig, attempt: Attempt, again: Again, number: int) -> Attempt:
    """Keep what the try with this *number* came to, and get the next one ready."""
    rig.end(attempt)
    ledger = rig.ledger
    why = {"kind": again.kind, "problem": again.problem}
    said = {**why, "facts": dict(ledger.facts), **described(attempt)}
    ledger.attempts.append(said)
    ledger.next_try()
    ledger.learn(attempts=number + 1, **{f"attempt_{number}": again.problem})
    folder, label = rig.folder / f"attempt-{number + 1}", f"attempt {number + 1}: "
    following = rig.plan(again.config, folder, again.time, label)
    rig.start(following)
    return following
