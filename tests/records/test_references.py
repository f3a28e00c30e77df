"""References: what a file of them may say, what a run misses, how they are saved."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from pytest_mighetero.errors import ConfigError, HarnessError
from pytest_mighetero.records.comparison.figure import Latency, Measurement
from pytest_mighetero.records.comparison.reference_files import (
    load_references,
    save_references,
)
from pytest_mighetero.records.comparison.references import (
    Key,
    Reference,
    check,
    key_of,
    reference_of,
)

GPU = "NVIDIA A100-SXM4-80GB"
OFFLINE = Key("v2.0", GPU, "1g.10gb", "heterogeneous", "resnet50", "offline", "hetero")
STREAM = replace(OFFLINE, scenario="singlestream", profile=None)
SERVER = replace(OFFLINE, scenario="server")
FILE = Path("runs/references/v2.0.toml")
ENTRY = f"""\
[[reference]]
suite = "v2.0"
system = "{GPU}"   # the lab's
profile = "1g.10gb"
run = "heterogeneous"
benchmark = "resnet50"
scenario = "offline"
config_ver = "hetero"
value = 5200.5  # after the new cooling
lower = 4940.5
upper = 5460
unit = "samples/s"
"""
EXPECTED = Reference(OFFLINE, 5200.5, 4940.5, 5460.0, "samples/s", None, FILE)


def server(qps: float | None, p99: float | None) -> Measurement:
    latencies = (Latency("p99", p99, 15.0),)
    return Measurement("server", 99.0, "samples/s", qps, latencies)


def rate(value: float) -> Measurement:
    return Measurement("offline", value, "samples/s")


def latency(value: float) -> Measurement:
    return Measurement("singlestream", value, "ms")


def test_the_key_of_a_run() -> None:
    facts = {
        "suite": "v2.0",
        "gpu": GPU,
        "device_profile": "1g.10gb",
        "run": "heterogeneous",
        "benchmark": "resnet50",
        "scenario": "offline",
        "run_args": "--benchmarks=resnet50 --config_ver=hetero --fast",
    }
    assert key_of(facts) == OFFLINE
    assert key_of({}) == Key("", "", None, "", "", "", "")


def test_load(tmp_path: Path) -> None:
    assert load_references(tmp_path / "none") == {}
    path = tmp_path / "lab.toml"
    path.write_text(ENTRY)
    (tmp_path / "notes.txt").write_text("no reference")
    assert load_references(tmp_path) == {OFFLINE: replace(EXPECTED, path=path)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value = 5200.5", "value = ", "not TOML"),
        ("[[reference]]", "[[referense]]", "'referense': did you mean reference?"),
        ("[[reference]]", "[reference]", "expected tables under [[reference]], found"),
        ("lower", "lwer", "unknown key 'reference 1.lwer': did you mean lower?"),
        ("lower = 4940.5\n", "", "reference 1 lacks lower"),
        ("4940.5", "'4940'", "reference 1.lower: expected a number, 0 or more, found"),
        ("4940.5", "true", "reference 1.lower: expected a number, 0 or more, found"),
        ("5460", "inf", "reference 1.upper: expected a number over 0, found inf"),
        ("5200.5", "nan", "reference 1.value: expected a number over 0, found nan"),
        ('"resnet50"', "50", "reference 1.benchmark: expected a text, found 50"),
        ('"offline"', '"online"', "reference 1.scenario: expected one of offline, "),
        ("heterogeneous", "alone", "run: expected one of heterogeneous, isolated, "),
        ('"samples/s"', "9", "unit: expected a text, "),
        ("4940.5", "5900", "lower <= value <= upper, found 5900, 5200.5, 5460"),
        ("5200.5", "5461", "lower <= value <= upper, found 4940.5, 5461, 5460"),
        ('"offline"', '"server"', "reference 1 lacks target_qps, which server needs"),
        ("unit", "target_qps = 9\nunit", "offline has no target_qps; delete it"),
        ('"offline"', '"server"\ntarget_qps = 9', "expected unit ms, server's p99"),
    ],
)
def test_what_cannot_be_meant_names_file_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / "lab.toml").write_text(ENTRY.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_references(tmp_path)
    assert message in str(error.value)
    assert "lab.toml" in str(error.value)


def test_two_references_of_the_same_thing(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(ENTRY)
    with pytest.raises(ConfigError) as error:
        load_references(tmp_path)
    assert f"{tmp_path}/b.toml: resnet50_offline (hetero, " in str(error.value)
    assert f"has a reference in {tmp_path}/a.toml already" in str(error.value)


IN_MS = Reference(STREAM, 1.0, 0.95, 1.05, "ms", None, FILE)
AT_100 = Reference(SERVER, 10.0, 9.5, 10.5, "ms", 100.0, FILE)
IF_TO_STAY = "; save a new one with --mig-save-reference if it is here to stay."


@pytest.mark.parametrize(
    ("reference", "measurement", "said"),
    [
        (EXPECTED, rate(4940.5), None),
        (EXPECTED, rate(5460), None),
        (
            EXPECTED,
            rate(4800),
            (
                "resnet50_offline: 4800 samples/s is 7.7 % worse than its reference of "
                f"5200.5 (bounds 4940.5 to 5460, {FILE})."
            ),
        ),
        (
            EXPECTED,
            rate(5800),
            (
                "resnet50_offline: 5800 samples/s is better than its reference allows: "
                f"11.5 % above 5200.5 (bounds 4940.5 to 5460, {FILE}){IF_TO_STAY}"
            ),
        ),
        (
            EXPECTED,
            Measurement("offline", 5200, "samples/query"),
            (
                "resnet50_offline: measured in samples/query, and its reference is in "
                f"samples/s, so they were not compared ({FILE}); save a new one with "
                "--mig-save-reference."
            ),
        ),
        (IN_MS, latency(1.04), None),
        (
            IN_MS,
            latency(1.2),
            (
                "resnet50_singlestream: 1.2 ms is 20.0 % worse than its reference of 1 "
                f"(bounds 0.95 to 1.05, {FILE})."
            ),
        ),
        (
            IN_MS,
            latency(0.5),
            (
                "resnet50_singlestream: 0.5 ms is better than its reference allows: "
                f"50.0 % below 1 (bounds 0.95 to 1.05, {FILE}){IF_TO_STAY}"
            ),
        ),
        (AT_100, server(100, 10.2), None),
        (
            AT_100,
            server(100, 12),
            (
                "resnet50_server: 12 ms p99 at target 100 is 20.0 % worse than its "
                f"reference of 10 (bounds 9.5 to 10.5, {FILE})."
            ),
        ),
        (AT_100, server(110, 14), None),
        (
            AT_100,
            server(90, 10),
            f"resnet50_server: ran at target 90, below its reference's 100 ({FILE}).",
        ),
        (
            AT_100,
            server(100, None),
            (
                "resnet50_server: the p99 of this run is not known, so it was not "
                f"compared with its reference ({FILE})."
            ),
        ),
    ],
)
def test_check(
    reference: Reference, measurement: Measurement, said: str | None
) -> None:
    assert check(reference, measurement) == said


@pytest.mark.parametrize(
    ("key", "runs", "expected"),
    [
        (OFFLINE, [rate(90), rate(1e3 / 3), rate(900)], (333.333, 81, 990, None)),
        (STREAM, [latency(2)], (2, 1.8, 2.2, None)),
        (
            SERVER,
            [server(90, 1), server(100, 10), server(100, 12)],
            (11, 9, 13.2, 100),
        ),
        (SERVER, [server(90, 1), server(100, None)], None),
        (OFFLINE, [], None),
    ],
)
def test_the_reference_of_runs(
    key: Key,
    runs: list[Measurement],
    expected: tuple[float, float, float, float | None] | None,
) -> None:
    found = reference_of(key, runs, 0.1, FILE.parent)
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert (found.value, found.lower, found.upper, found.target_qps) == expected
    assert found.path == FILE


def test_the_file_of_a_suite_with_an_odd_name() -> None:
    found = reference_of(replace(OFFLINE, suite="our lab/2"), [rate(1)], 0, FILE.parent)
    assert found is not None
    assert found.path == FILE.parent / "our-lab-2.toml"


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    saved = {
        key: replace(each, key=key, path=folder / FILE.name)
        for each in (EXPECTED, IN_MS, AT_100)
        for key in (each.key, replace(each.key, system='other "GPU" \\'))
    }
    assert save_references(folder, saved.values()) == [folder / FILE.name]
    assert load_references(folder) == saved


def test_a_new_one_goes_in_the_place_of_the_old(tmp_path: Path) -> None:
    lab, usual = tmp_path / "lab.toml", tmp_path / FILE.name
    lab.write_text(f"# Agreed on in May.\n\n{ENTRY}\n# The end.")
    better = replace(EXPECTED, value=5300, path=usual)
    other = replace(AT_100, path=usual)
    assert save_references(tmp_path, [better, other]) == [lab, usual]
    assert lab.read_text() == (
        f"# Agreed on in May.\n\n{ENTRY.replace('5200.5', '5300')}\n# The end."
    )
    assert load_references(tmp_path) == {
        OFFLINE: replace(better, path=lab),
        SERVER: other,
    }


def test_one_is_added_below_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / FILE.name
    path.write_text(f"{ENTRY}# The end.")
    save_references(tmp_path, [replace(AT_100, path=path)])
    assert path.read_text().startswith(f"{ENTRY}# The end.\n\n[[reference]]\n")
    assert set(load_references(tmp_path)) == {OFFLINE, SERVER}


def save_some(folder: Path, name: str, together: Barrier) -> None:
    together.wait(60)
    for number in range(10):
        key = replace(OFFLINE, benchmark=f"{name}{number}")
        save_references(folder, [replace(EXPECTED, key=key, path=folder / FILE.name)])


def test_two_that_save_at_once_lose_nothing(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(2)
    both = [
        spawn.Process(target=save_some, args=(tmp_path, name, together))
        for name in "ab"
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert len(load_references(tmp_path)) == 20


def test_a_file_that_cannot_be_meant_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / FILE.name
    path.write_text("[[reference]")
    with pytest.raises(ConfigError, match="not TOML"):
        save_references(tmp_path, [replace(EXPECTED, path=path)])
    assert path.read_text() == "[[reference]"


def test_a_folder_that_may_not_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)  # root's own folders above it are closed to others
    folder = Path("references")
    folder.mkdir(0o555)
    user = os.geteuid()
    if user == 0:  # root may write anywhere
        os.seteuid(65534)
    try:
        with pytest.raises(
            HarnessError, match="references cannot be saved: Permission"
        ):
            save_references(folder, [replace(EXPECTED, path=folder / FILE.name)])
    finally:
        os.seteuid(user)
    assert list(folder.iterdir()) == []


def language_model(qps: float, ttft: float | None, tpot: float) -> Measurement:
    return Measurement(
        "server",
        1500.0,
        "tokens/s",
        qps,
        (Latency("p99 TTFT", ttft, 2000), Latency("p99 TPOT", tpot, 200)),
    )


def test_a_language_model_is_held_to_its_share_of_the_nearer_limit(
    tmp_path: Path,
) -> None:
    runs = [language_model(2, 1600, 100), language_model(2, 1500, 170)]
    reference = reference_of(SERVER, runs, 0.05, tmp_path)
    assert reference is not None
    assert (reference.value, reference.unit) == (82.5, "% of limit")
    assert (reference.lower, reference.upper) == (76.0, 89.25)
    save_references(tmp_path, [reference])
    (loaded,) = load_references(tmp_path).values()
    assert loaded == reference
    assert check(loaded, language_model(2, 1000, 160)) is None
    problem = check(loaded, language_model(2, 1000, 190))
    assert problem is not None
    assert "95 % of limit of p99 TTFT or TPOT at target 2 is 15.2 % worse" in problem
    lacking = check(loaded, language_model(2, None, 100))
    assert lacking is not None
    assert "is not known" in lacking
    other_unit = check(loaded, server(2, 10))
    assert other_unit is not None
    assert "measured in ms, and its reference is in % of limit" in other_unit
