"""What one run of a tool came to: plain frozen values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, is_dataclass, replace
from typing import TYPE_CHECKING

from pytest_mighetero.terms.scenario import is_bounded
from pytest_mighetero.units import significant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_mighetero.terms.window import TimedWindow


@dataclass(frozen=True)
class Metric:
    """The figure by which MLPerf compares runs of one scenario.

    For instance ``completed samples per second`` in ``samples/s``; other units are
    ``tokens/s``, ``ms`` and ``samples/query``.

    Attributes:
        name: As the tool calls it.
        value: In ``unit``.
        unit: Of the value.
        higher_is_better: Whether more is better: not so of latencies.
    """

    name: str
    value: float
    unit: str
    higher_is_better: bool


@dataclass(frozen=True)
class LatencyStats:
    """A distribution of times; what the log does not say is None.

    Attributes:
        min_ms: The shortest, in milliseconds.
        mean_ms: The mean, in milliseconds.
        max_ms: The longest, in milliseconds.
        percentiles_ms: By percentile, for instance ``{99.0: 12.3, ...}``.
    """

    min_ms: float | None = None
    mean_ms: float | None = None
    max_ms: float | None = None
    percentiles_ms: Mapping[float, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenMetrics:
    """What a tool says of a run of a language model.

    Times to the first token (TTFT) and per output token (TPOT) have limits in the
    Server scenario; a tool may count tokens, or infer their number.

    Attributes:
        tokens_per_second: Output tokens, counted.
        inferred_tokens_per_second: Output tokens, where the tool infers their number.
        first_token: TTFT of a query.
        per_output_token: TPOT of a query: the mean over its tokens after the first.
        first_token_limit_ms: What TTFT may be, at ``target_latency_percentile``.
        per_output_token_limit_ms: What TPOT may be, likewise.
    """

    tokens_per_second: float | None = None
    inferred_tokens_per_second: float | None = None
    first_token: LatencyStats = LatencyStats()
    per_output_token: LatencyStats = LatencyStats()
    first_token_limit_ms: float | None = None
    per_output_token_limit_ms: float | None = None

    @property
    def are_judged(self) -> bool:
        """Whether TTFT and TPOT were measured, or limited; not where inferred."""
        limits = self.first_token_limit_ms or self.per_output_token_limit_ms
        first, each = self.first_token, self.per_output_token
        return bool(limits or first.percentiles_ms or each.percentiles_ms)


@dataclass(frozen=True)
class LatencyBound:
    """A latency by which a Server run is judged, as far as it is known.

    Attributes:
        name: ``latency``; of language models ``TTFT`` or ``TPOT``.
        percentile: Of the latency, for instance 99.0.
        ms: What it was, in milliseconds.
        limit_ms: What it may be, in milliseconds.
    """

    name: str
    percentile: float
    ms: float | None
    limit_ms: float | None

    @property
    def share(self) -> float | None:
        """What it was as a fraction of what it may be; None where one is unknown."""
        return self.ms / self.limit_ms if self.ms and self.limit_ms else None

    @property
    def missed(self) -> bool:
        """Whether it is known to be over its limit."""
        return (self.share or 0) > 1

    def __str__(self) -> str:
        ms, limit = (
            "unknown" if each is None else f"{significant(each, 4)} ms"
            for each in (self.ms, self.limit_ms)
        )
        what = "" if self.name == "latency" else f" {self.name}"
        return f"p{self.percentile:g}{what} {ms}, limit {limit}"


@dataclass(frozen=True)
class Result:
    """What the files of one run say; what they do not say is None or empty.

    Attributes:
        folder: Where the files are.
        tool: What wrote them, as sentences call it: ``LoadGen``.
        version: The tool's, for instance ``6.0.17 @ d6147c7eb7``.
        scenario: ``Offline``, ``Server``, ``SingleStream`` or ``MultiStream``.
        mode: ``PerformanceOnly``, ``AccuracyOnly``, ``SubmissionRun`` or
            ``FindPeakPerformance``.
        metric: The figure of its scenario.
        valid: Whether the tool calls the run VALID. LoadGen never does so for
            AccuracyOnly.
        judged_by: What says so, where that is not the tool: the suite's ``limits``.
        invalid_reasons: A sentence for each condition that an INVALID run missed.
        recommendations: What the tool says to change, a sentence each.
        early_stopping: What the tool says of early stopping: whether the queries were
            enough to be sure of the percentile.
        target_qps: The rate that was asked for (Server), or expected (all others).
        scheduled_qps: Server: the rate at which queries were issued.
        completed_qps: Server: the rate at which they were answered, up to the last.
        samples_per_second: Offline: the rate at which samples were answered.
        target_latency_ms: Server's limit.
        target_latency_percentile: What the limit holds for, or is the metric: 99.0.
        min_latency_ms: Per query in MultiStream, else per sample; so are the others.
        mean_latency_ms: The mean.
        max_latency_ms: The longest.
        percentiles_ms: By percentile, for instance ``{99.0: 12.3, ...}``.
        tokens: Of a language model; None of others.
        errors: The first 100 messages that the tool marks as errors.
        warnings: The first 100 that it marks as warnings, and in a VALID run that it
            ended as it was told to.
        error_count: All errors: the most that any of the tool's counts says.
        requested: The settings that reached the tool, by its own names and units.
        settings: What it made of them, likewise.
        query_count: Queries issued; Offline has a single one.
        completed: Requests that were answered well; None where it does not count them.
        failed: Requests that were not, likewise.
        duration_s: How long its timed part took, of a tool that has no ``windows``:
            when that was, what was printed and the process's life bound.
        windows: PerformanceOnly has one, AccuracyOnly one for each set of samples that
            fits into memory, FindPeakPerformance one per try.
        issuing_since: POSIX seconds of the first query, up to 1 s late where the log
            was cut off before the first window's end. None until queries are issued.
        host_utc_offset_s: By how much the writing host's clock was ahead of UTC. Of
            use to read the log of a run that was killed on the same host.
        damage: Sentences on what no log of one whole run would say: two files of
            different runs, a log that ends within the run, figures that are none. What
            such logs say is not to be trusted, VALID included.
    """

    folder: Path
    tool: str
    version: str | None = None
    scenario: str | None = None
    mode: str | None = None
    metric: Metric | None = None
    valid: bool | None = None
    judged_by: str | None = None
    invalid_reasons: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()
    early_stopping: str | None = None
    target_qps: float | None = None
    scheduled_qps: float | None = None
    completed_qps: float | None = None
    samples_per_second: float | None = None
    target_latency_ms: float | None = None
    target_latency_percentile: float | None = None
    min_latency_ms: float | None = None
    mean_latency_ms: float | None = None
    max_latency_ms: float | None = None
    percentiles_ms: Mapping[float, float] = field(default_factory=dict)
    tokens: TokenMetrics | None = None
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error_count: int = 0
    requested: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    query_count: int | None = None
    completed: int | None = None
    failed: int | None = None
    duration_s: float | None = None
    windows: tuple[TimedWindow, ...] = ()
    issuing_since: float | None = None
    host_utc_offset_s: float | None = None
    damage: tuple[str, ...] = ()

    @property
    def bounds(self) -> tuple[LatencyBound, ...]:
        """The latencies by which a Server run is judged; none elsewhere."""
        return self.bounds_at(self.target_latency_percentile or 99.0)

    def bounds_at(self, percentile: float) -> tuple[LatencyBound, ...]:
        """Return ``bounds`` at another percentile."""
        if not is_bounded(self.scenario):
            return ()
        ms, limit = self.percentiles_ms.get(percentile), self.target_latency_ms
        whole, tokens = LatencyBound("latency", percentile, ms, limit), self.tokens
        if tokens is None or not tokens.are_judged:
            return (whole,)
        limited = (
            ("TTFT", tokens.first_token, tokens.first_token_limit_ms),
            ("TPOT", tokens.per_output_token, tokens.per_output_token_limit_ms),
        )
        of_tokens = [
            LatencyBound(name, percentile, each.percentiles_ms.get(percentile), most)
            for name, each, most in limited
        ]
        return (*of_tokens, whole) if self.judged_by and limit else tuple(of_tokens)

    @property
    def tightest(self) -> LatencyBound | None:
        """That of ``bounds`` which is nearest its limit, or farthest over it."""
        known = [each for each in self.bounds if each.share is not None]
        return max(known or self.bounds, key=lambda each: each.share or 0, default=None)

    @property
    def window(self) -> TimedWindow | None:
        """From the first window's begin to the last one's end; None without any."""
        if not self.windows:
            return None
        end = max(window.end for window in self.windows)
        return replace(self.windows[0], end=end)

    @property
    def version_name(self) -> str:
        """How records and junit call ``version``: ``loadgen_version``."""
        return f"{self.tool.lower()}_version"

    def to_dict(self) -> dict[str, object]:
        """Return it all, ``window`` too, as data that ``json.dumps`` takes as it is.

        Paths become text, percentiles text such as ``99`` and ``99.9``, and numbers
        that JSON has no way to write None. ``tool`` stands in the version's name.
        """
        plain = {name: _plain(value) for name, value in vars(self).items()}
        named = {"folder": plain.pop("folder"), self.version_name: plain.pop("version")}
        del plain["tool"]
        return {**named, **plain, "window": _plain(self.window)}


def _plain(value: object) -> object:
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        return {
            f"{key:g}" if isinstance(key, float) else str(key): _plain(each)
            for key, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int)) else str(value)
