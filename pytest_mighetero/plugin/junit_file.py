"""pytest's junit file, on a disk that somebody fills while the runs are measured."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
from _pytest.junitxml import LogXML, xml_key

from pytest_mighetero.records.reserve import Reserve


def set_room_aside(config: pytest.Config) -> None:
    """Set room aside for the junit file, where one is asked for."""
    xml = config.stash.get(xml_key, None)
    if xml is not None:
        config.pluginmanager.register(JunitFile(config, xml), "mighetero-junit-file")


class JunitFile:
    """A plugin that frees the room when the file is written, at the session's end."""

    def __init__(self, config: pytest.Config, xml: LogXML):
        self._xml, self._path = xml, Path(xml.logfile)
        with suppress(OSError):  # as pytest does, when it writes the file
            self._path.parent.mkdir(parents=True, exist_ok=True)
        self._reserve = Reserve(self._path.resolve())
        if self._path.is_file() or not self._path.exists():  # no /dev/null, no pipe
            self._reserve.fill()
        config.add_cleanup(self._reserve.free)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Have the file written; say in one sentence that it could not be."""
        self._reserve.free()
        try:
            return (yield)
        except OSError as error:
            try:
                self._xml.pytest_sessionfinish()
            except OSError as again:
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
                self._say(session.config, again)
                return None
            raise error from None

    def _say(self, config: pytest.Config, error: OSError) -> None:
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(
                f"ERROR: the junit file, {self._path}, cannot be written: "
                f"{error.strerror}; the records below --results-dir have the runs "
                f"(mighetero junit writes such a file of them).",
                red=True,
            )
