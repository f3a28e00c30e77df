"""Backgrounds that get ready: scripts that print a marker and log as LoadGen does."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_mighetero.devices.gpu import MigDevice
from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.plan.run_plan import tool_of
from pytest_mighetero.run.backgrounds import readiness
from pytest_mighetero.run.backgrounds.readiness import Readiness
from pytest_mighetero.run.servers import Servers
from pytest_mighetero.run.start import process_of
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.run_args import RunArgs
from tests.lab.driver import FAKE, config_of

MARKER = "echo Starting running actual test."
LOG = "logs/a/b/c/mlperf_log_detail.txt"
FOLDER = "mkdir -p logs/a/b/c"
LINE = ':::MLLOG {"key": "generated_query_count", "value": 595, "time_ms": 0.1}'
QUERY = f"echo {shlex.quote(LINE)} >> {LOG}"
Ready = Callable[..., Readiness]


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Ready]:
    """Launch scripts as the backgrounds of a set, and wait until they are ready."""
    pump = Pump()
    stop = []

    def ready(*scripts: str, **said: str) -> Readiness:
        config = config_of(tmp_path, **said)
        launches = []
        for number, script in enumerate(scripts):
            folder = tmp_path / f"background-{number}"
            command = Command(("sh", "-ec", f"{script}; sleep 300"), folder, {})
            name, device = Pair("bert", "offline"), MigDevice("none")
            tool = tool_of(config.suite.harness_of("bert"))
            told = ("run_harness", device, 60.0, RunArgs())
            launches.append(Launch(name, *told, folder, command, folder, tool))
        harnesses = [process_of(config, launch) for launch in launches]
        stop.extend(harnesses)
        readiness = Readiness(config, launches, harnesses, pump, Servers(pump, 1))
        readiness.get_ready(lambda _state: None, lambda _pair: None)
        return readiness

    yield ready
    pump.stop(stop)
    pump.close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks but those who are told of a change."""
    monkeypatch.setattr(readiness, "_LOOK_S", 3600.0)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    "script",
    [
        f"{MARKER}; {FOLDER}; {QUERY}",
        f"{MARKER}; sleep 0.3; {FOLDER}; {QUERY}",
        f"{MARKER}; {FOLDER}; touch {LOG}; sleep 0.3; {QUERY}",
        f"{MARKER}; mkdir -p x; cd x; {FOLDER}; {QUERY}; sleep 0.2; mv logs/a ../logs",
        f"{MARKER}; {FOLDER}; {QUERY}~; sleep 0.2; mv {LOG}~ {LOG}",
        f"{FOLDER}; {QUERY}; sleep 0.3; {MARKER}",
    ],
    ids=["at once", "folders later", "query later", "moved", "renamed", "marker last"],
)
def test_a_first_query_is_seen_when_it_is_logged(ready: Ready, script: str) -> None:
    (seen,) = ready(script).issuing
    assert seen is not None


@pytest.mark.parametrize(
    "what",
    ["pytest_mighetero.readers.changes.INotify", "inotify_simple.INotify.add_watch"],
)
def test_without_inotify_it_is_seen_by_looking(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def none_left(*_args: object, **_options: object) -> None:
        raise OSError(errno.EMFILE, "none left")

    monkeypatch.setattr(what, none_left)
    assert all(ready(f"{MARKER}; sleep 0.2; {FOLDER}; {QUERY}").issuing)


def test_a_line_that_comes_in_pieces_is_a_first_query(ready: Ready) -> None:
    noise = f"yes | head -c 300000 > {LOG}; echo >> {LOG}"
    pieces = [
        f"printf %s {shlex.quote(each)} >> {LOG}" for each in (LINE[:30], LINE[30:])
    ]
    script = "; sleep 0.2; ".join([f"{MARKER}; {FOLDER}; {noise}", *pieces])
    assert all(ready(script).issuing)


def test_a_log_that_is_written_anew_is_read_anew(ready: Ready) -> None:
    noise = f"yes | head -c 300000 > {LOG}"
    script = f"{MARKER}; {FOLDER}; {noise}; sleep 0.2; : > {LOG}; {QUERY}"
    assert all(ready(script).issuing)


def test_a_query_counts_from_when_it_was_logged(ready: Ready) -> None:
    """The marker may come before it, or never."""
    both = ready(f"{FOLDER}; {QUERY}", f"{MARKER}; sleep 0.3; {FOLDER}; {QUERY}")
    first, second = both.issuing
    started = [harness.started for harness in both.harnesses]
    assert started[0] is None
    assert started[1] is not None
    assert first is not None
    assert second is not None
    assert second > started[1].monotonic


def test_the_deadline_says_what_each_one_lacks(ready: Ready, tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as error:
        ready(
            "true",
            f"{FOLDER}; touch {LOG}",
            MARKER,
            f"{MARKER}; {FOLDER}; touch {LOG}",
            f"{MARKER}; {FOLDER}; {QUERY}",
            start_time_buffer="1s",
        )
    said, _, tails = str(error.value).partition("\n")
    assert "2 of 5 backgrounds printed no start marker (Starting running" in said
    assert "nor did LoadGen issue a query, within 1s (--start-time-buffer)" in said
    assert f"no LoadGen log appeared: bert_offline (nothing in {tmp_path}" in said
    assert "but issued no query within 1s (--start-time-buffer): bert_offline" in said
    assert f"no generated_query_count in {tmp_path}/background-3/{LOG}" in said
    assert tails.count("Last lines of") == 4


def test_where_no_log_is_written_the_marker_is_enough(
    ready: Ready, tmp_path: Path
) -> None:
    suite = tmp_path / "own.toml"
    base = FAKE / "fake.toml"
    suite.write_text(f'extends = "{base}"\n[harness]\nloadgen_log = false\n')
    both = ready(MARKER, f"{FOLDER}; {QUERY}; {MARKER}", mig_suite=str(suite))
    assert both.issuing[0] is None
    assert both.issuing[1] is not None


@pytest.mark.usefixtures("told")
def test_settling_ends_by_itself(ready: Ready) -> None:
    assert all(ready(f"{MARKER}; {FOLDER}; {QUERY}", settle_time="300ms").issuing)
