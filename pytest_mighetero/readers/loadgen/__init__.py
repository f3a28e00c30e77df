"""Finds LoadGen's logs and reads those of one run into a ``Result``."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_mighetero.readers.loadgen import figures, texts, windows
from pytest_mighetero.readers.loadgen.damage import damages
from pytest_mighetero.readers.loadgen.detail import (
    DETAIL_NAME,
    MESSAGES_KEPT,
    DetailLog,
    has_issuing_line,
    read_detail,
)
from pytest_mighetero.readers.loadgen.summary import (
    SUMMARY_NAME,
    SummaryLog,
    read_summary,
)
from pytest_mighetero.readers.loadgen.version import stamps_are_local
from pytest_mighetero.readers.logfile import LogFile, Readable
from pytest_mighetero.readers.result import Result
from pytest_mighetero.terms.scenario import scenario_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_mighetero.terms.window import TimedWindow

_Log = TypeVar("_Log", DetailLog, SummaryLog)

_ASKED, _SETTING = "requested_", "effective_"


def find_results(log_dir: Path) -> tuple[Path, ...]:
    """Return the folders that hold a LoadGen log, sorted.

    Args:
        log_dir: Searched itself and all the way down; links to folders are not
            followed. One that does not exist holds nothing.
    """
    return tuple(
        sorted(
            Path(folder)
            for folder, _, names in os.walk(log_dir)
            if DETAIL_NAME in names or SUMMARY_NAME in names
        )
    )


def read_results(log_dir: Path) -> list[Result]:
    """Read what ``find_results`` finds, without what is gone by then."""
    results = []
    for folder in find_results(log_dir):
        with suppress(FileNotFoundError):
            results.append(read_result(folder))
    return results


def is_issuing(folder: Path) -> bool:
    """Tell whether the run that logs to a folder has come to its first query.

    Cheap enough to ask several times a second of a live run: the detail log is read
    up to its first ``generated_query_count`` line. It stays true when the run is over.

    Args:
        folder: Where LoadGen writes its logs; it need not exist yet. What is no log,
            or cannot be read, has no first query.
    """
    try:
        with closing(LogFile(folder / DETAIL_NAME)) as log:
            return has_issuing_line(log)
    except OSError:
        return False


def read_result(folder: Path, *, utc_offset_s: float | None = None) -> Result:
    """Read what LoadGen logged about one run, finished, killed or still running.

    The detail log is the authority; the summary is asked for what that does not say,
    for the choice of the metric, and alone for LoadGen before v1.0, which wrote no
    MLLOG lines. Nothing is guessed: what the logs do not say is None. Whatever the
    files hold, and be they no files at all, is survived, and named in ``damage``.

    Args:
        folder: Where LoadGen wrote ``mlperf_log_detail.txt`` and
            ``mlperf_log_summary.txt``; one of them is enough.
        utc_offset_s: By how many seconds the writing host's clock was ahead of UTC. By
            default that host is taken to share this one's time zone. It matters for
            the windows of LoadGen up to v1.0.1 and for ``issuing_since`` of a log that
            was cut off; all other stamps are in UTC.

    Raises:
        FileNotFoundError: The folder holds neither file.
    """
    detail, summary, damage = _read_logs(folder)
    values: dict[str, object] = {**summary.values, **detail.values}
    version = figures.text(values, "loadgen_version")
    scenario = figures.text(values, "effective_scenario", "requested_scenario")
    latency = figures.latency_of(values, scenario)
    metric = figures.metric_of(values, scenario, version, summary.metric_key)
    validity = values.get("result_validity")
    query_count = figures.number(values, "result_query_count")
    timed, issuing_since, host_offset = _times(detail, version, utc_offset_s)
    result = Result(
        folder=folder,
        loadgen_version=version,
        scenario=scenario,
        mode=figures.text(values, "effective_test_mode", "requested_test_mode"),
        metric=metric,
        valid={"VALID": True, "INVALID": False}.get(str(validity)),
        recommendations=_recommendations(values, summary),
        early_stopping=texts.early_stopping_text(_early_stopping(values, summary)),
        target_qps=_target_qps(values, scenario),
        scheduled_qps=figures.number(values, figures.SCHEDULED_KEY),
        completed_qps=figures.number(values, figures.COMPLETED_KEY),
        samples_per_second=figures.number(values, figures.OFFLINE_KEY),
        target_latency_ms=figures.limit_ms(
            values, "effective_target_latency_ns", "requested_server_target_latency_ns"
        ),
        target_latency_percentile=figures.percent(
            values, "effective_target_latency_percentile"
        ),
        min_latency_ms=latency.min_ms,
        mean_latency_ms=latency.mean_ms,
        max_latency_ms=latency.max_ms,
        percentiles_ms=latency.percentiles_ms,
        tokens=figures.tokens_of(values),
        warnings=tuple(detail.warnings),
        requested=_without(_ASKED, values),
        settings=_without(_SETTING, values),
        query_count=None if query_count is None else int(query_count),
        windows=timed,
        issuing_since=issuing_since,
        host_utc_offset_s=host_offset,
        damage=(*damage, *damages(detail, summary, values, scenario, metric)),
    )
    return _with_reasons(_with_errors(result, values, detail, summary), values)


def _with_reasons(result: Result, values: Mapping[str, object]) -> Result:
    if result.valid is not False:
        return result
    reasons = texts.invalid_reasons(values, result.bounds, result.early_stopping)
    return replace(result, invalid_reasons=reasons)


def _with_errors(
    result: Result,
    values: Mapping[str, object],
    detail: DetailLog,
    summary: SummaryLog,
) -> Result:
    """Add LoadGen's errors, without that a VALID run ended as it was told to."""
    logged = int(max(0, figures.number(values, "num_errors") or 0))
    count = max(detail.error_count, logged, summary.error_count or 0)
    errors, warnings = [*detail.errors, *detail.told], detail.warnings
    asked = (figures.number(values, "effective_max_query_count") or 0) > 0
    if result.valid and asked:
        count -= detail.told_count
        errors, warnings = detail.errors, [*detail.warnings, *detail.told]
    errors = errors[:MESSAGES_KEPT]
    return replace(
        result,
        errors=tuple(errors),
        warnings=tuple(warnings),
        error_count=count,
    )


def _without(prefix: str, values: Mapping[str, object]) -> dict[str, object]:
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
        message = (
            f"No LoadGen log in {folder}: it holds neither {DETAIL_NAME} nor"
            f" {SUMMARY_NAME}."
        )
        raise FileNotFoundError(message)
    return detail or DetailLog(missing=True), summary or SummaryLog(), damage


def _read(
    path: Path, read: Callable[[Readable], _Log], damage: list[str]
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


def _early_stopping(
    values: Mapping[str, object], summary: SummaryLog
) -> Mapping[str, str]:
    logged = {
        name: values.get(f"early_stopping_{name.lower()}{'_' if name else ''}result")
        for name in ("", "TTFT", "TPOT")
    }
    said = {name: str(lines) for name, lines in logged.items() if lines is not None}
    return said or summary.early_stopping


def _recommendations(
    values: Mapping[str, object], summary: SummaryLog
) -> tuple[str, ...]:
    if summary.recommendations:
        return tuple(summary.recommendations)
    return texts.sentences(figures.text(values, "result_invalid_reason") or "")


def _target_qps(values: Mapping[str, object], scenario: str | None) -> float | None:
    requested = f"requested_{scenario_of(scenario).target_flag}"
    return figures.number(values, requested, "effective_target_qps")


def _times(
    detail: DetailLog, version: str | None, utc_offset_s: float | None
) -> tuple[tuple[TimedWindow, ...], float | None, float | None]:
    """Return the windows, the first query's time, and the host's offset from UTC."""
    timed: list[TimedWindow] = []
    first_query = host_offset = None
    local = stamps_are_local(version)
    if local is not None and detail.stamps:
        first_query = windows.power_stamp_to_posix(
            detail.stamps[0][0], local=local, utc_offset_s=utc_offset_s
        )
        for begin, end in detail.stamps:
            window = windows.window_from_stamps(
                begin, end or "", local=local, utc_offset_s=utc_offset_s
            )
            if window is not None:
                timed.append(window)
    if detail.test_datetime is not None and detail.issuing_ms is not None:
        if first_query is None:
            first_query = windows.first_query_time(
                detail.test_datetime, detail.issuing_ms, utc_offset_s
            )
        elif not local:
            host_offset = windows.host_utc_offset(
                detail.test_datetime, detail.issuing_ms, first_query
            )
    return tuple(timed), first_query, host_offset
