"""The plugin of a controller that collects what runs wrote on nodes it does not share.

Every worker gets a channel, and is told what a file in the results folder says; one
that does not see that sends its runs. Of a worker that is lost, or was interrupted,
the rest is fetched when the session is over, by a step in its job.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.plugin.slurm import courier
from pytest_mighetero.plugin.slurm.intake import Intake
from pytest_mighetero.plugin.slurm.parcel import Message
from pytest_mighetero.plugin.slurm.salvage import fetch
from pytest_mighetero.terms.printable import printable_line

# For what lost workers have left on their nodes; of an interrupted session nothing is
# to be left running for long.
LONGEST_S, HURRIED_S = 120.0, 8.0


@dataclass
class Sender:
    """A worker.

    Attributes:
        id: xdist's.
        words: of its place, as xdist starts it there.
        node: its name, once the worker has told that it sends what its runs write.
    """

    id: str
    words: str
    intake: Intake
    node: str = ""


class Depot:
    """Has the runs of every worker in *results* in the end."""

    def __init__(self, config: pytest.Config, results: Path):
        self._config, self._results = config, results
        self._token = results / f".mighetero-{uuid.uuid4().hex}"
        self._senders: dict[object, Sender] = {}
        self._written = ""

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_setupnodes(self) -> None:
        """Write what workers are to see.

        Raises:
            pytest.UsageError: it cannot be written.
        """
        self._config.add_cleanup(lambda: self._token.unlink(missing_ok=True))
        try:
            self._results.mkdir(parents=True, exist_ok=True)
            self._token.write_text(uuid.uuid4().hex, "ascii")
        except OSError as error:
            raise pytest.UsageError(
                f"--results-dir: {self._results} cannot be written: {error.strerror}"
            ) from None
        self._written = self._token.read_text("ascii")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker what it needs to find out, and to send."""
        sender = Sender(
            node.gateway.id, node.gateway.spec.python, Intake(self._results)
        )
        self._senders[node] = sender
        channel = node.gateway.newchannel()
        node.workerinput[courier.CHANNEL] = channel
        node.workerinput[courier.RESULTS] = str(self._results)
        node.workerinput[courier.TOKEN] = self._token.name, self._written

        def hear(message: Message) -> None:  # in execnet's thread for that worker
            if message[0] == "collects":
                sender.node = message[1]
            for answer in sender.intake.answer(message):
                channel.send(answer)

        channel.setcallback(hear)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        """Say that a worker sends what its runs write."""
        sender = self._senders.get(node)
        if sender is not None and sender.node:
            self._say(
                f"{sender.id} on {sender.node} does not see {self._results}: what its "
                f"runs write there is sent here when they end"
            )

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Fetch what workers could not send, once all of them have ended."""
        try:
            return (yield)
        finally:
            cut = session.exitstatus == pytest.ExitCode.INTERRUPTED
            self._fetch_rest(HURRIED_S if cut else LONGEST_S)
            missing = [each for each in self._senders.values() if each.intake.due]
            for sender in missing:
                folders = (str(self._results / name) for name in sender.intake.due)
                self._say(
                    f"what runs wrote on {sender.node} did not come here whole; if it "
                    f"is not lost, it is there: {', '.join(folders)}"
                )
            if missing and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def _fetch_rest(self, longest: float) -> None:
        senders = [each for each in self._senders.values() if each.node]
        with ThreadPoolExecutor(len(senders) or 1) as pool:
            for sender in senders:
                if sender.intake.there:
                    where = sender.words, sender.node, self._token
                    pool.submit(fetch, *where, sender.intake, longest)
        for sender in senders:
            sender.intake.close()

    def _say(self, text: str) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(printable_line(f"mighetero: slurm: {text}"), flush=True)
