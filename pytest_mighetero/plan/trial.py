"""Trials of a target QPS, and what a search may say after them: plain values."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mighetero.readers.result import LatencyBound, Result
from pytest_mighetero.units import significant

_KEPT_UP = 0.99


@dataclass(frozen=True)
class Trial:
    """One measured run.

    Attributes:
        full: at full length; else a short probe.
        p99_ms: the 99th percentile of the latency; of a language model that of TTFT
            or TPOT, whichever is nearer its limit.
        limit_ms: what the tool allows it.
        scheduled_qps: what the tool's schedule came to.
        completed_qps: what was answered, per second until the last answer.
        reason: why it was INVALID, in the tool's words.
        latency: the name of the latency.
        answer_s: how long a language model's whole answer takes: by so much a run is
            longer than its schedule, however fast the device is.
        seconds: of its timed window; 0 where not known.
    """

    target_qps: float
    full: bool
    valid: bool
    p99_ms: float | None
    limit_ms: float | None
    scheduled_qps: float | None
    completed_qps: float | None
    tool: str
    reason: str = ""
    latency: str = "p99"
    answer_s: float = 0.0
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the device bears the target, as far as this run can tell.

        A probe is too short for the tool's verdict, and for a backlog to reach the
        limit: latency judges it, and whether the device kept up.
        """
        within, share = self._within, self._answered
        if self.full or within is None or share is None:
            return self.valid
        return within and share >= _KEPT_UP

    @property
    def tells(self) -> bool:
        """Whether it says anything of the target: too few samples have no p99."""
        return self.full or self.p99_ms is not None or self.limit_ms is None

    @property
    def unexplained(self) -> bool:
        """Whether it is INVALID though p99 is within its limit and it kept up."""
        kept_up = (self._answered or 0) >= _KEPT_UP
        return not self.valid and bool(self._within) and kept_up

    @property
    def headroom(self) -> tuple[float, float] | None:
        """The load it put on the device, and the limit by p99 there; None if unknown.

        In a queue the second falls in a straight line with the first, to 0 at the
        device's capacity. That is the load of a run that did not keep up.
        """
        share = self._answered
        if share is not None and share < _KEPT_UP:
            return self.target_qps * share, 0.0
        if not self.p99_ms or not self.limit_ms:
            return None
        return self.target_qps, self.limit_ms / self.p99_ms

    @property
    def figures(self) -> str:
        """The target with p99, its limit and the tool's words, for a sentence."""
        p99, limit = (
            "unknown" if each is None else f"{significant(each, 4)} ms"
            for each in (self.p99_ms, self.limit_ms)
        )
        words = f"; {self.reason}" if self.reason and not self.holds else ""
        target = significant(self.target_qps, 10)
        return f"target {target} ({self.latency} {p99}, limit {limit}{words})"

    @property
    def _within(self) -> bool | None:
        if self.p99_ms is None or self.limit_ms is None:
            return None
        return self.p99_ms <= self.limit_ms

    @property
    def _answered(self) -> float | None:
        if not self.scheduled_qps or self.completed_qps is None:
            return None
        waited = min(0.5, self.answer_s / self.seconds) if self.seconds else 0.0
        return self.completed_qps / self.scheduled_qps / (1 - waited)


def trial_of(result: Result, *, full: bool) -> Trial:
    """Return what a run that was judged at its target is to a search."""
    bound = result.tightest or LatencyBound("latency", 99.0, None, None)
    of_tokens, window = bound.name != "latency", result.window
    return Trial(
        target_qps=result.target_qps or 0.0,
        full=full,
        valid=bool(result.valid),
        p99_ms=bound.ms,
        limit_ms=bound.limit_ms,
        scheduled_qps=result.scheduled_qps,
        completed_qps=result.completed_qps,
        tool=result.tool,
        reason="; ".join(result.invalid_reasons),
        latency=f"p{bound.percentile:g}{f' {bound.name}' if of_tokens else ''}",
        answer_s=(result.mean_latency_ms or 0.0) / 1e3 if of_tokens else 0.0,
        seconds=window.seconds if window else 0.0,
    )


@dataclass(frozen=True)
class Next:
    """What to run.

    Attributes:
        target_qps: None leaves the target to the harness's own configuration.
        why: a few words, for example ``between 900 and 960``.
    """

    target_qps: float | None
    full: bool
    why: str


@dataclass(frozen=True)
class Found:
    """The end of a search.

    Attributes:
        target_qps: the highest that was VALID at full length, as ``trial`` proved.
        invalid_above: the lowest full-length trial above it that did not hold, or the
            lowest such probe where there is none; None where everything above held.
        resolution: how far that one lies above, 0.01 for 1 %; infinite without one.
        complete: False when the budget ended the search before full-length trials
            closed the gap to the wanted resolution.
    """

    target_qps: float
    trial: Trial
    invalid_above: Trial | None
    resolution: float
    complete: bool


@dataclass(frozen=True)
class GaveUp:
    """The end of a search that found nothing; *reason* says what to change."""

    reason: str
