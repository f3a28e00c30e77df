"""What the runs of a session still take: recorded, else planned, else nothing said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.run.outlook import Outlook, Turn
from pytest_mighetero.terms.pair import Pair
from tests.lab.driver import Lab, config_of

GPU = Gpu("listed by --mig-devices", (MigDevice("a"), MigDevice("b")))
DLRM = Turn(Pair("dlrm", "server"), alone=False)
ALONE = Turn(Pair("dlrm", "server"), alone=True)


@pytest.mark.parametrize(
    ("said", "turn", "seconds"),
    [
        ({}, ALONE, 2.0),
        ({}, DLRM, 60.0),
        ({"background_benchmark_duration": "automatic"}, DLRM, 2.1),
        ({"background_benchmarks": "none"}, DLRM, 2.0),
        ({"mig_tune": "true"}, DLRM, None),
    ],
)
def test_what_is_planned(
    tmp_path: Path, said: dict[str, str], turn: Turn, seconds: float | None
) -> None:
    told = {"background_benchmark_duration": "60s", **said}
    told["background_benchmark_timeout"] = "10min"
    outlook = Outlook(config_of(tmp_path, main_benchmark_duration="2s", **told))
    assert outlook.expected(turn, GPU) == seconds
    twice = None if seconds is None else 2 * seconds
    assert outlook.all_of([turn, turn], GPU) == twice
    assert outlook.all_of([], GPU) == 0


def test_runs_so_far_correct_what_is_planned(tmp_path: Path) -> None:
    outlook = Outlook(config_of(tmp_path, main_benchmark_duration="2s"))
    assert outlook.expected(ALONE, GPU) == 2.0
    outlook.took(ALONE, GPU, 5.0)
    outlook.took(ALONE, GPU, 1.0)
    assert outlook.expected(ALONE, GPU) == 3.5


def test_a_record_counts_and_a_strange_one_does_not(lab: Lab) -> None:
    lab.run()
    (path,) = lab.folder.glob("results/*/record.json")
    record = json.loads(path.read_text())
    gpu = Gpu(record["facts"]["gpu"], GPU.devices)
    config = config_of(lab.folder, results_dir=str(path.parents[1]))
    main = record["harnesses"][0]
    main["launched"], main["exited"] = 1e9, 1e9 + 1234.5
    record["harnesses"] = [main]
    path.write_text(json.dumps(record))
    assert Outlook(config).expected(DLRM, gpu) == 1234.5
    planned = Outlook(config_of(lab.folder, results_dir="none")).expected(DLRM, gpu)
    for strange in (None, "soon", float("nan"), 1e300, [1]):
        main["exited"] = strange
        path.write_text(json.dumps(record))
        assert Outlook(config).expected(DLRM, gpu) == planned
