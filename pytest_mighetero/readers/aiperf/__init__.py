"""Reads what AIPerf leaves in its artifact folder, of 0.13.0 (export schema 1.4).

``profile_export.jsonl`` has a line a request, failed or not, from its end on (written
every 100 requests, or second: ``EXPORT_FLUSH_INTERVAL``), its stamps by ``time_ns``;
``profile_export_aiperf.json`` the figures, once all has ended, of the requests that
succeeded (common/models/export_models.py and record_models.py, metrics/types/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from pytest_mighetero.readers.aiperf.requests import (
    ENDED_MARK,
    REQUESTS_NAME,
    Requests,
    read_requests,
)
from pytest_mighetero.readers.client import NO_TARGET, Client, throughput
from pytest_mighetero.readers.document import Document, read_document
from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.readers.result import LatencyStats, Metric, Result, TokenMetrics

SUMMARY_NAME = "profile_export_aiperf.json"


class _AIPerf(Client):
    name = "aiperf"
    tool = "AIPerf"
    names = (REQUESTS_NAME, SUMMARY_NAME)
    sign = Sign(REQUESTS_NAME, re.compile(ENDED_MARK), "a request of phase profiling")

    def find(self, folder: Path) -> tuple[Path, ...]:
        """Return the artifact folders: those of its phases, inside, are parts."""
        found = super().find(folder)
        return tuple(each for each in found if not {*each.parents} & {*found})

    def read(self, folder: Path) -> Result:
        return _read_result(folder)


READER = _AIPerf()

_PERCENTILES = ("1", "5", "10", "25", "50", "75", "90", "95", "99")
_ERRORS_KEPT = 100
# Types of its phases that send as many at once as they may, by no rate or schedule.
_SCENARIOS = {"concurrency": "Offline"}


def _read_result(folder: Path) -> Result:
    requests, summary, damage = _read_files(folder)
    phase = _phase(summary)
    target, seconds = phase.number("rate"), phase.number("duration")
    settings: dict[str, object] = {}
    if phase.root and not phase.at("rate_series"):
        settings["target_qps"] = target or NO_TARGET
    if seconds is not None:
        settings["min_duration_ms"] = seconds * 1000
    scenario = (
        _SCENARIOS.get(phase.text("type") or "", "Server") if phase.root else None
    )
    rate = summary.number("request_throughput", "avg")
    tokens, latency = _tokens(summary), _latency(summary, "request_latency")
    done, failed = _counts(summary)
    sent = requests or Requests()
    window = sent.window if summary.root else None
    damage += [*_doubts(requests, summary), *phase.problems, *summary.problems]
    return Result(
        folder=folder,
        tool=READER.tool,
        version=summary.text("aiperf_version"),
        scenario=scenario,
        mode="PerformanceOnly",
        metric=_metric(rate, tokens),
        target_qps=target,
        completed_qps=rate if scenario == "Server" else None,
        samples_per_second=rate if scenario == "Offline" else None,
        min_latency_ms=latency.min_ms,
        mean_latency_ms=latency.mean_ms,
        max_latency_ms=latency.max_ms,
        percentiles_ms=latency.percentiles_ms,
        tokens=tokens,
        errors=_errors(summary),
        settings=settings,
        completed=done,
        failed=failed,
        duration_s=None if window else summary.number("benchmark_duration", "avg"),
        windows=() if window is None else (window,),
        issuing_since=None if sent.first_ns is None else sent.first_ns / 1e9,
        damage=tuple(dict.fromkeys(damage)),
    )


def _read_files(folder: Path) -> tuple[Requests | None, Document, list[str]]:
    requests, summary, damage = None, None, []
    try:
        with closing(LogFile(folder / REQUESTS_NAME)) as file:
            requests = read_requests(file)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        requests = Requests()
        damage.append(f"{REQUESTS_NAME} cannot be read: {error.strerror}.")
    with suppress(FileNotFoundError):
        summary = read_document(folder / SUMMARY_NAME)
    if requests is None and summary is None:
        raise FileNotFoundError(
            f"No result of AIPerf in {folder}: it holds neither {REQUESTS_NAME} nor "
            f"{SUMMARY_NAME}."
        )
    if summary is None:
        missing = "is missing: the run did not come to its end"
        summary = Document(SUMMARY_NAME, None, missing)
    return requests, summary, damage


def _phase(summary: Document) -> Document:
    """Return what was asked of the phase that is measured, if it is one alone."""
    phases = summary.at("input_config", "phases")
    listed = phases if isinstance(phases, list) else []
    kinds = [each for each in listed if isinstance(each, dict)]
    measured = [each for each in kinds if each.get("kind") == "profiling"]
    alone = measured[0] if len(measured) == 1 else {}
    return Document(f"{SUMMARY_NAME}: input_config.phases", alone)


def _metric(rate: float | None, tokens: TokenMetrics | None) -> Metric | None:
    if tokens is not None and tokens.tokens_per_second is not None:
        value = tokens.tokens_per_second
        return throughput("output tokens per second", value, "tokens/s")
    return throughput("requests per second", rate, "requests/s")


def _tokens(summary: Document) -> TokenMetrics | None:
    """Return what is known of tokens; TTFT and TPOT only where answers are streamed."""
    tokens = TokenMetrics(
        tokens_per_second=summary.number("output_token_throughput", "avg"),
        first_token=_latency(summary, "time_to_first_token"),
        per_output_token=_latency(summary, "inter_token_latency"),
    )
    return None if tokens == TokenMetrics() else tokens


def _latency(summary: Document, name: str) -> LatencyStats:
    shortest, mean, longest = (
        summary.number(name, each) for each in ("min", "avg", "max")
    )
    said = {at: summary.number(name, f"p{at}") for at in _PERCENTILES}
    in_ms = {float(at): ms for at, ms in said.items() if ms is not None}
    return LatencyStats(shortest, mean, longest, in_ms)


def _counts(summary: Document) -> tuple[int | None, int | None]:
    """Return how many requests succeeded and failed; a count of none is left out."""
    done = summary.number("request_count", "avg")
    failed = summary.number("error_request_count", "avg")
    if done is None and failed is None:
        return None, None
    return int(done or 0), int(failed or 0)


def _errors(summary: Document) -> tuple[str, ...]:
    said = summary.at("error_summary")
    listed = said if isinstance(said, list) else []
    documents = (Document("error_summary", each) for each in listed[:_ERRORS_KEPT])
    texts = (each.text("error_details", "message") for each in documents)
    return tuple(each for each in texts if each)


def _doubts(requests: Requests | None, summary: Document) -> Iterator[str]:
    """Yield what no files of one whole run say."""
    if requests is not None and requests.unreadable:
        yield f"{REQUESTS_NAME} has {requests.unreadable} lines that are no requests."
    if not summary.root:
        return
    done, _ = _counts(summary)
    if done is None:
        yield f"{summary.name} does not count requests: is it one of AIPerf?"
    if summary.flag("was_cancelled"):
        yield f"{summary.name} says that it was cancelled."
    elif summary.flag("is_complete") is False:
        why = summary.text("incomplete_reason") or "it does not say why"
        yield f"{summary.name} says that it is not complete: {why.rstrip('.')}."
    if requests is not None and done is not None and requests.done != done:
        here, there = f"{requests.done} requests that succeeded", f"{done}"
        yield f"{REQUESTS_NAME} has {here}, {summary.name} has {there}."
