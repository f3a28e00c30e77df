"""Suites v2.1 to v6.0 against what the harnesses of these rounds have."""

from __future__ import annotations

import pytest

from tests.spec.test_suites import load

# Scenarios by their first letters; the audits that are judged; the limits of Server and
# of Interactive in ms, TTFT/TPOT of language models; Offline's floor.
V4_1 = """
3d-unet             o__s_ 01,05    -         -       43
bert                os_s_ 01,05    130       -       10833
dlrm-v2             os___ 01,05    60        -       24576
gptj                os_s_ -        20000     -       13368
llama2-70b          os___ 06       2000/200  -       24576
mixtral-8x7b        os___ 06       2000/200  -       15000
resnet50            os_sm 01,04,05 15        -       24576
retinanet           os_sm 01,05    100       -       24576
stable-diffusion-xl os_s_ 01,04    20000     -       5000
"""
V5_1 = """
bert                os_s_ 01       130       -       10833
deepseek-r1         os___ 06       2000/80   -       4388
dlrm-v2             os___ 01       60        -       24576
gptj                os_s_ -        20000     -       13368
llama2-70b          osi__ 06       2000/200  450/40  24576
llama3_1-405b       osi__ 06       6000/175  4500/80 8313
llama3_1-8b         osi__ 06       2000/100  500/30  13368
mixtral-8x7b        os___ 06       2000/200  -       15000
resnet50            os_sm 01,04    15        -       24576
retinanet           os_sm 01       100       -       24576
rgat                o____ 01       -         -       788379
stable-diffusion-xl os___ 01,04    20000     -       5000
whisper             o____ 01       -         -       1633
"""
V6_0 = V5_1.replace(
    "deepseek-r1         os___ 06       2000/80   -     ",
    "deepseek-r1         osi__ 06       2000/80   1500/15",
)
V6_0 += """
gpt-oss-120b        osi__ 07,09    3000/80   2000/15 100
qwen3-vl-235b-a22b  os___ -        12000     -       48289
wan22-a14b          o__s_ 04       -         -       100
"""
ROUNDS = {"v4.1": V4_1, "v5.1": V5_1, "v6.0": V6_0}
SCENARIOS = ("offline", "server", "interactive", "singlestream", "multistream")


def limits(text: str) -> dict[str, float]:
    if text == "-":
        return {}
    names = ("ttft_ms", "tpot_ms") if "/" in text else ("latency_ms",)
    return dict(zip(names, map(float, text.split("/")), strict=True))


@pytest.mark.parametrize("name", ROUNDS)
def test_benchmarks(name: str) -> None:
    suite = load(name)
    rows = [line.split() for line in ROUNDS[name].split("\n") if line]
    assert list(suite.benchmarks) == sorted(row[0] for row in rows)
    for benchmark, letters, audits, server, interactive, floor in rows:
        entry = suite.benchmarks[benchmark]
        said = zip(SCENARIOS, letters, strict=True)
        assert entry.scenarios == tuple(name for name, letter in said if letter != "_")
        judged = [f"test{each}" for each in audits.split(",") if each != "-"]
        assert list(entry.audits) == judged
        known = suite.harness_of(benchmark).actions
        assert {f"run_audit_{each}" for each in judged} <= {*known}
        assert entry.limits_in("server").latencies == limits(server)
        assert entry.limits_in("interactive").latencies == limits(interactive)
        own = entry.query_counts.get("offline", suite.query_counts["offline"])
        assert own == float(floor)
    assert suite.query_counts["server"] == 100
    assert suite.query_counts["multistream"] == 662


@pytest.mark.parametrize("name", ROUNDS)
def test_every_member_of_a_group_can_be_a_background(name: str) -> None:
    suite = load(name)
    assert suite.groups["small"]
    for members in suite.groups.values():
        assert all("offline" in suite.benchmarks[each].scenarios for each in members)


def test_v2_1_is_v2_0_with_retinanet() -> None:
    before, suite = load("v2.0"), load("v2.1")
    assert {*suite.benchmarks} == {*before.benchmarks, "retinanet"}
    assert suite.benchmarks["retinanet"].config_ver == "default"
    assert suite.query_counts == before.query_counts
    assert suite.misfit(next(iter(suite.pairs())), "1g.6gb") is None


@pytest.mark.parametrize(
    ("name", "whole", "config_ver"),
    [
        ("v1.0", True, "hetero"),
        ("v1.1", True, "hetero"),
        ("v2.0", True, "hetero"),
        ("v2.1", True, "hetero"),
        ("cpu", True, "hetero"),
        ("v4.1", False, "hetero"),
        ("v5.1", False, ""),
        ("v6.0", False, ""),
    ],
)
def test_what_run_args_may_say(name: str, whole: bool, config_ver: str) -> None:
    harness = load(name).harness_of("bert")
    assert (harness.whole_targets, harness.config_ver) == (whole, config_ver)
