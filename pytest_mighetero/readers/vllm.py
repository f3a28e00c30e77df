"""Reads what ``vllm bench serve --save-result`` leaves: one JSON file of any name.

As vllm/benchmarks/serve.py of 0.33.0 makes it, and at commit 009e6d4a1c. It has no
stamps but the local time of its end, so that a result has ``duration_s`` alone; its
counts of output tokens are guesses where it has no tokenizer, and 0 ms stands for a
latency that was not measured: of answers that are not streamed, or of none at all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

from pytest_mighetero.readers.client import NO_TARGET, Client, count, throughput
from pytest_mighetero.readers.document import Document, read_document
from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.logfile import LogFile
from pytest_mighetero.readers.result import LatencyStats, Metric, Result, TokenMetrics

_BEGINNING = re.compile(rb'\s*\{\s*"date":\s*"\d{8}-\d{6}"')
_BEGINNING_LIMIT = 256
_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,9})?)_(ttft|tpot|e2el)_ms", re.ASCII)
_SAME = 1e-6
_ERRORS_KEPT = 100

# The progress bar of the measured requests, not the warm-up's: it follows the last line
# that is printed before it, and counts what has ended, in percent or below that by its
# number. It is as wide as the terminal, of 400 columns, its blocks of 3 bytes each.
_ENDED = re.compile(
    rb"(?:Maximum request concurrency: |Self timing is set)[^\r\n]{0,80}[\r\n]"
    rb"[\s\S]{0,520}?\r {0,2}(?:[1-9]\d{0,2}%|0%\|[^|\r\n]{0,390}\| [1-9]\d*/)"
)


class _VLLM(Client):
    name = "vllm"
    tool = "vLLM"
    stamps = False
    names = ()
    sign = Sign("", _ENDED, "a progress bar that counts requests")

    def find(self, folder: Path) -> tuple[Path, ...]:
        """Return the folders in and below *folder* that hold its results."""
        found = (Path(at) for at, _, _ in os.walk(folder))
        return tuple(sorted(at for at in found if any(_files(at))))

    def read(self, folder: Path) -> Result:
        """Return what its result in a folder says; of several the last by name.

        Raises:
            FileNotFoundError: there is none.
        """
        results = [_result(folder, read_document(path)) for path in _files(folder)]
        if not results:
            raise FileNotFoundError(f"No result of vLLM in {folder}.")
        if len(results) == 1:
            return results[0]
        several = f"There are {len(results)} results in one folder."
        return replace(results[-1], damage=(*results[-1].damage, several))


READER = _VLLM()


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that begin as its results do, whole or cut off."""
    with suppress(OSError):
        for path in sorted(folder.glob("*.json")):
            with suppress(OSError), closing(LogFile(path)) as file:
                if _BEGINNING.match(file.read(_BEGINNING_LIMIT)):
                    yield path


def _result(folder: Path, said: Document) -> Result:
    limited = said.at("request_rate") != "inf"
    target = said.number("request_rate") if limited else None
    ramped = said.at("ramp_up_strategy") is not None
    scenario = "Server" if limited or ramped else "Offline"
    settings: dict[str, object] = {}
    if not ramped:
        settings["target_qps"] = target if limited else NO_TARGET
    rate, latency = said.number("request_throughput"), _latency(said, "e2el")
    tokens = _tokens(said)
    completed, failed = _counts(said)
    doubts = list(_doubts(said))
    return Result(
        folder=folder,
        tool=READER.tool,
        scenario=scenario if said.root else None,
        mode="PerformanceOnly",
        metric=_metric(rate, tokens),
        target_qps=target,
        completed_qps=rate if scenario == "Server" else None,
        samples_per_second=rate if scenario == "Offline" else None,
        mean_latency_ms=latency.mean_ms,
        percentiles_ms=latency.percentiles_ms,
        tokens=tokens,
        errors=_errors(said),
        settings=settings,
        query_count=count(said.number("num_prompts")),
        completed=completed,
        failed=failed,
        duration_s=said.number("duration"),
        damage=tuple(dict.fromkeys((*said.problems, *doubts))),
    )


def _metric(rate: float | None, tokens: TokenMetrics | None) -> Metric | None:
    if tokens is not None and tokens.tokens_per_second is not None:
        value = tokens.tokens_per_second
        return throughput("output tokens per second", value, "tokens/s")
    return throughput("requests per second", rate, "requests/s")


def _tokens(said: Document) -> TokenMetrics | None:
    """Return what is known of tokens: without a tokenizer nothing."""
    if said.at("tokenizer_id") is None:
        return None
    tokens = TokenMetrics(
        tokens_per_second=said.number("output_throughput"),
        first_token=_latency(said, "ttft"),
        per_output_token=_latency(said, "tpot"),
    )
    return None if tokens == TokenMetrics() else tokens


def _latency(said: Document, name: str) -> LatencyStats:
    """Return a distribution as far as it was measured, and asked for.

    It is by ``--percentile-metrics`` and ``--metric-percentiles``, which leave out e2el
    and all but the 99th.
    """
    keys = {50.0: f"median_{name}_ms"}
    for key in said.root:
        if (found := _PERCENTILE.fullmatch(key)) and found[2] == name:
            keys[float(found[1])] = key
    measured = {at: said.number(key) for at, key in sorted(keys.items())}
    in_ms = {at: ms for at, ms in measured.items() if ms}
    return LatencyStats(None, said.number(f"mean_{name}_ms") or None, None, in_ms)


def _counts(said: Document) -> tuple[int | None, int | None]:
    """Return how many requests succeeded, and failed: older ones do not count these."""
    completed, failed = said.number("completed"), said.number("failed")
    asked = said.number("num_prompts")
    if failed is None and completed is not None and asked is not None:
        failed = max(0.0, asked - completed)
    return count(completed), count(failed)


def _errors(said: Document) -> tuple[str, ...]:
    """Return the last line of requests' errors, which ``--save-detailed`` keeps."""
    listed = said.at("errors")
    every = listed if isinstance(listed, list) else []
    texts = (each.strip() for each in every if isinstance(each, str))
    last = (each.splitlines()[-1][:500] for each in texts if each)
    printable = (each.encode("utf-8", "replace").decode() for each in last)
    return tuple(islice(printable, _ERRORS_KEPT))


def _doubts(said: Document) -> Iterator[str]:
    """Yield what no file of one whole run says."""
    completed, rate = said.number("completed"), said.number("request_throughput")
    seconds = said.number("duration")
    if completed is None or rate is None or not seconds:
        if said.root:
            yield f"{said.name} does not count requests and seconds."
    elif abs(rate * seconds - completed) > _SAME * completed:
        counted = f"{completed:.15g} requests completed in {seconds:g} s"
        yield f"{said.name} says {counted}, and {rate:g} requests/s."
