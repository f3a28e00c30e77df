"""Suite services: its tables on real outputs, and real services where they are.

Debian's packages that it needs: fio, nginx-light, redis-server, redis-tools, sysbench
and wrk. Of a benchmark whose tools are missing the test says which.
"""

from __future__ import annotations

from pathlib import Path
from shutil import which

import pytest

from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.readers.reader import reader_named
from pytest_mighetero.spec.filled import used_by
from pytest_mighetero.spec.library import load_suite
from pytest_mighetero.terms.pair import Pair
from tests.lab import needs
from tests.lab.driver import Lab, Report
from tests.readers.toolbox import DATA

ALONE = """
import pytest

@pytest.mark.isolated
def test_isolated(main):
    main.run()
"""
SUITE = load_suite("services", Path(), device_kinds())


@pytest.mark.parametrize(
    ("harness", "output", "value", "p99_ms", "completed", "failed"),
    [
        ("nginx", "wrk/good", 35337.31, 2.18, 74198, 0),
        ("nginx", "wrk/404", 31841.3, 0.574, 0, 35031),
        ("nginx", "wrk/socket-errors", 17193.21, 0.087, 36102, 54115),
        ("redis", "redis-benchmark/full", 36297.64, 2.759, 20000, 0),
        ("sysbench-cpu", "sysbench/cpu", 3602.64, 1.37, 10812, 0),
        ("sysbench-memory", "sysbench/memory", 7025.65, None, 21588522, 0),
    ],
)
def test_its_tables_on_what_the_tools_print(  # noqa: PLR0917
    harness: str,
    output: str,
    value: float,
    p99_ms: float | None,
    completed: int,
    failed: int,
) -> None:
    spec = SUITE.harnesses[harness]
    reader = reader_named(spec.reader, spec.result)
    [result] = reader.read_all(Path(), DATA / f"{output}.txt")
    assert result.metric is not None
    assert (result.metric.value, result.damage) == (value, ())
    assert result.percentiles_ms.get(99.0) == p99_ms
    assert (result.completed, result.failed) == (completed, failed)


def test_only_what_has_a_rate_asks_for_one() -> None:
    asked = {str(p): used_by(SUITE, p) & {"rate", "requests"} for p in SUITE.pairs()}
    assert {name: [*each] for name, each in asked.items() if each} == {
        "fio_server": ["rate"],
        "redis_offline": ["requests"],
        "sysbench-cpu_server": ["rate"],
    }
    assert "port" in used_by(SUITE, Pair("nginx", "offline"))


def missing(*benchmarks: str) -> str:
    """Say which programs are not here, and what brings them."""
    tools = [SUITE.harness_of(each).needs for each in benchmarks]
    lacking = {p: package for each in tools for p, package in each.items()}
    found = [f"{p} ({package})" for p, package in lacking.items() if not which(p)]
    return ", ".join(found)


@pytest.mark.slow
def test_alone_main_has_its_server(lab: Lab) -> None:
    if why := missing("nginx"):
        needs.lacking(why)
    (lab.folder / "test_alone.py").write_text(ALONE)
    arguments = [
        *("--mig-suite=services", "--junitxml=report.xml", "--mig-lease-dir=leases"),
        *("--main-benchmark-duration=2s", "--mig-isolated", "-m", "isolated"),
        *("-k", "nginx"),
    ]
    report = Report(lab.folder, lab.pytester.runpytest_inprocess(*arguments))
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["validity"] == "VALID"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("measured", "beside"),
    [
        ("nginx_offline", "fio"),
        ("redis_offline", "sysbench-memory"),
        ("fio_server", "nginx"),
        ("sysbench-cpu_server", "redis"),
    ],
)
def test_services_beside_services(lab: Lab, measured: str, beside: str) -> None:
    if why := missing(measured.partition("_")[0], beside):
        needs.lacking(why)
    # redis takes a number of requests: on a busy machine these take long enough.
    slower = 'extends = "services"\n[benchmarks.redis.rates]\noffline = 4000\n'
    (lab.folder / "slower.toml").write_text(slower)
    arguments = [
        *("--mig-suite=slower.toml", "--junitxml=report.xml", "--mig-lease-dir=leases"),
        *(f"--background-benchmarks={beside}", "--background-scenario=offline"),
        *("--main-benchmark-duration=4s", "--background-benchmark-duration=automatic"),
        *("-k", f"test_heterogeneous and {measured}"),
    ]
    report = Report(lab.folder, lab.pytester.runpytest_inprocess(*arguments))
    report.result.assert_outcomes(passed=1)
    facts = report.case.properties
    assert (facts["validity"], facts["overlap_ok"]) == ("VALID", "true")
    assert float(facts["value"]) > 0
