"""Reads what MLPerf Inference Endpoints (``inference-endpoint``) leaves.

Of 0.1.0, commit ea332753 of mlcommons/endpoints. ``result_summary.json`` and
``events.jsonl`` are there once a session has ended, SIGINT included; until then the
events are in ``/dev/shm``. Of one that is killed, or gets SIGTERM, neither is left.

What counts is what MLCommons' submission checker takes (tools/submission of
mlcommons/inference b66003e1: ``ENDPOINTS_MAPPINGS``, parsers/endpoints_parser.py,
checks/performance_check.py): ``qps``, for a language model ``tps``, and of latency,
TTFT and TPOT the ``early_stopping_percentiles``, which are null where there were too
few samples (662 for the 99th).
"""

from __future__ import annotations

import os
import re
import time
from contextlib import closing, suppress
from math import inf
from pathlib import Path

from pytest_mighetero.readers.client import NO_TARGET, Client, count, throughput
from pytest_mighetero.readers.document import Document, read_document
from pytest_mighetero.readers.endpoints.doubts import of_events, of_summary
from pytest_mighetero.readers.endpoints.events import EVENTS_NAME, Events, read_events
from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.readers.result import LatencyStats, Metric, Result, TokenMetrics

_SUMMARY = Path("performance", "result_summary.json")
_CONFIG_NAME = "config.yaml"
_CONFIG_LIMIT = 64 * 1024
_NS_PER_MS = 1e6

# The progress bar, on standard error, with or without -v. It counts answers, those of
# the warm-up not (``_handle_response`` of load_generator/session.py): in percent, below
# which stands their number.
_ANSWERED = re.compile(
    rb"\(Streaming: \w{1,9}\): {1,3}(?:[1-9]\d{0,2}%|0%\|[^|\r\n]{0,900}\| [1-9]\d*/)"
)
# Lines of the config.yaml that it writes itself (``settings.runtime``).
_RUNTIME = re.compile(
    rb"^ {4}(min_duration_ms|max_duration_ms|n_samples_to_issue): (\d{1,15})\r?$",
    re.MULTILINE,
)


class _Endpoints(Client):
    name = "endpoints"
    tool = "Endpoints"
    names = (EVENTS_NAME, str(_SUMMARY))
    sign = Sign("", _ANSWERED, "a progress bar that counts answers")

    def find(self, folder: Path) -> tuple[Path, ...]:
        found = set()
        for at, _, names in os.walk(folder):
            if EVENTS_NAME in names:
                found.add(Path(at))
            inner = _SUMMARY.name in names and Path(at).name == _SUMMARY.parent.name
            if inner and Path(at) != folder:
                found.add(Path(at).parent)
        return tuple(sorted(found))

    def read(self, folder: Path) -> Result:
        return _read_result(folder)


READER = _Endpoints()


def _read_result(folder: Path) -> Result:
    events, summary, damage = _read_files(folder)
    ran_with = _runtime(folder / _CONFIG_NAME)
    pattern = summary.text("run_config", "load_pattern", "type")
    target = summary.number("run_config", "load_pattern", "target_qps")
    if pattern is not None:
        ran_with |= {"load_pattern": pattern, "target_qps": target or NO_TARGET}
    offline = pattern == "max_throughput"
    rate, duration_ns = summary.number("qps"), summary.number("duration_ns")
    completed, failed = _requests(summary)
    tokens, latency = _tokens(summary), _latency(summary, "latency")
    windows = tuple(each.window for each in events.blocks if each.window)
    said = None if pattern is None else "Offline" if offline else "Server"
    damage += [*of_events(events, summary), *of_summary(summary, ran_with)]
    return Result(
        folder=folder,
        tool=READER.tool,
        version=_version(summary),
        scenario=said,
        mode="PerformanceOnly" if windows or summary.root else None,
        metric=_metric(rate, tokens, offline=offline),
        target_qps=target,
        completed_qps=None if offline else rate,
        samples_per_second=rate if offline else None,
        min_latency_ms=latency.min_ms,
        mean_latency_ms=latency.mean_ms,
        max_latency_ms=latency.max_ms,
        percentiles_ms=latency.percentiles_ms,
        tokens=tokens,
        errors=tuple(events.errors),
        settings=ran_with,
        query_count=count(summary.number("n_samples_issued")),
        completed=completed,
        failed=failed,
        duration_s=None if windows or duration_ns is None else duration_ns / 1e9,
        windows=windows,
        issuing_since=None if windows else _posix(events.open_since_ns),
        damage=tuple(dict.fromkeys((*damage, *summary.problems))),
    )


def _read_files(folder: Path) -> tuple[Events, Document, list[str]]:
    events, summary, damage = None, None, []
    try:
        with closing(LogFile(folder / EVENTS_NAME)) as file:
            events = read_events(file)
    except (FileNotFoundError, NotADirectoryError):
        damage.append(f"{EVENTS_NAME} is missing.")
    except OSError as error:
        events = Events()
        damage.append(f"{EVENTS_NAME} cannot be read: {error.strerror}.")
    with suppress(FileNotFoundError):
        summary = read_document(folder / _SUMMARY)
    if events is None and summary is None:
        raise FileNotFoundError(
            f"No result of Endpoints in {folder}: it holds neither {EVENTS_NAME} nor "
            f"{_SUMMARY}."
        )
    if summary is None:
        missing = "is missing: the run did not come to its end"
        summary = Document(_SUMMARY.name, None, missing)
    return events or Events(), summary, damage


def _runtime(config: Path) -> dict[str, object]:
    """Return what was asked of the length of the run."""
    with suppress(OSError), closing(LogFile(config)) as file:
        found = _RUNTIME.findall(file.read(_CONFIG_LIMIT))
        return {name.decode(): int(value) for name, value in found}
    return {}


def _version(summary: Document) -> str | None:
    version, commit = summary.text("version"), summary.text("git_sha")
    return f"{version} @ {commit[:10]}" if version and commit else version


def _metric(
    rate: float | None, tokens: TokenMetrics | None, *, offline: bool
) -> Metric | None:
    """Return the checker's metric, by the names that LoadGen gives it."""
    completed = "" if offline else "completed "
    if tokens is not None and tokens.tokens_per_second is not None:
        name, each = f"{completed}tokens per second", tokens.tokens_per_second
        return throughput(name, each, "tokens/s")
    return throughput(f"{completed}samples per second", rate, "samples/s")


def _tokens(summary: Document) -> TokenMetrics | None:
    """Return what is known of tokens: without a tokenizer the TTFT alone."""
    tokens = TokenMetrics(
        tokens_per_second=summary.number("tps"),
        first_token=_latency(summary, "ttft"),
        per_output_token=_latency(summary, "tpot"),
    )
    return None if tokens == TokenMetrics() else tokens


def _latency(summary: Document, name: str) -> LatencyStats:
    """Return a distribution; percentiles are as early stopping estimates them.

    The least TPOT may be below zero: client and worker stamp the two ends of it.
    """
    ends = (summary.number(name, each, least=-inf) for each in ("min", "avg", "max"))
    shortest, mean, longest = (None if ns is None else ns / _NS_PER_MS for ns in ends)
    estimates = summary.by_percentile(name, "early_stopping_percentiles")
    in_ms = {percentile: ns / _NS_PER_MS for percentile, ns in estimates.items()}
    return LatencyStats(shortest, mean, longest, in_ms)


def _requests(summary: Document) -> tuple[int | None, int | None]:
    """Return how many were answered well, and how many were not.

    Its ``completed`` count the failed ones, too; what it issued and saw no end of has
    failed as well.
    """
    issued, ended, failed = (
        count(summary.number(f"n_samples_{each}"))
        for each in ("issued", "completed", "failed")
    )
    if issued is None or ended is None or failed is None:
        return None, None
    return max(0, ended - failed), max(0, issued - ended) + failed


def _posix(monotonic_ns: int | None) -> float | None:
    """Return a stamp of this host, since it was booted, in POSIX seconds."""
    if monotonic_ns is None:
        return None
    return time.time() - time.monotonic() + monotonic_ns / 1e9
