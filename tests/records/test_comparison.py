"""Ratios, their direction and weight; which runs may be compared."""

from __future__ import annotations

import pytest

from pytest_mighetero.records.comparison.figure import Latency, Measurement, of_facts
from pytest_mighetero.records.comparison.samples import Sample, compare, comparisons
from pytest_mighetero.records.record import (
    sameness,
    settings_of,
)


def offline(*rates: float) -> list[Measurement]:
    return [Measurement("offline", rate, "samples/s") for rate in rates]


def server(target: float, p99: float | None, *, tuned: bool = False) -> Measurement:
    latencies = (Latency("p99", p99, 30.0),)
    return Measurement("server", target, "samples/s", target, latencies, tuned)


@pytest.mark.parametrize(
    ("base", "other", "significant", "verdict"),
    [
        ([100], [98], None, "worse, single runs"),
        ([100], [102], None, "better, single runs"),
        ([100, 101], [98], None, "worse, single runs"),
        ([100, 101], [98, 99], True, "worse"),
        ([100, 102], [99, 101], False, "worse, not significant"),
        ([100, 100], [100, 100], False, "equal, not significant"),
        ([98, 99], [100, 101], True, "better"),
    ],
)
def test_spreads_decide_what_is_significant(
    base: list[float], other: list[float], significant: bool | None, verdict: str
) -> None:
    compared = compare(offline(*base), offline(*other))
    assert compared is not None
    assert compared.significant is significant
    assert compared.verdict == verdict


def test_lower_is_better_for_latency() -> None:
    single = [Measurement("singlestream", ms, "ms") for ms in (10.0, 12.0)]
    compared = compare(single[:1], single[1:])
    assert compared is not None
    assert compared.ratio == pytest.approx(1.2)
    assert compared.worse_by == pytest.approx(0.2)


def test_server_at_one_target_is_compared_by_its_tail() -> None:
    compared = compare([server(36000, 8.29)], [server(36000, 9.0)])
    assert compared is not None
    assert compared.figure.name == "p99 at target 36000"
    assert compared.limit_shares == pytest.approx((8.29 / 30, 9.0 / 30))
    assert str(compared) == (
        "+8.6% p99 at target 36000 (8.29 -> 9 ms, 28% -> 30% of its limit, lower is "
        "better): worse, single runs"
    )


def test_server_at_two_targets_is_compared_by_them() -> None:
    compared = compare([server(380, 95.0)], [server(360, 100.0), server(350, 90.0)])
    assert compared is not None
    assert compared.figure.name == "highest VALID target"
    assert compared.ratio == pytest.approx(360 / 380)


def test_searches_are_compared_by_their_answers() -> None:
    found = [server(target, 29.0, tuned=True) for target in (380, 384, 360, 356)]
    compared = compare(found[:2], found[2:])
    assert compared is not None
    assert compared.base == Sample((380, 384))
    assert compared.significant is True


@pytest.mark.parametrize(
    ("base", "other"),
    [
        ([], offline(1)),
        (offline(1), [server(1, 1.0)]),
        ([server(100, None)], [server(100, 1.0)]),
        (offline(0), offline(1)),
    ],
)
def test_nothing_to_compare(base: list[Measurement], other: list[Measurement]) -> None:
    assert compare(base, other) is None


@pytest.mark.parametrize("value", ["262650", "5200.5", "0.00123", "1e+06"])
def test_figures_are_written_as_people_do(value: str) -> None:
    assert str(Sample((float(value),))) == value.replace("1e+06", "1000000")


FACTS = {
    "suite": "v2.0",
    "gpu": "A100",
    "device_profile": "1g.10gb",
    "device_slot": "0",
    "benchmark": "bert",
    "scenario": "server",
    "action": "run_harness",
    "run_args": "--benchmarks=bert --min_duration=600000 --server_target_qps=380",
    "validity": "VALID",
    "value": "379.9",
    "unit": "samples/s",
}


@pytest.mark.parametrize(
    ("fact", "other"),
    [
        ("suite", "v1.1"),
        ("gpu", "A30"),
        ("driver", "570.1"),
        ("device_profile", "2g.20gb"),
        ("device_slot", "3"),
        ("action", "run_audit_test01"),
        ("run_args", "--benchmarks=bert --min_duration=60000"),
        ("tuned", "true"),
    ],
)
def test_what_makes_runs_different_things(fact: str, other: str) -> None:
    assert sameness(FACTS) != sameness({**FACTS, fact: other})


def test_the_target_is_no_setting() -> None:
    other = FACTS["run_args"].replace("380", "360")
    assert sameness(FACTS) == sameness({**FACTS, "run_args": other})
    assert settings_of(other) == "--benchmarks=bert --min_duration=600000"


@pytest.mark.parametrize(
    "change", [{"validity": "INVALID"}, {"value": "nan?"}, {"unit": None}]
)
def test_facts_without_a_measurement(change: dict[str, str | None]) -> None:
    facts = {k: v for k, v in {**FACTS, **change}.items() if v is not None}
    assert of_facts(FACTS) == Measurement("server", 379.9, "samples/s")
    assert of_facts(facts) is None


def language_model(
    target: float, rate: float, ttft: float | None, tpot: float
) -> Measurement:
    return Measurement(
        "server",
        rate,
        "tokens/s",
        target,
        (Latency("p99 TTFT", ttft, 2000), Latency("p99 TPOT", tpot, 200)),
    )


def test_a_language_model_is_compared_by_tokens_and_both_latencies() -> None:
    base, other = language_model(2, 1200, 1000, 100), language_model(2, 1260, 900, 150)
    found = comparisons([base], [other])
    assert [(each.figure.name, round(each.worse_by, 3)) for each in found] == [
        ("tokens/s", -0.05),
        ("p99 TTFT at target 2", -0.1),
        ("p99 TPOT at target 2", 0.5),
    ]
    assert [each.limit_shares for each in found] == [None, (0.5, 0.45), (0.5, 0.75)]
    worst = compare([base], [other])
    assert worst is not None
    assert worst.figure.name == "p99 TPOT at target 2"


def test_a_language_model_at_two_targets() -> None:
    found = comparisons(
        [language_model(2, 1200, 1000, 100), language_model(1.5, 900, 900, 90)],
        [language_model(2.5, 1500, 1000, 100)],
    )
    assert [(each.figure.name, each.ratio) for each in found] == [
        ("highest VALID target", 1.25),
        ("tokens/s", 1.25),
    ]


def test_a_language_model_without_a_latency_is_not_compared() -> None:
    known, unknown = language_model(2, 9, 1000, 90), language_model(2, 9, None, 90)
    plain = server(2, 20)
    assert comparisons([known], [unknown]) == ()
    assert comparisons([known], [plain]) == ()


def test_a_large_target_is_written_out() -> None:
    (compared,) = comparisons([server(1234567, 20)], [server(1234567, 25)])
    assert compared.figure.name == "p99 at target 1234567"
    assert str(Sample((1234567.0,))) == "1234600"


FACTS_OF_TOKENS = {
    "validity": "VALID",
    "scenario": "server",
    "value": "1504.54",
    "unit": "tokens/s",
    "target_qps": "2",
    "ttft_p99_ms": "1000",
    "ttft_limit_ms": "2000",
    "tpot_p99_ms": "150",
    "tpot_limit_ms": "200",
}


def test_what_the_facts_of_a_language_model_hold() -> None:
    found = of_facts(FACTS_OF_TOKENS)
    assert found == language_model(2, 1504.54, 1000, 150)
    assert found.limit_percent == 75
    assert of_facts({**FACTS_OF_TOKENS, "damage": "cut off"}) is None
    assert of_facts({**FACTS_OF_TOKENS, "value": "nan"}) is None
    assert of_facts({**FACTS_OF_TOKENS, "value": "-1"}) is None


def test_lower_is_better_where_a_suite_says_so() -> None:
    facts = {**FACTS, "scenario": "offline", "unit": "s", "better": "lower"}
    runs = [of_facts({**facts, "value": value}) for value in ("10", "12")]
    (found,) = comparisons(*([each] for each in runs if each))
    assert found.verdict == "worse, single runs"
    assert not found.figure.higher_is_better
    higher = of_facts({**FACTS, "scenario": "offline", "unit": "s"})
    assert runs[0] is not None
    assert higher is not None
    assert comparisons([runs[0]], [higher]) == ()
