"""The plugin of a worker whose node does not see the results folder.

Runs write where the controller has them in the end, so every path that they tell is
true there; a run that is over is sent, with whatever it came to, before its report.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.plugin.presence import is_run, session_of
from pytest_mighetero.plugin.session import Session
from pytest_mighetero.plugin.slurm import parcel
from pytest_mighetero.records.run_names import RECORD
from pytest_mighetero.spec.runspec import RunSpec

CHANNEL, RESULTS, TOKEN = (f"mighetero_{n}" for n in ("depot", "results", "token"))
ANSWER_S = 120.0  # longest for the controller's disk
_TRIES = 10
_Told = TypeVar("_Told")


def join(config: pytest.Config) -> None:
    """Have results sent, if what the controller wrote into their folder is not seen."""
    if config.option.basetemp:  # in the controller's, which this node may not have
        Path(config.option.basetemp).parent.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = config.workerinput  # type: ignore[attr-defined]
    if CHANNEL not in told:
        return
    results = Path(told[RESULTS])
    name, written = told[TOKEN]
    try:
        seen = (results / name).read_text("ascii")
    except OSError:
        seen = ""
    if seen != written:
        session = session_of(config)
        courier = Courier(session, results, told[CHANNEL])
        config.pluginmanager.register(courier, "mighetero-courier")
        session.archive = courier
        session.spec = _seeing(session.spec, results, courier.history)
        config.add_cleanup(courier.close)


def _seeing(spec: RunSpec, results: Path, history: Path) -> RunSpec:
    """Return *spec* where *history* is in place of the controller's results.

    ``--mig-compare`` may name what is among these.
    """
    compare = spec.compare
    if isinstance(compare, Path) and compare.is_relative_to(results):
        compare = history / compare.relative_to(results)
    return replace(spec, results_dir=results, history_dir=history, compare=compare)


class Courier:
    """Makes runs' folders here, sends them, and fetches records of earlier runs.

    Attributes:
        history: a folder of this worker's own, with those records.
    """

    def __init__(self, session: Session, results: Path, channel: Any):
        self._session, self._results, self._channel = session, results, channel
        self.history = Path(tempfile.mkdtemp(prefix="mighetero-history-"))
        self._known: dict[str, str] = {}  # records, and the files they are of
        self._due: list[Path] = []
        self._sent: dict[Path, object] = {}  # and the files of their records
        self._left: set[Path] = set()  # which could not be sent
        self._lost = ""  # why nothing more can be
        # Whatever interrupts a test, what is on its way is sent, and answered, whole.
        self._thread = ThreadPoolExecutor(1, "mighetero-courier")
        self._channel.send(("collects", os.environ.get("SLURMD_NODENAME", ""), b""))

    def _apart(self, do: Callable[[str], _Told], what: str) -> _Told:
        lost = self._channel.RemoteError, self._channel.TimeoutError, EOFError
        if self._lost:  # an answer that is late would be taken for the next one
            raise HarnessError(self._lost)
        try:
            return self._thread.submit(do, what).result()
        except lost as error:
            self._lost = (
                f"The controller of this worker, which has the results, does not "
                f"answer: {str(error) or type(error).__name__}"
            )
            raise HarnessError(self._lost) from error
        except (OSError, RuntimeError) as error:
            raise HarnessError(
                f"What runs wrote below {self._results} cannot be sent: {error}."
            ) from error

    def make(self, name: str) -> Path:
        """Make a folder that is the controller's, too.

        Raises:
            HarnessError: it cannot be made here, or there.
        """
        for _ in range(_TRIES):
            path = self._results / self._apart(self._ask_for, name)
            try:
                path.mkdir(parents=True)
            except FileExistsError:  # another session's; its controller is elsewhere
                self._apart(self._leave, path.name)
            except OSError as error:
                raise HarnessError(
                    f"{path} cannot be made on this node: {error.strerror}; choose "
                    f"another --results-dir."
                ) from error
            else:
                self._due.append(path)
                return path
        raise HarnessError(
            f"{self._results} has a folder of every name that the controller makes, "
            f"and does not show what that writes; choose another --results-dir."
        )

    def _ask_for(self, name: str) -> str:
        self._channel.send(("make", name, b""))
        return self._answer("made")

    def _leave(self, name: str) -> None:
        self._channel.send(("gone", name, b""))

    def _answer(self, wanted: str) -> str:
        kind, text, _ = self._channel.receive(ANSWER_S)
        if kind != wanted:
            raise HarnessError(
                f"The controller could not write into {self._results}: {text}."
            )
        return str(text)

    def refresh(self, pair: str) -> None:
        """Fetch the records of *pair* that are new."""
        self._apart(self._fetch, pair)

    def _fetch(self, pair: str) -> None:
        known = json.dumps(self._known).encode()
        self._channel.send(("history", pair, known))
        while True:
            kind, text, content = self._channel.receive(ANSWER_S)
            if kind != "record":
                return
            file, _, name = text.partition(" ")
            path = self.history / Path(name).name / RECORD
            path.parent.mkdir(exist_ok=True)
            partial = path.with_name(f"{RECORD}.partial")
            partial.write_bytes(content)
            partial.replace(path)
            self._known[name] = file

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send a run before anybody hears that it is over."""
        report = yield
        if report.when == "teardown" and is_run(item):
            try:
                self._send(over=False)
            except HarnessError as error:
                if report.passed:
                    report.outcome, report.longrepr = "failed", str(error)
                else:
                    report.sections.append(("mighetero", str(error)))
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Send what kept backgrounds wrote, once they are stopped."""
        try:
            return (yield)
        finally:
            with suppress(HarnessError):  # the controller knows what it did not get
                self._send(over=True)
            self.close()

    def _send(self, *, over: bool) -> None:
        keeper = self._session.keeper
        kept = keeper.kept if keeper else None
        ready = [path for path in self._due if kept is None or path != kept.folder]
        why = [said for path in ready if (said := self._send_one(path))]
        # The last one's record changes when its test is executed once more.
        for path in ready if over else ready[:-1]:
            self._due.remove(path)
            if path not in self._left:  # else the controller may fetch it in the end
                shutil.rmtree(path, ignore_errors=True)
                self._apart(self._leave, path.name)
        if why:
            raise HarnessError("; ".join(dict.fromkeys(why)))

    def _send_one(self, path: Path) -> str:
        """Send a run unless it has been, as it is; return why it cannot be, if so."""
        file = _record_of(path)
        if path in self._sent and self._sent[path] == file:
            return ""
        self._sent[path] = file
        try:
            self._apart(self._deliver, str(path))
        except HarnessError as error:
            self._left.add(path)
            return str(error)
        self._left.discard(path)
        return ""

    def _deliver(self, path: str) -> None:
        try:
            for message in parcel.messages(Path(path)):
                self._channel.send(message)
        except OSError:
            self._channel.send(("broken", "", b""))
            raise
        self._answer(parcel.KEPT)

    def close(self) -> None:
        """Leave nothing of the history here."""
        self._thread.shutdown(wait=False)
        shutil.rmtree(self.history, ignore_errors=True)


def _record_of(folder: Path) -> object:
    try:
        status = (folder / RECORD).stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
