"""Every figure of the built-in suites against the harnesses' own configurations.

Source: closed/NVIDIA/configs of mlcommons/inference_results_v1.0, _v1.1 and _v2.0, read
by the harnesses' own code: in v1.0 each benchmark's config.json, of the systems
A100-SXM-80GB-MIG_1x1g.10gb and A30-MIG_1x1g.3gb; later the classes registered as
HeteroMIG, of A100_SXM_80GB_MIG_1x1g10gb and A30_MIG_1x1g6gb. Floors: their mlperf.conf.
"""

from __future__ import annotations

import pytest

from pytest_mighetero.spec.suite import Figures
from pytest_mighetero.terms.pair import Pair
from tests.spec.test_suites import load

SCENARIOS = ("offline", "server", "singlestream", "multistream")

# Target QPS of Offline and Server, expected latency of the streams in ms. MultiStream
# of v1.0 has a fixed rate: 20 QPS, and 15 of ssd-resnet34 (mlperf.conf).
CONFIGURED = """
v1.0 1g.10gb default
  3d-unet                7          -         34          -
  bert                 500        380        1.7          -
  dlrm               40000      36000          -          -
  resnet50            5100       3600       0.66         50
  rnnt                1550       1300         10          -
  ssd-mobilenet       7000          -       0.46          -
  ssd-resnet34         135        100        1.9      66.67
v1.0 1g.10gb hetero
  3d-unet                7          -          -          -
  bert                 500        380          -          -
  dlrm               40000      36000          -          -
  resnet50            5100       3600          -          -
  rnnt                1550       1300          -          -
  ssd-mobilenet       7000          -          -          -
  ssd-resnet34         135        100          -          -
v1.0 1g.10gb hetero_high_accuracy
  3d-unet                7          -          -          -
  bert                 225        160          -          -
  dlrm               40000      36000          -          -
v1.0 1g.3gb default
  bert                 330        260   7.452826          -
  resnet50            4050       2000   0.817316          -
  rnnt                 840        700   7.452826          -
  ssd-mobilenet       4860          -   0.512501          -
  ssd-resnet34         120         80   9.079664          -
v1.0 1g.3gb hetero
  bert                 330        260          -          -
  resnet50            4050       2000          -          -
  rnnt                 840        700          -          -
  ssd-mobilenet       4860          -          -          -
  ssd-resnet34         120         80          -          -
v1.0 1g.3gb hetero_high_accuracy
  bert                 250        260          -          -
v1.1 1g.10gb hetero
  3d-unet                7          -         25          -
  bert                 500        380        1.7          -
  dlrm               40000      36000          -          -
  resnet50            5100       3600       0.66          -
  rnnt                1550       1300         10          -
  ssd-mobilenet       7000          -       0.46          -
  ssd-resnet34         135        100        1.9          -
v1.1 1g.10gb hetero_high_accuracy
  3d-unet                7          -         25          -
  bert                 225        160        1.7          -
  dlrm               40000      36000          -          -
v1.1 1g.6gb hetero
  3d-unet            6.847          - 150.883557          -
  bert             457.658        340   6.412655          -
  dlrm               31117      30000          -          -
  resnet50            4575       3100    0.74604          -
  rnnt                1337        950  78.812921          -
  ssd-mobilenet       5782          -   0.474529          -
  ssd-resnet34         115         85   9.500464          -
v1.1 1g.6gb hetero_high_accuracy
  3d-unet            6.847          - 150.883557          -
  bert              219.18        130   11.72574          -
  dlrm               31117      30000          -          -
v2.0 1g.10gb hetero
  3d-unet             0.43          -       5256          -
  bert                 500        380      5.342          -
  dlrm               40000      36000          -          -
  resnet50            5100       3600       0.67        2.1
  rnnt                1500       1320         10          -
  ssd-mobilenet       7000          -       0.46       1.66
  ssd-resnet34         135         98        1.9         62
v2.0 1g.10gb hetero_high_accuracy
  3d-unet             0.43          -       5256          -
  bert                 225        160         11          -
  dlrm               40000      36000          -          -
v2.0 1g.6gb hetero
  3d-unet             0.45          -       5256          -
  bert             457.658        360   6.055419          -
  dlrm               33000      30000          -          -
  resnet50            4575       3080    0.74604    5.96832
  rnnt                1378        950  78.812921          -
  ssd-mobilenet       5782          -   0.474529       1.95
  ssd-resnet34         115         80   9.500464  76.003712
v2.0 1g.6gb hetero_high_accuracy
  3d-unet             0.45          -       5256          -
  bert              219.18        145  11.558755          -
  dlrm               33000      30000          -          -
v2.1 1g.10gb default
  retinanet             80         45        1.9         62
v4.1 1g.10gb hetero
  3d-unet             0.43          -       5256          -
  bert                 500        380      5.342          -
  resnet50            5100       3600       0.67        2.1
v4.1 1g.10gb hetero_high_accuracy
  3d-unet             0.43          -       5256          -
  bert                 225        160         11          -
v4.1 1g.10gb default
  retinanet             80         45        1.9         62
v4.1 1g.6gb hetero
  3d-unet                -          -       5256          -
  bert                   -          -   6.055419          -
  resnet50               -          -    0.74604    5.96832
v4.1 1g.6gb hetero_high_accuracy
  3d-unet                -          -       5256          -
  bert                   -          -  11.558755          -
"""

FLOORS = {"offline": 24576, "server": 270336, "singlestream": 1024}


def table() -> dict[tuple[str, str, str, str, str], float]:
    """Return each figure by suite, profile, config_ver, benchmark and scenario."""
    found, head = {}, [""]
    for line in CONFIGURED.strip().splitlines():
        if not line.startswith(" "):
            head = line.split()
            continue
        benchmark, *figures = line.split()
        for scenario, figure in zip(SCENARIOS, figures, strict=True):
            if figure != "-":
                suite, profile, version = head
                found[suite, profile, version, benchmark, scenario] = float(figure)
    same = {k[1:]: figure for k, figure in found.items() if k[0] == "v2.0"}
    return {**found, **{("v2.1", *key): same[key] for key in same}}


def figures_in(name: str, figures: Figures) -> dict[tuple[str, ...], float]:
    return {
        (name, profile, version, benchmark, scenario): figure
        for profile, versions in figures.items()
        for version, benchmarks in versions.items()
        for benchmark, scenarios in benchmarks.items()
        for scenario, figure in scenarios.items()
    }


@pytest.mark.parametrize("name", ["v1.0", "v1.1", "v2.0", "v2.1", "v4.1"])
def test_every_figure_is_the_harnesss_own(name: str) -> None:
    suite = load(name)
    found = {
        **figures_in(name, suite.targets),
        **figures_in(name, suite.latencies_ms),
    }
    assert found == {key: each for key, each in table().items() if key[0] == name}


@pytest.mark.parametrize("name", ["v1.0", "v1.1", "v2.0", "v2.1"])
def test_a_pair_has_a_figure_where_it_has_a_configuration(name: str) -> None:
    suite = load(name)
    configured = {
        (profile, version, str(pair))
        for profile, pairs in suite.profiles.items()
        for pair in pairs
        for version in ("hetero", "hetero_high_accuracy")
        if suite.has_configuration(pair, version)
    }
    known = {
        (profile, version, f"{benchmark}_{scenario}")
        for suite_name, profile, version, benchmark, scenario in table()
        if suite_name == name and version != "default"
    }
    assert configured == known


@pytest.mark.parametrize("name", ["v1.0", "v1.1", "v2.0"])
def test_the_floors_of_mlperf_conf(name: str) -> None:
    multistream = {} if name == "v1.1" else {"multistream": 270336}
    suite = load(name)
    assert suite.query_counts == {**FLOORS, **multistream}
    # Only this one configuration has its own: 45000, and 16384 on an A30.
    own = {each: b.query_counts for each, b in suite.benchmarks.items()}
    expected = {"ssd-resnet34": {"multistream": 45000}} if name == "v2.0" else {}
    assert {name: each for name, each in own.items() if each} == expected


@pytest.mark.parametrize(
    ("name", "unjudged"),
    [
        ("v1.0", {"bert", "dlrm", "rnnt"}),
        ("v1.1", {"bert", "dlrm", "rnnt"}),
        ("v2.0", {"bert", "dlrm", "rnnt", "3d-unet"}),
        ("cpu", {"bert", "dlrm", "rnnt"}),
    ],
)
def test_the_exclude_list_of_test04(name: str, unjudged: set[str]) -> None:
    suite = load(name)
    harness = suite.harness_of("bert")
    there = {each.removeprefix("run_audit_") for each in harness.actions[1:]}
    for benchmark, spec in suite.benchmarks.items():
        more = set() if benchmark in unjudged else {"test04"}
        assert there & {*spec.audits} == {"test01", "test05"} | more


@pytest.mark.parametrize(
    ("name", "start_s"), [("v1.0", "360s"), ("v1.1", "600s"), ("v2.0", "600s")]
)
def test_the_defaults_of_the_reference_script(name: str, start_s: str) -> None:
    defaults = load(name).defaults
    assert defaults["main-benchmark-duration"] == "600s"
    assert defaults["start-time-buffer"] == start_s
    assert defaults["end-time-buffer-min"] == "30s"
    assert defaults["background-benchmark-timeout"] == "2h"
    assert defaults["background-scenario"] == "offline"


def test_the_embedded_harness_has_what_its_suite_says() -> None:
    from pytest_mighetero.cpu.configs import CONFIG_FILE, find_runs

    assert CONFIG_FILE.is_file()
    suite = load("cpu")
    names = {each.lower(): each for each in ("Offline", "Server")}
    names |= {"singlestream": "SingleStream", "multistream": "MultiStream"}
    for pair in suite.pairs():
        for version in ("default", "hetero", "hetero_high_accuracy"):
            runs = list(find_runs([pair.benchmark], [names[pair.scenario]], version))
            assert bool(runs) is suite.has_configuration(pair, version), (pair, version)


def test_a_benchmark_of_a_sites_own_has_every_configuration() -> None:
    pair = Pair("bert", "singlestream")
    assert load("v1.0").has_configuration(pair, "lab")
