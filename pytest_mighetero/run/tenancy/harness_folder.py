"""The harness folder from a try's first launch on until nothing of it can be mixed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_mighetero.devices.launch_lock import FolderLock, lock_folder
from pytest_mighetero.devices.queue import Queue
from pytest_mighetero.run.start import made_in
from pytest_mighetero.run.tenancy.measurements import Measurements
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair, audit_of


class HarnessFolder:
    """Locked against the launches of others; what backgrounds write is put back.

    Attributes:
        warnings: what is worth knowing of it, a sentence each.
        spoilt: what could not be put back, likewise.

    Args:
        lock: of the launches in it.
        folder: where it is.
        main: what main runs, here or elsewhere.
        beside: what the backgrounds run here.
    """

    def __init__(self, lock: FolderLock, folder: Path, main: Pair, beside: list[Pair]):
        self._main, self._launching, self._lock = main, list(beside), lock
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


class HarnessFolders:
    """The folders of all the Makefiles of a try; there is none where nothing is made.

    They are locked for all its launches at once, main's too: nobody waits under way,
    beside backgrounds that run out.

    Raises:
        DeviceError: others' launches, which could mix with those of this try, did not
            make room in time.
    """

    def __init__(
        self, config: RunSpec, main: Pair, beside: Sequence[Pair], queue: Queue
    ):
        self._folders: list[HarnessFolder] = []
        audits = audit_of(config.action) is not None
        folders, mains = made_in(config, [main, *beside]), made_in(config, [main])
        try:
            for folder, pairs in sorted(folders.items()):
                whole = audits and folder in mains
                lock = lock_folder(queue, folder, pairs, whole=whole)
                own = [pair for pair in beside if pair in pairs]
                self._folders.append(HarnessFolder(lock, folder, main, own))
        except BaseException:
            self.close()
            raise

    @property
    def warnings(self) -> list[str]:
        """What is worth knowing of them, a sentence each."""
        return [said for each in self._folders for said in each.warnings]

    @property
    def spoilt(self) -> list[str]:
        """What could not be put back, likewise."""
        return [said for each in self._folders for said in each.spoilt]

    def background_issues(self, pair: Pair) -> None:
        """Tell the folder of a background that it issues queries."""
        for each in self._folders:
            each.background_issues(pair)

    def main_launched(self) -> None:
        """Tell them that main is launched."""
        for each in self._folders:
            each.main_launched()

    def main_issues(self) -> None:
        """Tell them that main issues queries."""
        for each in self._folders:
            each.main_issues()

    def close(self) -> None:
        """Let others launch there what this try does not any more."""
        for each in self._folders:
            each.close()
