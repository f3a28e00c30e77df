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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pytest_mighetero.cpu.device import SYSTEM_ID

CONFIG_FILE = Path(__file__).with_name("configs.json")

Value: TypeAlias = "int | float | str | bool | None"

_log = logging.getLogger("main")

LOADGEN_FLAGS: dict[str, dict[str, tuple[type[Value], str]]] = {
    "*": {
        "min_duration": (int, "min_duration"),
        "max_duration": (int, "max_duration"),
        "min_query_count": (int, "min_query_count"),
        "max_query_count": (int, "max_query_count"),
        "performance_sample_count": (int, "performance_sample_count_override"),
    },
    "Offline": {"offline_expected_qps": (float, "target_qps")},
    "Server": {
        "server_target_qps": (int, "target_qps"),
        "server_target_latency_ns": (int, "target_latency"),
        "server_target_latency_percentile": (float, "target_latency_percentile"),
    },
    "SingleStream": {
        "single_stream_expected_latency_ns": (int, "target_latency"),
        "single_stream_target_latency_percentile": (float, "target_latency_percentile"),
    },
    "MultiStream": {
        "multi_stream_expected_latency_ns": (int, "target_latency"),
        "multi_stream_target_latency_percentile": (float, "target_latency_percentile"),
        "multi_stream_samples_per_query": (int, "samples_per_query"),
    },
}
"""What LoadGen reads in each scenario: a value's type, and its key in user.conf."""


@dataclass(frozen=True)
class Run:
    """One benchmark in one scenario under one configuration.

    Attributes:
        benchmark: One of the seven names.
        scenario: LoadGen's name of it, e.g. `SingleStream`.
        config_ver: `default`, `hetero` or `hetero_high_accuracy`.
        config: The values in force.
        system_name: The system's folder name, where it is not our own.
        log_dir: Everything that it writes lies below.
    """

    benchmark: str
    scenario: str
    config_ver: str
    config: Mapping[str, Value]
    system_name: str | None = None
    log_dir: Path = Path("build/logs/default")

    @property
    def config_name(self) -> str:
        """The name that its configuration has in the log."""
        return f"{SYSTEM_ID}_{self.benchmark}_{self.scenario}"

    @property
    def system(self) -> str:
        """The system's folder name."""
        suffix = "_HeteroMultiUse" if self.config_ver.startswith("hetero") else ""
        return self.system_name or f"{SYSTEM_ID}_NumPy{suffix}"

    @property
    def threshold(self) -> float:
        """How many answers per hundred have to be right."""
        return 99.9 if self.config_ver.endswith("high_accuracy") else 99.0

    @property
    def folder(self) -> str:
        """The benchmark's folder name, with its accuracy level where it has one."""
        levelled = self.benchmark in ("3d-unet", "bert", "dlrm")
        return f"{self.benchmark}-{self.threshold:g}" if levelled else self.benchmark

    def logs(self, *parents: str) -> Path:
        """Return `<log_dir>/<parents>/<system>/<benchmark>/<Scenario>`."""
        return self.log_dir.joinpath(*parents, self.system, self.folder, self.scenario)

    def audit(self, test: str) -> Path:
        """The folder of TEST01, TEST04-A, TEST04-B or TEST05."""
        return self.logs("compliance_logs", test)


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
    table: dict[str, dict[str, dict[str, dict[str, Value]]]] = {}
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
        versions = table[benchmark][scenario]
        asked = config_vers.split(",")
        if config_vers == "all":
            asked = [v for v in versions if "maxq" not in v and "hetero" not in v]
        for version in asked:
            if version not in versions:
                _log.warning("--config_ver=%s does not exist in config file", version)
                continue
            config = {**common, **versions["default"], **versions[version]}
            run = Run(benchmark, scenario, version, config)
            _log.info('Processing config "%s"', run.config_name)
            yield run


def user_conf(scenario: str, config: Mapping[str, Value]) -> str:
    """Return the text of LoadGen's user.conf for a configuration."""
    lines = []
    for name, (_, key) in (LOADGEN_FLAGS["*"] | LOADGEN_FLAGS[scenario]).items():
        value = config.get(name)
        if value is None:
            continue
        # LoadGen reads latencies as whole milliseconds and percentiles in percent.
        if name.endswith("_ns"):
            value = max(1, round(float(value) / 1_000_000))
        elif name.endswith("_percentile"):
            value = round(float(value) * 100, 6)
        lines.append(f"*.{scenario}.{key} = {value}\n")
    return "".join(lines)
