"""Which devices an aggressor of the interference matrix gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.plan.seats import all_seated, seat_backgrounds, unseated
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair
from tests.lab.driver import FAKE, config_of

DLRM, BERT = Pair("dlrm", "offline"), Pair("bert", "offline")
SUITE = f"""
extends = "{FAKE / "fake.toml"}"
[profiles."1g.5gb"]
dlrm = ["offline"]
[profiles."2g.10gb"]
dlrm = ["offline"]
bert = ["offline"]
"""


def gpu(*profiles: str) -> Gpu:
    devices = [MigDevice(f"MIG-{n}", each) for n, each in enumerate(profiles)]
    return Gpu("A100", tuple(devices))


def cell(folder: Path, **said: str) -> RunSpec:
    (folder / "own.toml").write_text(SUITE)
    given = {"mig_suite": "own.toml", "mig_interference": "all", **said}
    return config_of(folder, **given).against(BERT)


def test_it_gets_every_other_device_that_it_runs_on(tmp_path: Path) -> None:
    seating = seat_backgrounds(
        cell(tmp_path), DLRM, gpu("2g.10gb", "1g.5gb", "2g.10gb", "2g.10gb")
    )
    assert [device.uuid for _, device in seating.seated] == ["MIG-2", "MIG-3"]
    (why,) = seating.left_out
    assert "bert_offline" in why
    assert "1g.5gb" in why


def test_it_gets_the_first_so_many(tmp_path: Path) -> None:
    config = cell(tmp_path, mig_aggressor_count="2")
    seating = seat_backgrounds(config, DLRM, gpu(*["2g.10gb"] * 5))
    assert [device.uuid for _, device in seating.seated] == ["MIG-1", "MIG-2"]
    assert seating.left_out == ()


def test_so_many_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    config = cell(tmp_path, mig_aggressor_count="2")
    with pytest.raises(DeviceError) as refused:
        seat_backgrounds(config, DLRM, gpu("2g.10gb", "1g.5gb", "2g.10gb"))
    said = "bert_offline runs on 1 of the 2 other devices of "
    assert said in str(refused.value)
    assert "2 were asked for (--mig-aggressor-count): " in str(refused.value)


def test_one_that_runs_nowhere_is_skipped_for_that(tmp_path: Path) -> None:
    small = gpu("2g.10gb", "1g.5gb")
    why = unseated(cell(tmp_path), small)
    assert why is not None
    assert "bert_offline" in why
    assert unseated(cell(tmp_path), gpu("2g.10gb", "2g.10gb")) is None
    assert unseated(config_of(tmp_path), small) is None


def test_a_gpu_with_room_for_fewer_is_passed_over(tmp_path: Path) -> None:
    config = cell(tmp_path, mig_aggressor_count="2")
    small, large = gpu("2g.10gb", "1g.5gb", "2g.10gb"), gpu(*["2g.10gb"] * 3)
    assert all_seated(config, [small, large]) == (large,)
    with pytest.raises(DeviceError, match="bert_offline runs on 1 of the 2 other"):
        all_seated(config, [small])
    assert all_seated(config, []) == ()
    assert all_seated(cell(tmp_path), [small, large]) == (small, large)
