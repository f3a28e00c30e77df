"""Which series ``mighetero export --openmetrics`` has, and of which run each is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pytest_mighetero.cli.__main__ import main
from tests.cli.runs import FACTS, PASSED, failed, write_run
from tests.lab.driver import UUIDS, Lab

Capture = pytest.CaptureFixture[str]
BAD = failed("call", "bad")
ARGS = FACTS["run_args"]
# By what tells two runs apart: the facts of either, and what else their records say.
APART: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "mode": (
        {"run_args": ARGS},
        {"run_args": f"{ARGS} --test_mode=AccuracyOnly", "mode": "AccuracyOnly"},
    ),
    "the mode that the log says": ({}, {"mode": "AccuracyOnly"}),
    "submission": ({}, {"run_args": f"{ARGS} --test_mode=SubmissionRun"}),
    "config_ver": (
        {"run_args": f"{ARGS} --config_ver=default"},
        {"run_args": f"{ARGS} --config_ver=high_accuracy"},
    ),
    "settings": ({}, {"run_args": f"{ARGS} --gpu_batch_size=8"}),
    "aggressor_count": (
        {"aggressor": "dlrm_offline", "aggressor_count": "1"},
        {"aggressor": "dlrm_offline", "aggressor_count": "2"},
    ),
    "backgrounds": ({"backgrounds": "dlrm"}, {"backgrounds": "dlrm,resnet50"}),
    "run": ({}, {"run": "isolated", "backgrounds": None}),
    "node": ({"node": "n1"}, {"node": "n2"}),
    "slot": (
        {"device_slot": "0", "device_uuid": "MIG-a"},
        {"device_slot": "1", "device_uuid": "MIG-b"},
    ),
    "a device that has no slot": ({"device_uuid": "a"}, {"device_uuid": "b"}),
    "profile": ({"device_profile": "1g.10gb"}, {"device_profile": "2g.20gb"}),
    "gpu": ({"gpu": "A100"}, {"gpu": "A30"}),
    "harness": ({"harness_dir": "/a"}, {"harness_dir": "/b"}),
    "a search": ({"tuned": "true"}, {}),
    "action": ({}, {"action": "run_audit_test01"}),
}


def passed(capsys: Capture, results: Path) -> list[tuple[dict[str, str], float]]:
    """Return the labels and values of what says whether tests passed."""
    capsys.readouterr()
    assert main(["export", str(results), "--openmetrics"]) == 0
    text = capsys.readouterr().out
    every = [x for each in text_string_to_metric_families(text) for x in each.samples]
    keys = [(each.name, *sorted(each.labels.items())) for each in every]
    assert len(keys) == len(set(keys))
    return [(x.labels, x.value) for x in every if x.name == "mighetero_run_passed"]


def verdicts(capsys: Capture, results: Path) -> list[float]:
    return sorted(value for _, value in passed(capsys, results))


@pytest.mark.parametrize("what", APART)
def test_no_green_run_hides_a_red_one(
    what: str, tmp_path: Path, capsys: Capture
) -> None:
    one, other = APART[what]
    write_run(tmp_path, "20260721-101500-bert_server", BAD, **one)
    write_run(tmp_path, "20260722-101500-bert_server", **other)
    assert verdicts(capsys, tmp_path) == [0, 1]
    write_run(tmp_path, "20260723-101500-bert_server", **one)
    assert verdicts(capsys, tmp_path) == [1, 1]


def test_tests_of_one_pair_are_series_of_their_own(
    tmp_path: Path, capsys: Capture
) -> None:
    for number, (test, phases) in enumerate({"test_a": BAD, "test_b": None}.items()):
        told = {"test": f"test_run.py::{test}[bert_server-run{number}]"}
        write_run(tmp_path, f"2026072{number}-101500-bert_server", phases, told)
    assert [(x["test"], value) for x, value in passed(capsys, tmp_path)] == [
        ("test_run.py::test_a[bert_server]", 0),
        ("test_run.py::test_b[bert_server]", 1),
    ]


def test_labels_that_look_alike_are_one_series(tmp_path: Path, capsys: Capture) -> None:
    """Prometheus refuses a file that has a series twice."""
    for number, gpu in enumerate(("\\x1b \\n", "\x1b \n")):
        name = f"2026072{number}-101500-bert_server"
        write_run(tmp_path, name, (BAD, None)[number], gpu=gpu)
    ((labels, value),) = passed(capsys, tmp_path)
    assert (labels["gpu"], value) == ("\\x1b \\n", 1)


def test_what_changes_from_night_to_night_is_no_other_series(
    tmp_path: Path, capsys: Capture
) -> None:
    changes = {"driver": "560.1", "run_args": f"{ARGS}0", "slurm_job": "8"}
    write_run(tmp_path, "20260721-101500-bert_server", BAD, {"session": "a"})
    told = {"session": "b"}
    write_run(tmp_path, "20260722-101500-bert_server", None, told, **changes)
    assert verdicts(capsys, tmp_path) == [1]


def test_of_repeats_in_one_pytest_run_the_red_one_counts(
    tmp_path: Path, capsys: Capture
) -> None:
    for number, phases in enumerate((None, BAD, None)):
        test = f"test_run.py::test_heterogeneous[bert_server-run{number + 1}]"
        told = {"test": test, "session": "first"}
        write_run(tmp_path, f"2026072{number}-101500-bert_server", phases, told)
    assert verdicts(capsys, tmp_path) == [0]
    told = {"test": test, "session": "second"}
    write_run(tmp_path, "20260724-101500-bert_server", None, told)
    assert verdicts(capsys, tmp_path) == [1]


@pytest.mark.parametrize(
    "unknown",
    [
        dict.fromkeys(("run", "backgrounds", "gpu", "driver", "run_args", "command")),
        {},
    ],
    ids=["before it was planned", "before it had logs"],
)
def test_what_failed_early_is_over_once_the_test_has_run(
    tmp_path: Path, capsys: Capture, unknown: dict[str, None]
) -> None:
    facts = {"mode": None, "value": None, "validity": None, **unknown}
    write_run(tmp_path, "20260721-101500-bert_server", record={"session": "a"})
    first = tmp_path / "20260722-101500-bert_server"
    write_run(tmp_path, first.name, failed("setup", "bad"), {"session": "b"}, **facts)
    assert verdicts(capsys, tmp_path) == [0, 1]
    told = {"session": "c"}
    for name, left in (("dlrm", [0, 1, 1]), ("bert", [1, 1])):
        write_run(
            tmp_path, f"20260723-101500-{name}_server", record=told, benchmark=name
        )
        assert verdicts(capsys, tmp_path) == left


def test_one_that_was_skipped_is_shown_where_its_teardown_failed(
    tmp_path: Path, capsys: Capture
) -> None:
    write_run(tmp_path, "20260721-101500-bert_server")
    skipped = {"call": {"outcome": "skipped", "text": "not today"}}
    write_run(tmp_path, "20260722-101500-bert_server", {**PASSED, **skipped})
    assert verdicts(capsys, tmp_path) == [1]
    broken = failed("teardown", "a background could not be stopped")
    write_run(tmp_path, "20260723-101500-bert_server", {**broken, **skipped})
    assert verdicts(capsys, tmp_path) == [0]


def test_the_last_run_is_the_one_that_ended_last(
    tmp_path: Path, capsys: Capture
) -> None:
    """Before summer ended it was later by the clock than after it."""
    for name, ended, phases in (
        ("20261025-021000-bert_server", 1793066000, BAD),
        ("20261025-025000-bert_server", 1793065000, None),
    ):
        told = {"harnesses": [{"role": "main", "exited": ended}]}
        write_run(tmp_path, name, phases, told)
    assert verdicts(capsys, tmp_path) == [0]


@pytest.mark.parametrize("exited", [None, "x", float("nan"), 5])
def test_of_one_second_the_tenth_is_later_than_the_second(
    tmp_path: Path, capsys: Capture, exited: object
) -> None:
    told = {"test": "t", "harnesses": [{"role": "main", "exited": exited}]}
    write_run(tmp_path, "20260722-101500-bert_server-2", record=told)
    write_run(tmp_path, "20260722-101500-bert_server-10", BAD, told)
    assert verdicts(capsys, tmp_path) == [0]


def test_runs_on_devices_in_turn(lab: Lab, capsys: Capture) -> None:
    for turn in (0, 1, 0):
        lab.run(f"--mig-rotate={turn}")
    series = passed(capsys, lab.folder / "results")
    assert [(labels["device"], value) for labels, value in series] == [
        (UUIDS[0], 1),
        (UUIDS[1], 1),
    ]
