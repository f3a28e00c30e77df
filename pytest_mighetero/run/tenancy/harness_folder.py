"""The harness folder from a try's first launch on until nothing of it can be mixed."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mighetero.devices.queue import Queue, lock_folder
from pytest_mighetero.run.tenancy.measurements import Measurements
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair, audit_of


class HarnessFolder:
    """Locked against the launches of others; what backgrounds write is put back.

    It is locked for all launches of a try at once, main's too: nobody waits under way,
    beside backgrounds that run out.

    Attributes:
        warnings: what is worth knowing of it, a sentence each.
        spoilt: what could not be put back, likewise.

    Raises:
        DeviceError: others' launches, which could mix with those of this try, did not
            make room in time.
    """

    def __init__(
        self, config: RunSpec, main: Pair, beside: Sequence[Pair], queue: Queue
    ):
        folder, whole = config.harness_dir, audit_of(config.action) is not None
        self._main, self._launching = main, list(beside)
        self._lock = lock_folder(queue, folder, {main, *beside}, whole=whole)
        try:
            self._measurements = Measurements(folder)
            self._measurements.keep(beside)
            self.warnings = self._measurements.left_by_others()
        except BaseException:
            self._lock.close()
            raise
        self.spoilt: list[str] = []

    def background_issues(self, pair: Pair) -> None:
        """Let others launch *pair*, unless main is of it, too: ours issues queries.

        All of ours that are of it, that is. Of the last pair that can wait until main
        is launched, which waits for it.
        """
        if pair not in self._launching:
            return
        self._launching.remove(pair)
        last = not self._launching and pair != self._main
        if not (last or pair in self._launching):
            self._let_go(pair)

    def main_launched(self) -> None:
        """Let others launch what all the backgrounds are of."""
        for pair in self._measurements.pairs:
            self._let_go(pair)

    def _let_go(self, pair: Pair) -> None:
        self.spoilt += self._measurements.put_back(pair)
        if pair != self._main:
            self._lock.issues(pair)

    def main_issues(self) -> None:
        """Let others launch main's pair: main issues queries."""
        self._lock.issues(self._main)

    def close(self) -> None:
        """Let others launch in the folder what this try does not any more."""
        for pair in self._measurements.pairs:  # whose background came to no query
            self.spoilt += self._measurements.put_back(pair)
        self._lock.close()
