"""What a log says while runs last, for whoever waits for it: a CI system, a person."""

from __future__ import annotations

import re

import pytest

from tests.devices.leases import taken
from tests.lab.driver import Lab

AUTOMATIC = "--background-benchmark-duration=automatic"
BEAT = re.compile(
    r"^mighetero: dlrm_server: main runs since \d\d:\d\d:\d\d \(\d s\), ~\d s left$",
    re.MULTILINE,
)
MODES = [
    (),
    ("-q",),
    ("-qq",),
    ("-v",),
    ("-s",),
    ("--capture=sys",),
    ("--capture=tee-sys",),
    ("-p", "no:capture"),
]


@pytest.mark.parametrize("mode", MODES, ids=" ".join)
def test_a_log_says_what_a_run_is_doing(lab: Lab, mode: tuple[str, ...]) -> None:
    lab.fake(dlrm={"test": 2.5})
    report = lab.run_apart("--mig-heartbeat=500ms", AUTOMATIC, *mode)
    assert report.result.ret == 0
    assert BEAT.search(report.text) or "longer" in report.text
    assert "\x1b" not in report.text


@pytest.mark.parametrize(
    "how",
    [
        ("--mig-heartbeat=0",),
        ("-o", "mig_heartbeat=0"),
        (),
        ("--mig-heartbeat=100ms", "-p", "no:terminal"),
    ],
    ids=" ".join,
)
def test_when_it_does_not(lab: Lab, how: tuple[str, ...]) -> None:
    lab.fake(dlrm={"test": 1})
    report = lab.run_apart(AUTOMATIC, *how)
    assert report.result.ret == 0
    assert "main runs since" not in report.text


def test_it_says_so_while_it_waits_for_a_gpu(lab: Lab) -> None:
    lease = taken(lab.folder / "leases")
    report = lab.run_apart("--mig-heartbeat=200ms", "--mig-lease-timeout=1s")
    lease.close()
    beats = re.findall(
        r"^mighetero: dlrm_server: waits for a GPU: .* since", report.text, re.MULTILINE
    )
    assert 2 <= len(beats) <= 5
    assert report.text.count("\ndlrm_server: waits for a GPU") == 1


def test_it_says_so_while_backgrounds_end(lab: Lab) -> None:
    lab.fake(bert={"test": 3}, dlrm={"test": 0.3})
    options = ("--mig-heartbeat=500ms", "--background-benchmark-duration=3s")
    report = lab.run_apart(*options)
    assert re.search(
        r"^mighetero: dlrm_server: backgrounds finish since .*left$",
        report.text,
        re.MULTILINE,
    )


def test_it_says_so_while_a_harness_is_stopped(lab: Lab) -> None:
    lab.fake(dlrm={"exit": 3}, bert={"test": 300, "ignore": True})
    report = lab.run_apart("--mig-heartbeat=300ms", "--mig-stop-grace=2s")
    assert "mighetero: dlrm_server: what still runs is stopped since" in report.text


def test_the_controller_says_it_for_its_workers(lab: Lab) -> None:
    pytest.importorskip("xdist")
    options = ("--main-benchmark-duration=2500ms", AUTOMATIC, "-p", "xdist", "-n2")
    report = lab.run_apart("--mig-heartbeat=500ms", "-q", *options, k="server")
    report.result.assert_outcomes(passed=2)
    beats = re.findall(r"^mighetero: gw.*$", report.text, re.MULTILINE)
    assert any("_server: main runs since" in each for each in beats)
    assert any("_server: waits for a GPU" in each for each in beats)
    assert all(each.endswith(" tests are over") or "~" in each for each in beats)


def test_it_is_a_time(lab: Lab) -> None:
    report = lab.run_apart("--mig-heartbeat=often")
    assert "--mig-heartbeat" in report.text
    assert "expected a duration like 90s" in report.text
