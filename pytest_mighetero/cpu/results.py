"""Results: what LoadGen logged, the JSON summaries, and the printed tables.

`python -m pytest_mighetero.cpu.results` prints the tables of LOG_DIR, as
print_harness_result.py does; like it, it fails where no run has written a summary.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "ACCURACY_SUMMARY",
    "PERFORMANCE_SUMMARY",
    "PerformanceResult",
    "main",
    "performance_result",
    "tables",
    "update_summary",
]

PERFORMANCE_SUMMARY = "perf_harness_summary.json"
ACCURACY_SUMMARY = "accuracy_summary.json"
NO_PERFORMANCE = (
    "Cannot find performance result. Maybe you are running in AccuracyOnly mode."
)
NO_ACCURACY = "No accuracy results in PerformanceOnly mode."

METRICS = {
    "Offline": "result_samples_per_second",
    "Server": "result_scheduled_samples_per_sec",
    "SingleStream": "result_90.00_percentile_latency_ns",
    # Since LoadGen 2.0 MultiStream has a latency; the v1.0 harness printed its rate.
    "MultiStream": "result_99.00_percentile_per_query_latency_ns",
}
_MARK = ":::MLLOG "


@dataclass(frozen=True)
class PerformanceResult:
    """The result lines of a detail log.

    Attributes:
        metric: The key of the scenario's figure.
        value: The figure, in the unit that the key names.
        validity: VALID or INVALID.
    """

    metric: str
    value: float
    validity: str

    def __str__(self) -> str:
        return f"{self.metric}: {self.value}, Result is {self.validity}"


def performance_result(
    lines: Iterable[str], scenario: str, metric: str | None = None
) -> PerformanceResult | None:
    """Find the performance result in a detail log.

    Args:
        lines: The log's lines; a cut last one is passed over.
        scenario: LoadGen's name of the scenario.
        metric: The key to report instead of the scenario's usual one.

    Returns:
        The result; None where the log has none, after an accuracy run say.
    """
    metric = metric or METRICS[scenario]
    found: dict[str, object] = {}
    for line in lines:
        if not line.startswith(_MARK):
            continue
        try:
            entry = json.loads(line[len(_MARK) :])
        except ValueError:
            continue
        if entry.get("key") in (metric, "result_validity"):
            found[entry["key"]] = entry["value"]
    value, validity = found.get(metric), found.get("result_validity")
    if not isinstance(value, (int, float)) or not isinstance(validity, str):
        return None
    return PerformanceResult(metric, value, validity)


def update_summary(
    path: Path, config_name: str, benchmark_folder: str, text: str
) -> None:
    """Enter one result into a summary: `{config name: {benchmark: text}}`.

    The file is replaced at once, so that a reader never meets half of it; two
    writers at a time may still lose one entry, as with the real harness.
    """
    summary: dict[str, dict[str, str]] = {}
    if path.exists():
        summary = json.loads(path.read_text(encoding="utf-8"))
    summary.setdefault(config_name, {})[benchmark_folder] = text
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(summary, indent=4) + "\n", encoding="utf-8")
    draft.replace(path)


def tables(
    performance: Mapping[str, Mapping[str, str]],
    accuracy: Mapping[str, Mapping[str, str]],
) -> str:
    """Return the text of both tables."""
    lines = []
    for title, summary in (
        ("Perf harness results", performance),
        ("Accuracy results", accuracy),
    ):
        lines += ["", f"======================= {title}: =======================", ""]
        for config_name, results in summary.items():
            lines.append(f"{config_name}:")
            lines += [f"    {name}: {text}" for name, text in results.items()]
            lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Print the tables of the environment's LOG_DIR.

    Raises:
        FileNotFoundError: Nothing ran, so that there is no summary.
    """
    log_dir = Path(os.environ.get("LOG_DIR", "build/logs/default"))
    summaries = [
        json.loads((log_dir / name).read_text(encoding="utf-8"))
        for name in (PERFORMANCE_SUMMARY, ACCURACY_SUMMARY)
    ]
    print(tables(*summaries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
