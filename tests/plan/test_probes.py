"""What a short run of a search is told: no query count that nothing would take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from pytest_mighetero.plan.run_plan import probing
from pytest_mighetero.plan.trial import trial_of
from pytest_mighetero.readers.result import Result
from pytest_mighetero.spec.checks import lost_words
from pytest_mighetero.spec.limits import Limits
from pytest_mighetero.terms.pair import Pair
from tests.lab.driver import config_of
from tests.lab.web_suite import CLIENT, SUITE, changed

ALPHA = Pair("alpha", "server")


def words(*more: str) -> dict[str, Any]:
    return {"harnesses": {"web": {"command": [*CLIENT, "{benchmark}", *more]}}}


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({}, None),
        (words("{run_args}"), None),
        (words("{requests}"), 1),
    ],
)
def test_a_probe_of_a_command(
    tmp_path: Path, change: dict[str, Any], count: float | None
) -> None:
    path = tmp_path / "site.toml"
    path.write_text(tomlkit.dumps(changed(SUITE, change)))
    whole = config_of(tmp_path, mig_suite=str(path))
    probe = probing(whole, ALPHA, 2.0)
    assert probe.main_duration == 2.0
    assert probe.main_runargs.number("min_query_count") == count
    assert lost_words(probe, ALPHA) is None


def test_a_probe_of_make_has_one(tmp_path: Path) -> None:
    probe = probing(config_of(tmp_path), Pair("dlrm", "server"), 2.0)
    assert probe.main_runargs.number("min_query_count") == 1


def test_no_probe_is_too_short_for_its_verdict(tmp_path: Path) -> None:
    limits = {"latency_ms": 60, "failed": 2, "seconds": 600, "requests": 662}
    said = {"benchmarks": {"alpha": {"limits": {"server": limits}}}}
    path = tmp_path / "site.toml"
    path.write_text(tomlkit.dumps(changed(SUITE, said)))
    whole = config_of(tmp_path, mig_suite=str(path))
    probe = probing(whole, ALPHA, 2.0)
    kept = probe.suite.benchmarks["alpha"].limits_in("server")
    assert kept == Limits(latency_ms=60, failed=2)
    assert whole.suite.benchmarks["alpha"].limits_in("server").requests == 662


@pytest.mark.parametrize(
    ("percentiles", "full", "tells"),
    [({99.0: 3.0}, False, True), ({}, False, False), ({}, True, True)],
)
def test_a_probe_without_the_percentile_tells_nothing(
    percentiles: dict[float, float], full: bool, tells: bool
) -> None:
    result = Result(
        Path(),
        "Endpoints",
        scenario="Server",
        valid=bool(percentiles),
        target_qps=3.2,
        target_latency_ms=2000.0,
        percentiles_ms=percentiles,
    )
    assert trial_of(result, full=full).tells is tells
