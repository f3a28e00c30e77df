"""Reads ``mlperf_log_summary.txt`` into the keys of the detail log.

The summary has the same blocks in all LoadGen versions, from v0.5 on; the labels moved
(``keys.RATES`` has today's). It is empty while a test runs, and stays so when that is
killed; after AccuracyOnly it holds nothing but the counts of warnings and errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pytest_mighetero.readers.loadgen import keys
from pytest_mighetero.readers.logfile import LogFile

SUMMARY_NAME = "mlperf_log_summary.txt"

# A summary is below 10 kB; of more, only so much is read, and of a line only so much.
_SIZE_LIMIT = 1024 * 1024
_LINE_LIMIT = 64 * 1024

_SECTIONS = {
    "MLPerf Results Summary": "results",
    "Additional Stats": "stats",
    "Test Parameters Used": "parameters",
}

# Wording up to v0.7 -> since v1.0.
_MODES = {
    "Performance": "PerformanceOnly",
    "Accuracy": "AccuracyOnly",
    "Submission": "SubmissionRun",
    "Find Peak Performance": "FindPeakPerformance",
}

_VERDICTS = {
    "Performance constraints satisfied": "result_perf_constraints_met",
    "Min duration satisfied": "result_min_duration_met",
    "Min queries satisfied": "result_min_queries_met",
    "Early stopping satisfied": "early_stopping_met",
}

_STATS = {label: key for key, (label, _) in keys.RATES.items()}
_OF_TOKENS = {
    "first token latency": keys.FIRST_TOKEN,
    "time per output token": keys.PER_TOKEN,
    "time to output token": keys.PER_TOKEN,  # its name before v6.0, and of percentiles
}

_LATENCY = re.compile(
    r"(?:(Min|Mean|Max)|(\d{1,3}(?:\.\d{1,9})?)(?:th)? percentile) ([a-z ]+?) \(ns\)$",
    re.ASCII | re.IGNORECASE,
)
_ESTIMATE = re.compile(
    r"Early stopping \d{1,3}(?:\.\d{1,9})?th percentile estimate: (\d{1,18})\b",
    re.ASCII,
)
_PARAMETER = re.compile(r"(\w+)(?: \((ns|ms)\))?$")
_COUNT = re.compile(r"(No|\d+) (warning|error)s? encountered", re.IGNORECASE | re.ASCII)
_DIGITS = 18  # of a count


@dataclass
class SummaryLog:
    """What one summary says.

    Attributes:
        values: By the keys that the detail log has for the same facts.
        metric_key: The key of the scenario's metric: of the first figure that stands
            between ``Mode`` and ``Result is``.
        early_stopping: LoadGen's lines, by ``""``, or by ``TTFT`` and ``TPOT``.
        problems: What is wrong with it, in sentences.
    """

    values: dict[str, object] = field(default_factory=dict)
    metric_key: str | None = None
    recommendations: list[str] = field(default_factory=list)
    early_stopping: dict[str, str] = field(default_factory=dict)
    error_count: int | None = None
    empty: bool = True
    problems: list[str] = field(default_factory=list)


def _number(text: str) -> float | None:
    try:
        return float(text) if "." in text or "e" in text else int(text)
    except ValueError:
        return None


class _Reader:
    def __init__(self) -> None:
        self.log = SummaryLog()
        self.section = "results"
        self.latencies = keys.PER_SAMPLE
        self.text_of: str | None = None

    def take(self, line: str) -> None:
        stripped = line.strip()
        if stripped in _SECTIONS:
            self.section = _SECTIONS[stripped]
            self.text_of = None
            return
        label, colon, value = (part.strip() for part in stripped.partition(":"))
        counted = _COUNT.match(stripped)
        if counted is not None:
            if counted[2].lower() == "error":
                self._take_error_count(counted[1])
        elif self.section == "results":
            self._take_result(line, label, colon, value)
        elif self.section == "stats":
            self._take_stat(label, value)
        else:
            self._take_parameter(label, value)

    def _take_error_count(self, said: str) -> None:
        if len(said) > _DIGITS:
            self.log.error_count = 1
            self.log.problems.append("its count of errors is not readable")
        else:
            self.log.error_count = int(said) if said.isdigit() else 0

    def _take_verdict(self, verdict: str) -> None:
        if self.log.values.get("result_validity", verdict) != verdict:
            self.log.problems.append("it holds several results")
        self.log.values["result_validity"] = verdict
        self.latencies = keys.PER_SAMPLE

    def _take_result(self, line: str, label: str, colon: str, value: str) -> None:
        values = self.log.values
        if colon and not value and label == "Recommendations":
            self.text_of = label
        elif colon and not value and label.endswith("Early Stopping Result"):
            self.text_of = label.removesuffix("Early Stopping Result").strip()
            self.log.early_stopping[self.text_of] = ""
        elif self.text_of is not None and label.strip("="):
            self._take_text(line.strip())
        elif label == "Scenario":
            values["effective_scenario"] = value.replace(" ", "")
            if "MultiStream" in value.replace(" ", ""):
                self.latencies = keys.PER_QUERY
        elif label == "Mode":
            values["effective_test_mode"] = _MODES.get(value, value)
        elif label == "Result is":
            self._take_verdict(value)
        elif label in _VERDICTS:
            # Some versions have a third word, "Skipped": the condition did not count.
            if value in ("Yes", "NO"):
                values[_VERDICTS[label]] = value == "Yes"
        else:
            self._take_stat(label, value)

    def _take_text(self, line: str) -> None:
        texts = self.log.recommendations
        if self.text_of != "Recommendations":
            name = self.text_of or ""
            self.log.early_stopping[name] += f" {line}"
        elif line.startswith("* ") or not texts:
            texts.append(line.removeprefix("* "))
        else:
            texts[-1] += f" {line}"

    def _take_stat(self, label: str, value: str) -> None:
        if label == "Per-query latency":
            self.latencies = keys.PER_QUERY
        elif label == "Per-sample latency":
            self.latencies = keys.PER_SAMPLE
        key = _STATS.get(label) or self._latency_key(label)
        number = _number(value)
        if key is None or number is None:
            return
        self.log.values.setdefault(key, number)
        if self.log.metric_key is None and self.section == "results":
            self.log.metric_key = key

    def _latency_key(self, label: str) -> str | None:
        found = _LATENCY.match(label)
        what = found[3].lower() if found is not None else ""
        names = self.latencies if what == "latency" else _OF_TOKENS.get(what)
        if found is None or names is None:
            return None
        if found[1] is not None:
            return names.of.format(found[1].lower())
        return names.percentile.format(f"{float(found[2]):.2f}")

    def _take_parameter(self, label: str, value: str) -> None:
        found = _PARAMETER.match(label)
        number = _number(value)
        if found is None or number is None:
            return
        name, unit = found.groups()
        if name in ("ttft_latency", "tpot_latency"):
            key = f"requested_server_{name}"
        else:
            key = f"effective_{name}_{unit}" if unit else f"effective_{name}"
        self.log.values.setdefault(key, number)


def read_summary(file: LogFile) -> SummaryLog:
    """Return what is understood of a summary, of any LoadGen version, whole or not.

    Bytes that are not UTF-8 are replaced.
    """
    reader = _Reader()
    content = file.read(_SIZE_LIMIT)
    text = content.decode("utf-8-sig", "replace")
    reader.log.empty = not text
    for line in text.split("\n"):
        reader.take(line[:_LINE_LIMIT])
    if len(content) == _SIZE_LIMIT:
        reader.log.problems.append("it is larger than any summary of LoadGen's")
    _take_estimates(reader.log)
    return reader.log


def _take_estimates(log: SummaryLog) -> None:
    """Take the early-stopping estimates, which only a text has in the summary."""
    said = _ESTIMATE.findall(log.early_stopping.get("", ""))
    of_multi_stream = log.values.get("effective_scenario") == "MultiStream"
    names = keys.ESTIMATES[of_multi_stream:]
    log.values.update(zip(names, map(int, said), strict=False))
