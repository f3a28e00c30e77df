"""What to run: the configurations of configs.json, and LoadGen's user.conf.

The defaults are this harness's own: 10 s and one query instead of the 10 min and
24,576 samples of a submission, since LoadGen's floors stand in mlperf.conf for the
real models' names and the names used here are not among them. SingleStream and
MultiStream keep the counts that LoadGen's early stopping needs (64 and 662).
Server limits are wide enough for seven harnesses on two cores.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pytest_mighetero.cpu.device import SYSTEM_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["CONFIG_FILE", "LogLayout", "Run", "Value", "find_runs", "user_conf"]

Value: TypeAlias = "int | float | str | bool | None"

CONFIG_FILE = Path(__file__).with_name("configs.json")

_log = logging.getLogger("main")

# configs.json's names and the keys of LoadGen's conf files, with the factor between.
# LoadGen reads latencies as whole milliseconds and percentiles in percent.
_COMMON_KEYS = {
    "min_duration": "min_duration",
    "max_duration": "max_duration",
    "min_query_count": "min_query_count",
    "max_query_count": "max_query_count",
    "performance_sample_count": "performance_sample_count_override",
}
_TARGET_KEYS = {
    "Offline": {"offline_expected_qps": "target_qps"},
    "Server": {
        "server_target_qps": "target_qps",
        "server_target_latency_ns": "target_latency",
        "server_target_latency_percentile": "target_latency_percentile",
    },
    "SingleStream": {
        "single_stream_expected_latency_ns": "target_latency",
        "single_stream_target_latency_percentile": "target_latency_percentile",
    },
    "MultiStream": {
        "multi_stream_expected_latency_ns": "target_latency",
        "multi_stream_target_latency_percentile": "target_latency_percentile",
        "multi_stream_samples_per_query": "samples_per_query",
    },
}
_LEVELLED = ("3d-unet", "bert", "dlrm")


@dataclass(frozen=True)
class Run:
    """One benchmark in one scenario under one configuration.

    Attributes:
        benchmark: One of the seven names.
        scenario: LoadGen's name of it, e.g. `SingleStream`.
        config_ver: `default`, `hetero` or `hetero_high_accuracy`.
        config: The values, RUN_ARGS not yet applied.
    """

    benchmark: str
    scenario: str
    config_ver: str
    config: Mapping[str, Value]

    @property
    def system(self) -> str:
        """The system's folder name."""
        suffix = "_HeteroMultiUse" if self.config_ver.startswith("hetero") else ""
        return f"{SYSTEM_ID}_NumPy{suffix}"

    @property
    def high_accuracy(self) -> bool:
        """Whether the 99.9 % target applies."""
        return self.config_ver.endswith("high_accuracy")

    @property
    def folder(self) -> str:
        """The benchmark's folder name, with its accuracy level where it has one."""
        if self.benchmark not in _LEVELLED:
            return self.benchmark
        return f"{self.benchmark}-{'99.9' if self.high_accuracy else '99'}"


@dataclass(frozen=True)
class LogLayout:
    """Where a run writes; everything lies below `log_dir`."""

    log_dir: Path
    system: str
    benchmark_folder: str
    scenario: str

    @property
    def tail(self) -> Path:
        """`<system>/<benchmark>/<Scenario>`, common to all its folders."""
        return Path(self.system, self.benchmark_folder, self.scenario)

    @property
    def loadgen(self) -> Path:
        """LoadGen's files of a plain run."""
        return self.log_dir / self.tail

    @property
    def measurements(self) -> Path:
        """The folder of user.conf."""
        return self.log_dir / "measurements" / self.tail

    def audit(self, test: str) -> Path:
        """An audit's files, `test` being TEST01, TEST04-A, TEST04-B or TEST05."""
        return self.log_dir / "compliance_logs" / test / self.tail


def find_runs(
    benchmarks: Sequence[str],
    scenarios: Sequence[str],
    config_vers: str,
    files: Sequence[Path] = (CONFIG_FILE,),
) -> Iterator[Run]:
    """Yield what the selection names, scenario by scenario, as v1.0 does.

    What does not exist is reported to the log and skipped, so that the caller may
    end up with nothing and still exit 0: the real harness has this trap.
    """
    _log.info("Using config files: %s", [str(path) for path in files])
    table: dict[str, dict[str, Any]] = {}
    common: dict[str, Value] = {}
    for path in files:
        _log.info("Parsing config file %s ...", path)
        data = json.loads(path.read_text(encoding="utf-8"))
        common.update(data.get("common", {}))
        table.update(data["benchmarks"])
    pairs = [
        (benchmark, scenario)
        for scenario in scenarios
        for benchmark in benchmarks
        if scenario in table.get(benchmark, {})
    ]
    if not pairs:
        _log.warning(
            "Cannot find any valid configs for the specified benchmark-scenario pairs."
        )
    for benchmark, scenario in pairs:
        versions: dict[str, dict[str, Value]] = table[benchmark][scenario]
        for version in _versions(config_vers, versions):
            if version not in versions:
                _log.warning("--config_ver=%s does not exist in config file", version)
                continue
            name = f"{SYSTEM_ID}_{benchmark}_{scenario}"
            _log.info('Processing config "%s"', name)
            config = {**common, **versions["default"], **versions[version]}
            yield Run(benchmark, scenario, version, config)


def _versions(asked: str, existing: Mapping[str, object]) -> list[str]:
    if asked != "all":
        return asked.split(",")
    return [name for name in existing if "maxq" not in name and "hetero" not in name]


def user_conf(scenario: str, config: Mapping[str, Value]) -> str:
    """Return the text of LoadGen's user.conf for a configuration."""
    lines = []
    for name, key in {**_COMMON_KEYS, **_TARGET_KEYS[scenario]}.items():
        value = config.get(name)
        if value is None:
            continue
        if key == "target_latency":
            value = max(1, round(cast("int", value) / 1_000_000))
        elif key == "target_latency_percentile":
            value = round(cast("float", value) * 100, 6)
        lines.append(f"*.{scenario}.{key} = {value}\n")
    return "".join(lines)
