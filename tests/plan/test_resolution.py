"""What searches for a target leave open is no change of their answers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pytest_mighetero.records.comparison.figure import Latency, Measurement, of_facts
from pytest_mighetero.records.comparison.samples import comparisons


def search(target: float, above: float | None) -> Measurement:
    latencies = (Latency("p99", 29.0, 30.0),)
    found = Measurement("server", target, "samples/s", target, latencies, tuned=True)
    return replace(found, invalid_above=above)


@pytest.mark.parametrize(
    ("base", "other", "verdict", "worse_by"),
    [
        # Found to 5 %: the device of the second may bear the first one's target, too.
        ((2936, 3083), (2929, 3075), "equal within the 5.0% that", 0),
        ((2929, 3075), (2936, 3083), "equal within the 5.0% that", 0),
        # It was INVALID there, or above it.
        ((3075, 3229), (2929, 3075), "worse, single runs", 1 - 2929 / 3075),
        ((2929, 3075), (3075, 3229), "better, single runs", 1 - 3075 / 2929),
        ((1000, 1010), (900, 909), "worse, single runs", 0.1),
        # Only what the lower one's search left open counts.
        ((1000, 1500), (900, 909), "worse, single runs", 0.1),
        ((1000, 1010), (900, 1500), "equal within the 66.7% that", 0),
        ((1000, 1010), (900, math.inf), "not known: nothing above the lower", 0),
        # A target that was chosen was not searched for above.
        ((1000, None), (990, None), "worse, single runs", 0.01),
        ((1000, 1050), (1000, 1050), "equal, single runs", 0),
    ],
)
def test_the_lower_searchs_bracket_decides(
    base: tuple[float, float | None],
    other: tuple[float, float | None],
    verdict: str,
    worse_by: float,
) -> None:
    (compared,) = comparisons([search(*base)], [search(*other)])
    assert compared.verdict.startswith(verdict)
    assert compared.worse_by == pytest.approx(worse_by)
    assert compared.change == pytest.approx(other[0] / base[0] - 1)
    if compared.unresolved:
        assert compared.significant is False


def test_repeats_are_as_coarse_as_the_coarsest_search() -> None:
    base = [search(1000, 1010), search(1004, 1014)]
    other = [search(990, 1000), search(992, 1042)]
    (compared,) = comparisons(base, other)
    assert compared.verdict == "equal within the 5.0% that the search resolved"
    assert compared.significant is False


def test_the_rate_at_such_a_target_is_as_coarse() -> None:
    def tokens(target: float) -> Measurement:
        each = Latency("p99 TTFT", 1000, 2000), Latency("p99 TPOT", 100, 200)
        return Measurement(
            *("server", 600 * target, "tokens/s", target, each),
            tuned=True,
            invalid_above=target * 1.05,
        )

    found = comparisons([tokens(2.02)], [tokens(2.0)])
    assert [each.figure.name for each in found] == ["highest VALID target", "tokens/s"]
    assert all(each.unresolved for each in found)


FACTS = {
    "validity": "VALID",
    "scenario": "server",
    "value": "2936",
    "unit": "samples/s",
    "target_qps": "2936",
}


@pytest.mark.parametrize(
    ("facts", "resolution"),
    [
        ({"tuned": "true", "tuned_invalid_above": "3082.8"}, 0.05),
        ({"tuned": "true", "tuned_invalid_above": "none"}, math.inf),
        ({"tuned": "true"}, 0),  # a record from before that was kept
        ({"target_qps_invalid": "3156.2"}, 0.075),
        ({}, 0),
    ],
)
def test_what_a_record_says(facts: dict[str, str], resolution: float) -> None:
    measured = of_facts({**FACTS, **facts})
    assert measured is not None
    assert measured.resolution == pytest.approx(resolution, abs=1e-9)
