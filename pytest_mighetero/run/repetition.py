"""Measuring main until it is good: overlap retries and target back-offs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_mighetero.devices.telemetry import throttling
from pytest_mighetero.errors import RunError
from pytest_mighetero.plan.advice import next_target
from pytest_mighetero.plan.durations import BackgroundTime
from pytest_mighetero.plan.target import with_target
from pytest_mighetero.run.attempt import Attempt, Warn
from pytest_mighetero.run.backgrounds.keeper import refuse_survivors
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.scenario import is_bounded

_CLOCK = (
    "'s stamps were read by what it said when, in favour of neither side; have "
    "it slewed, not stepped, while you measure"
)

if TYPE_CHECKING:
    from pytest_mighetero.run.case import Case


@dataclass(frozen=True)
class Again:
    """Why main is measured again, and with what.

    Attributes:
        kind: what went wrong: the ``overlap``, or main at its ``target``.
        problem: in one sentence.
        config: the settings of the next attempt.
        seconds: that its backgrounds must run; None for what is known of main.
    """

    kind: Literal["overlap", "target"]
    problem: str
    config: RunSpec
    seconds: float | None = None


def measure_until_good(case: Case, warn: Warn) -> None:
    """Measure main; repeat what ``--overlap-retries`` and back-offs allow.

    Raises:
        RunError: main is bad, or the overlap broke.
        HarnessError: something could not be started, or ran too long.
    """
    while (again := _measure_once(case, warn)) is not None:
        _repeat(case, again)


def _measure_once(case: Case, warn: Warn) -> Again | None:
    attempt = case.attempt
    assert attempt is not None
    broken = run_main(case, attempt, warn)
    if attempt.main.otherwise:
        attempt.main.judge()  # another target would be lost in the same way
    if again := _other_target(case, attempt):
        return again
    attempt.main.judge()
    if broken is not None and _left(case, "overlap"):
        if attempt.main.unloaded is not None:  # longer ones would do no better
            return Again("overlap", broken.partition("\n")[0], attempt.config)
        return _longer(attempt, broken)
    problem = broken or attempt.unproved()
    if problem is not None:
        case.learn(overlap_ok=False)
    if attempt.broken(problem, warn):
        raise RunError(str(problem))
    return None


def run_main(case: Case, attempt: Attempt, warn: Warn) -> str | None:
    """Run the main of *attempt* to its end and learn what it came to.

    Returns:
        How the overlap broke while main ran on, or None.

    Raises:
        RunError: the overlap broke, and main was stopped; or a background crashed.
        HarnessError: main could not be launched, or ran too long.
    """

    def go_on() -> bool:
        assert attempt.backgrounds is not None
        fits = bool(_left(case, "overlap")) and not attempt.backgrounds.crashed()
        return case.config.lenient or fits

    try:
        broken = attempt.measure(go_on)
    except RunError:
        case.learn(overlap_ok=False)
        raise
    finally:
        case.place.unlock_folder()
        case.learn(**attempt.measured_facts())
    for known in case.place.warnings:
        warn(known)
    if (throttled := throttling(attempt.main.telemetry())) is not None:
        warn(throttled)
    if (stopped := attempt.main.stopped()) is not None:
        warn(stopped)
    if attempt.clock_stepped:
        tool = attempt.main.launch.reader.tool
        warn(
            f"the wall clock was set meanwhile ({attempt.clock_steps}): {tool}{_CLOCK}"
        )
    if attempt.backgrounds is not None and attempt.main.window is not None:
        overlap = attempt.backgrounds.overlap(attempt.main.window)
        case.learn(start_margin_s=overlap.start_margin_s)
    if crash := attempt.crash(broken, warn):
        if broken is not None:
            case.learn(overlap_ok=False)
        raise RunError(crash)
    return broken


def _left(case: Case, kind: Literal["overlap", "target"]) -> int:
    config = case.config
    backoffs = config.target_backoffs if config.target_backoff else 0
    allowed = config.overlap_retries if kind == "overlap" else backoffs
    return allowed - [each["kind"] for each in case.attempts].count(kind)


def _other_target(case: Case, attempt: Attempt) -> Again | None:
    """Return with which target an INVALID main is worth another attempt."""
    result, step = attempt.main.result, case.config.target_backoff
    if result is None or step is None or attempt.main.harness.exit_code:
        return None
    target = next_target(result, step)
    if target is None or not _left(case, "target"):
        return None
    if "target_qps_first" not in case.facts:
        case.learn(target_qps_first=result.target_qps or 0.0)
    if is_bounded(case.pair.scenario):
        case.learn(target_qps_invalid=result.target_qps or 0.0)
    problem = "; ".join(attempt.main.problems())
    return Again("target", problem, with_target(attempt.config, case.pair, target))


def _longer(attempt: Attempt, broken: str) -> Again:
    """Return how long backgrounds must be for what main took.

    Raises:
        RunError: that is longer than a background may run.
    """
    assert attempt.backgrounds is not None
    assert attempt.main.window is not None
    seconds = attempt.backgrounds.enough_for(attempt.main.window)
    if seconds > attempt.config.background_timeout:
        raise RunError(f"Longer than --background-benchmark-timeout: {broken}")
    return Again("overlap", broken.partition("\n")[0], attempt.config, seconds)


def _repeat(case: Case, again: Again) -> None:
    """Keep what the attempt came to, and get the next one ready.

    Raises:
        HarnessError: the backgrounds did not get ready.
    """
    attempt = case.attempt
    assert attempt is not None
    attempt.stop()
    case.learn(**attempt.exit_facts())
    refuse_survivors(attempt.survivors())
    case.attempts.append(
        {
            "kind": again.kind,
            "problem": again.problem,
            "facts": dict(case.facts),
            **attempt.described(),
        }
    )
    number = len(case.attempts)
    case.forget(*attempt.measured_facts(), *attempt.exit_facts())
    case.forget("overlap_ok", "start_margin_s")
    case.learn(attempts=number + 1, **{f"attempt_{number}": again.problem})
    time = BackgroundTime(again.seconds, "retry") if again.seconds else None
    folder, label = case.next_folder("attempt", number + 1), f"attempt {number + 1}: "
    case.plan_attempt(again.config, folder, time, label)
    case.start_backgrounds()
