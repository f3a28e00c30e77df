"""Reads the logs that MLPerf's LoadGen writes, of v1.0 up to today's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.loadgen import figures, keys, texts, windows
from pytest_mighetero.readers.loadgen.damage import damages
from pytest_mighetero.readers.loadgen.detail import (
    DETAIL_NAME,
    ISSUING_KEYS,
    ISSUING_MARK,
    MESSAGES_KEPT,
    DetailLog,
    read_detail,
)
from pytest_mighetero.readers.loadgen.differences import (
    OVERRIDDEN,
    SETTINGS,
    difference,
)
from pytest_mighetero.readers.loadgen.keys import Values, number, text
from pytest_mighetero.readers.loadgen.summary import (
    SUMMARY_NAME,
    SummaryLog,
    read_summary,
)
from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.readers.reader import Asked, Difference, Reader
from pytest_mighetero.readers.result import Result
from pytest_mighetero.terms.scenario import scenario_of

_Log = TypeVar("_Log", DetailLog, SummaryLog)


class _LoadGen(Reader):
    name = "loadgen"
    tool = "LoadGen"
    names = (DETAIL_NAME, SUMMARY_NAME)
    sign = Sign(DETAIL_NAME, re.compile(re.escape(ISSUING_MARK)), ISSUING_KEYS[0])
    settings = SETTINGS.keys()

    def read(self, folder: Path) -> Result:
        return read_result(folder)

    def differences(self, asked: Iterable[Asked], result: Result) -> list[Difference]:
        found = (difference(each, result) for each in asked)
        return [each for each in found if each is not None]

    def overridden(self, result: Result) -> bool:
        return any(OVERRIDDEN in warning for warning in result.warnings)

    def misreading(self, result: Result) -> str:
        if not windows.stamps_are_local(result.version):
            return ""
        return "LoadGen up to v1.0.1 stamps in local time: run it in pytest's zone"


READER = _LoadGen()


def read_result(folder: Path, *, utc_offset_s: float | None = None) -> Result:
    """Read what LoadGen logged about one run, finished, killed or still running.

    The detail log is the authority; the summary is asked for what that does not say,
    for the choice of the metric, and alone for LoadGen before v1.0, which wrote no
    MLLOG lines. Nothing is guessed: what the logs do not say is None. Whatever the
    files hold, and be they no files at all, is survived, and named in ``damage``.

    Args:
        folder: Where LoadGen wrote ``mlperf_log_detail.txt`` and
            ``mlperf_log_summary.txt``; one of them is enough.
        utc_offset_s: By how much the writing host's clock was ahead of UTC: by default
            as this one's. It matters for the windows of LoadGen up to v1.0.1 and for
            ``issuing_since`` of a log that was cut off.

    Raises:
        FileNotFoundError: The folder holds neither file.
    """
    detail, summary, damage = _read_logs(folder)
    values: dict[str, object] = {**summary.values, **detail.values}
    version = text(values, "loadgen_version")
    scenario = text(values, "effective_scenario", "requested_scenario")
    latency = figures.latency_of(values, scenario)
    metric = figures.metric_of(values, scenario, version, summary.metric_key)
    valid = {"VALID": True, "INVALID": False}.get(str(values.get("result_validity")))
    query_count = number(values, "result_query_count")
    timed, first_query, offset = windows.times_of(detail, version, utc_offset_s)
    errors, warnings, error_count = _messages(values, valid, detail, summary)
    early_stopping = texts.early_stopping_text(_early_stopping(values, summary))
    wanted = f"requested_{scenario_of(scenario).target_flag}"
    result = Result(
        folder=folder,
        tool=READER.tool,
        version=version,
        scenario=scenario,
        mode=text(values, "effective_test_mode", "requested_test_mode"),
        metric=metric,
        valid=valid,
        recommendations=_recommendations(values, summary),
        early_stopping=early_stopping,
        target_qps=number(values, wanted, "effective_target_qps"),
        scheduled_qps=number(values, keys.SCHEDULED),
        completed_qps=number(values, keys.COMPLETED),
        samples_per_second=number(values, keys.OFFLINE),
        target_latency_ms=figures.limit_ms(
            values, "effective_target_latency_ns", "requested_server_target_latency_ns"
        ),
        target_latency_percentile=figures.percent(values, keys.PERCENTILE),
        min_latency_ms=latency.min_ms,
        mean_latency_ms=latency.mean_ms,
        max_latency_ms=latency.max_ms,
        percentiles_ms=latency.percentiles_ms,
        tokens=figures.tokens_of(values),
        errors=errors,
        warnings=warnings,
        error_count=error_count,
        requested=_without("requested_", values),
        settings=_without("effective_", values),
        query_count=None if query_count is None else int(query_count),
        windows=timed,
        issuing_since=first_query,
        host_utc_offset_s=offset,
        damage=(*damage, *damages(detail, summary, values, scenario, metric)),
    )
    if valid is not False:
        return result
    reasons = texts.invalid_reasons(values, result.bounds, early_stopping)
    return replace(result, invalid_reasons=reasons)


def _messages(
    values: Values, valid: bool | None, detail: DetailLog, summary: SummaryLog
) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Return errors, warnings, and how many errors there are.

    That a VALID run ended as it was told to is a warning.
    """
    logged = int(max(0, number(values, "num_errors") or 0))
    count = max(detail.error_count, logged, summary.error_count or 0)
    if valid and (number(values, "effective_max_query_count") or 0) > 0:
        warnings = (*detail.warnings, *detail.told)
        return tuple(detail.errors), warnings, count - detail.told_count
    errors = (*detail.errors, *detail.told)[:MESSAGES_KEPT]
    return errors, tuple(detail.warnings), count


def _without(prefix: str, values: Values) -> dict[str, object]:
    """Return the values whose keys begin with *prefix*, by the rest of the key."""
    return {
        key.removeprefix(prefix): value
        for key, value in values.items()
        if key.startswith(prefix)
    }


def _read_logs(folder: Path) -> tuple[DetailLog, SummaryLog, list[str]]:
    damage: list[str] = []
    detail = _read(folder / DETAIL_NAME, read_detail, damage)
    summary = _read(folder / SUMMARY_NAME, read_summary, damage)
    if detail is None and summary is None and not damage:
        raise FileNotFoundError(
            f"No LoadGen log in {folder}: it holds neither {DETAIL_NAME} nor"
            f" {SUMMARY_NAME}."
        )
    return detail or DetailLog(missing=True), summary or SummaryLog(), damage


def _read(
    path: Path, read: Callable[[LogFile], _Log], damage: list[str]
) -> _Log | None:
    """Read one of the logs; None where it is not there, or damaged as a file."""
    try:
        with closing(LogFile(path)) as log:
            return read(log)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        damage.append(f"{path.name} cannot be read: {error.strerror}.")
        return None


def _early_stopping(values: Values, summary: SummaryLog) -> Mapping[str, str]:
    logged = {
        name: values.get(f"early_stopping_{name.lower()}{'_' if name else ''}result")
        for name in ("", "TTFT", "TPOT")
    }
    said = {name: str(lines) for name, lines in logged.items() if lines is not None}
    return said or summary.early_stopping


def _recommendations(values: Values, summary: SummaryLog) -> tuple[str, ...]:
    if summary.recommendations:
        return tuple(summary.recommendations)
    return texts.sentences(text(values, "result_invalid_reason") or "")
