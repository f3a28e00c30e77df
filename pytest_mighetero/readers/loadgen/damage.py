"""What no log of one whole run would say, in sentences: pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from pytest_mighetero.readers.loadgen.detail import DETAIL_NAME, DetailLog
from pytest_mighetero.readers.loadgen.keys import Values, finite
from pytest_mighetero.readers.loadgen.summary import SUMMARY_NAME, SummaryLog
from pytest_mighetero.readers.result import Metric
from pytest_mighetero.terms.scenario import SCENARIOS
from pytest_mighetero.units import significant

_FIGURE = re.compile(
    r"result_\w*samples_per_sec(?:ond)?"
    r"|result_(?:inferred_)?(?:completed_)?tokens_per_second"
    r"|result_(?:min|max|mean)_(?:query_)?latency_ns"
    r"|result_first_token_(?:min|max|mean)_latency_ns"
    r"|result_(?:first_token_)?[\d.]+_percentile_\w*ns"
    r"|result_time_per_output_token_[\d.]+_percentile_ns"
    r"|result_query_count|num_errors|early_stopping_latency_(?:ss|ms)",
    re.ASCII,
)
_LIMITS = (
    "effective_target_latency_ns",
    "requested_server_target_latency_ns",
    "requested_server_ttft_latency",
    "requested_server_tpot_latency",
)
_TARGETS = {
    each.logged: (f"requested_{each.target_flag}", "effective_target_qps")
    for each in SCENARIOS.values()
    if each.target_flag
}
_CONDITIONS = {
    "result_perf_constraints_met": "performance constraints were",
    "result_min_duration_met": "minimum duration was",
    "result_min_queries_met": "minimum query count was",
    "early_stopping_met": "early stopping was",
}
_SAME = ("result_validity", "effective_scenario", "effective_test_mode", *_CONDITIONS)

# The summary rounds to two decimals, the detail log to six digits.
_DECIMALS, _DIGITS = 0.0051, 2e-5
_NAMED = 3  # keys in a sentence


def damages(
    detail: DetailLog,
    summary: SummaryLog,
    values: Values,
    scenario: str | None,
    metric: Metric | None,
) -> Iterator[str]:
    """Yield what is wrong with the logs of a run; *values* are of both together."""
    yield from (f"{SUMMARY_NAME}: {problem}." for problem in summary.problems)
    if detail.runs > 1:
        yield f"{DETAIL_NAME} holds several runs: it begins anew within itself."
    yield from _cut(detail, summary, values)
    ended = detail.values.get("result_validity") is not None
    if ended and not summary.empty and "result_validity" not in summary.values:
        yield f"{SUMMARY_NAME} has no result, though {DETAIL_NAME} has the run's."
    yield from _of_two_runs(detail.values, summary.values)
    if keys := detail.contradictions:
        yield f"{DETAIL_NAME} gives two different results: {_named(keys)}."
    if values.get("result_validity") is not None:
        if keys := detail.unreadable:
            yield f"{DETAIL_NAME} has lines that cannot be read: {_named(keys)}."
        yield from _bad_figures(values)
        yield from _bad_verdict(values, scenario, metric)


def _named(keys: list[str]) -> str:
    different = list(dict.fromkeys(keys))
    more = len(different) - _NAMED
    return ", ".join(different[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _cut(detail: DetailLog, summary: SummaryLog, values: Values) -> Iterator[str]:
    """Yield that the detail log ends before what the summary says was written."""
    if "result_validity" in summary.values:
        whole = "result_validity" in detail.values
    else:
        accuracy = values.get("effective_test_mode") == "AccuracyOnly"
        ended = [end for _, end in detail.stamps]
        whole = bool(ended and None not in ended)
        if not accuracy or summary.error_count is None:
            return
    if whole or detail.missing or (detail.readable and not detail.runs):
        return
    what, whose = "is cut off within the run", "its"
    if not detail.readable:
        what = "is empty" if detail.empty else "holds no line of LoadGen's"
        whose = "the run's"
    yield f"{DETAIL_NAME} {what}, though {SUMMARY_NAME} has {whose} end."


def _of_two_runs(detail: Values, summary: Values) -> Iterator[str]:
    """Yield the first thing of which the two files say something different."""
    for key in (*_SAME, *filter(_FIGURE.fullmatch, summary)):
        one, other = detail.get(key), summary.get(key)
        if key not in _SAME:
            left, right = finite(one), finite(other)
            if left is None or right is None:
                continue
            if math.isclose(left, right, rel_tol=_DIGITS, abs_tol=_DECIMALS):
                continue
            one, other = significant(left, 9), significant(right, 9)
        if one is not None and other is not None and one != other:
            yield (
                f"{DETAIL_NAME} and {SUMMARY_NAME} are of different runs: {key} is "
                f"{one} in one, {other} in the other."
            )
            return


def _bad_figures(values: Values) -> Iterator[str]:
    keys = [key for key in values if key in _LIMITS or _FIGURE.fullmatch(key)]
    if bad := [key for key in keys if not _is_figure(values[key])]:
        yield f"LoadGen's log has figures that are none: {_named(bad)}."


def _is_figure(value: object) -> bool:
    number = finite(value)
    return number is not None and number >= 0


def _bad_verdict(
    values: Values, scenario: str | None, metric: Metric | None
) -> Iterator[str]:
    verdict = values["result_validity"]
    if verdict not in ("VALID", "INVALID"):
        said = str(verdict)[:40]
        yield f"LoadGen's verdict is {said!r}, expected VALID or INVALID."
    if verdict != "VALID":
        return
    if metric is None or metric.value <= 0:
        given = "no metric" if metric is None else f"a metric of {metric.value:g}"
        yield f"LoadGen says VALID and gives {given}."
    for key in _TARGETS.get(scenario or "", ()):
        if key in values and not (finite(values[key]) or 0) > 0:
            yield f"LoadGen says VALID, and {key} is {str(values[key])[:40]}."
    for key, condition in _CONDITIONS.items():
        if values.get(key) is False:
            yield f"LoadGen says VALID, and that its {condition} not met."
