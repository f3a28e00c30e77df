"""What of a session that Slurm spreads needs no Slurm."""

from __future__ import annotations

import pytest

from tests.lab.driver import Lab


@pytest.mark.parametrize("workers", [(), ("-n1",), ("-nauto",)])
@pytest.mark.parametrize(
    "shown",
    [
        "--collect-only",
        "--fixtures",
        "--fixtures-per-test",
        "--cache-show",
        "--markers",
        "--help",
    ],
)
def test_what_pytest_shows_takes_no_job(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, shown: str, workers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PATH", str(lab.folder))  # there is no Slurm
    lab.ini("mig_slurm = --gres=gpu:1")
    arguments = lab.arguments(shown, "-pcacheprovider", *workers)
    report = lab.apart(*arguments)
    assert report.result.ret == 0, report.text
    assert "mighetero: slurm: " not in report.text
    assert "created: " not in report.text
    assert not (lab.folder / "results").exists()
