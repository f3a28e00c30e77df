"""Results: what LoadGen logged, the JSON summaries, and the printed tables.

`python -m pytest_mighetero.cpu.results` prints the tables of LOG_DIR, as
print_harness_result.py does; like it, it fails where no run has written a summary.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PERFORMANCE_SUMMARY = "perf_harness_summary.json"
ACCURACY_SUMMARY = "accuracy_summary.json"

_METRICS = {
    "Offline": "result_samples_per_second",
    "Server": "result_scheduled_samples_per_sec",
    "SingleStream": "result_90.00_percentile_latency_ns",
    # Since LoadGen 2.0 MultiStream has a latency; the v1.0 harness printed its rate.
    "MultiStream": "result_99.00_percentile_per_query_latency_ns",
}
_MARK = ":::MLLOG "


@dataclass(frozen=True)
class PerformanceResult:
    """A detail log's figure, in the unit that its key names, and VALID or INVALID."""

    metric: str
    value: float
    validity: str

    def __str__(self) -> str:
        return f"{self.metric}: {self.value}, Result is {self.validity}"


def read_result(
    detail: Path, scenario: str, *, completed: bool = False
) -> PerformanceResult | None:
    """Read the result from a detail log, whose last line may be cut.

    Server's figure is the rate that LoadGen scheduled, with `completed` the one that
    was served. None where the log has no result, after an accuracy run say.
    """
    metric = _METRICS[scenario]
    if completed and scenario == "Server":
        metric = "result_completed_samples_per_sec"
    found: dict[str, object] = {}
    for line in detail.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(_MARK):
            with suppress(ValueError):
                entry = json.loads(line.removeprefix(_MARK))
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
    """Return the text of both summaries."""
    titled = {"Perf harness results": performance, "Accuracy results": accuracy}
    lines = []
    for title, summary in titled.items():
        lines += ["", f"======================= {title}: =======================", ""]
        for config_name, results in summary.items():
            lines.append(f"{config_name}:")
            lines += [f"    {name}: {text}" for name, text in results.items()]
            lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Print the tables of the environment's LOG_DIR.

    Raises:
        FileNotFoundError: Nothing ran, so that there is no summary.
    """
    log_dir = Path(os.environ.get("LOG_DIR", "build/logs/default"))
    files = (log_dir / PERFORMANCE_SUMMARY, log_dir / ACCURACY_SUMMARY)
    print(tables(*(json.loads(file.read_text(encoding="utf-8")) for file in files)))


if __name__ == "__main__":
    main()
