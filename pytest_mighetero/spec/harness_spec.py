"""How a suite's harness is called, and how it shows what it does.

Each key of ``[harness]``, and of ``[harnesses.NAME]``, is a field.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec import names
from pytest_mighetero.spec.device_names import FORMS
from pytest_mighetero.spec.tables import (
    as_it_is,
    check_whole,
    flag,
    key,
    list_of,
    mapping,
    misfit,
    table,
    text,
)
from pytest_mighetero.spec.template import fill
from pytest_mighetero.terms.scenario import SCENARIOS
from pytest_mighetero.units import parse_duration


def _seconds(value: Any) -> float:
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ConfigError:
        raise misfit('a time such as "90s"', value) from None


def _pattern(value: Any) -> str:
    try:
        re.compile(value)
    except (TypeError, re.error):
        raise misfit("a regular expression", value) from None
    return str(text(names.LINE, least=0)(value))


def _by_scenario(value: Any) -> dict[str, str | tuple[str, ...]]:
    """Read a placeholder: a text or a list of words, for all scenarios or for each."""
    each = value if isinstance(value, dict) else dict.fromkeys(SCENARIOS, value)
    return dict(mapping(SCENARIOS, _text_or_words)(each))


def _text_or_words(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, list):
        return tuple(list_of(rule=names.LINES, least=0, hidden=True)(value))
    if not isinstance(value, str):
        expected = "a text, a list of texts, or either for each scenario"
        raise misfit(expected, value, hidden=True)
    return str(text(names.LINES, least=0, hidden=True)(value))


def _command(value: Any) -> tuple[str, ...]:
    """Read the words of a command; all but the first may be empty."""
    if isinstance(value, list) and value and value[0] != "":
        return tuple(list_of(rule=names.LINES, empty=True, hidden=True)(value))
    raise misfit("a list of texts, the first one a program", value, hidden=True)


# By its name what a placeholder stands for in each scenario.
PlaceholderTable = Mapping[str, Mapping[str, "str | tuple[str, ...]"]]
PLACEHOLDERS = mapping(names.PLACEHOLDER, _by_scenario)

_FILES = mapping(names.FILE, text(names.LINES, least=0, hidden=True))
_VALUE = text(names.LINES, least=0, hidden=True)
_ENVIRONMENT = mapping(names.ENVIRONMENT, _VALUE, hidden=True)


@dataclass(frozen=True, kw_only=True)
class ServerSpec:
    """What a benchmark's clients load: a server on its device.

    Attributes:
        command: its words, with placeholders.
        folder: where it runs.
        environment: variables set for it.
        ready_url: answers with a success once it is ready.
        ready_line: ends the line that it prints then; with neither, its port accepts
            connections.
        ready_timeout: the seconds that this may take from its launch.
    """

    command: tuple[str, ...] = key(_command)
    folder: str = key(text(names.PATH), "{log_dir}")
    environment: Mapping[str, str] = key(_ENVIRONMENT, {}, shown=False)
    ready_url: str = key(text(names.LINE), "")
    ready_line: str = key(text(names.MARKER), "")
    ready_timeout: float = key(_seconds, 600.0)


@dataclass(frozen=True, kw_only=True)
class HarnessSpec:
    """How a suite's harness is called and what it prints.

    Attributes:
        command: its words, with placeholders; none for make.
        folder: where it runs; for make it has the Makefile.
        config_ver: the default of the suite's benchmarks; empty where the harness has
            no ``--config_ver`` (v5.1 on).
        start_markers: texts that end the line printed just before ``StartTest``; after
            one that ends in ``" *"`` its line may go on.
        finish_markers: texts that end the line printed just after it, likewise.
        audit_folder: where the audits leave their verdict files; relative to
            ``folder``, or below ``{log_dir}``.
        whole_targets: whether it takes whole numbers alone as a Server target.
        reader: who reads what its tool writes: the name of a file of ``readers/``.
        result: where that finds it, of a reader that has to be told.
        live_evidence: whether the reader can tell, while its tool runs, that queries
            are issued; a background of one that does is ready then, and not before.
        loadgen_log: what ``live_evidence`` was called while LoadGen was the only tool.
        make_variables: ``NAME=value`` arguments of make; ``{log_dir}`` and
            ``{python}`` are filled in.
        environment: variables set for the harness, filled in likewise.
        values: placeholders of the suite's own, for benchmarks that do not say them:
            texts, or lists of words; for all scenarios or for each.
        files: by its name below LOG_DIR what is in a file that is written before it,
            or its server, starts; with placeholders.
        needs: by executable the Debian package that brings it, or what else does in a
            few words.
        server: what it loads; None for nothing of its own.
        secrets: variables and flags whose values are not printed, beside those whose
            names say so.
        device_names: the forms of MIG devices' names that it knows; empty for any.
        device_profiles: a regular expression for the profiles that it knows.
        idle_limit: the seconds for which a background may use no CPU time at all:
            what its slowest kernel may take; 0 for any number.
    """

    command: tuple[str, ...] = key(_command, ())
    folder: str = key(text(names.PATH))
    config_ver: str = key(text(names.config_ver, least=0))
    actions: tuple[str, ...] = key(list_of(names.ACTIONS))
    start_markers: tuple[str, ...] = key(list_of(rule=names.MARKER, least=0))
    finish_markers: tuple[str, ...] = key(list_of(rule=names.MARKER, least=0))
    audit_folder: str = key(text(names.audit_folder))
    start_from_device: bool = key(flag, default=True)
    whole_targets: bool = key(flag, default=False)
    reader: str = key(text(), "loadgen")
    result: Mapping[str, Any] = key(mapping(names.LINE, as_it_is), {})
    live_evidence: bool = key(flag, default=True)
    loadgen_log: bool = key(flag, default=True)
    make_variables: Mapping[str, str] = key(
        mapping(names.make_variable, text(names.make_value, hidden=True), hidden=True),
        {},
        shown=False,
    )
    environment: Mapping[str, str] = key(_ENVIRONMENT, {}, shown=False)
    values: PlaceholderTable = key(PLACEHOLDERS, {})
    files: Mapping[str, str] = key(_FILES, {}, shown=False)
    needs: Mapping[str, str] = key(mapping(names.LINE, text(names.LINE)), {})
    server: ServerSpec | None = key(table(ServerSpec), None)
    secrets: tuple[str, ...] = key(list_of(rule=names.SECRET), ())
    device_names: tuple[str, ...] = key(list_of(FORMS), ())
    device_profiles: str = key(_pattern, ".*")
    idle_limit: float = key(_seconds, 60.0)

    @property
    def makes(self) -> bool:
        """Whether it is called through make, as MLPerf's submitters do."""
        return not self.command

    @property
    def is_live(self) -> bool:
        """Whether its reader's sign is promised."""
        return self.live_evidence and self.loadgen_log

    @property
    def variables(self) -> list[Mapping[str, str]]:
        """What it sets for make, for the harness, and for its server."""
        servers = [] if self.server is None else [self.server.environment]
        return [self.make_variables, self.environment, *servers]

    def texts(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield every text that is filled in, with the keys that lead to it."""
        servers = () if self.server is None else ((("server",), self.server),)
        for where, each in (((), self), *servers):
            yield from (((*where, "command"), word) for word in each.command)
            yield (*where, "folder"), each.folder
            for name, value in each.environment.items():
                yield (*where, "environment", name), value
        if self.server is not None:
            yield ("server", "ready_url"), self.server.ready_url
        yield from ((("files", name), each) for name, each in self.files.items())


# What a command need not say: make's harnesses differ in it.
_OF_COMMANDS: Mapping[str, Any] = {
    "folder": "{log_dir}",
    "config_ver": "",
    "actions": ("run_harness",),
    "start_markers": (),
    "finish_markers": (),
    "audit_folder": "{log_dir}",
}


def whole_harness(said: HarnessSpec, at: Callable[..., str]) -> HarnessSpec:
    """Return a harness with what its files need not say.

    Messages name its table, and the file that has a key of it, as *at* does.

    Raises:
        ConfigError: it lacks a key, or has two that do not go together.
    """
    if said.command:
        lacking = {k: v for k, v in _OF_COMMANDS.items() if getattr(said, k) is None}
        said = replace(said, **lacking, start_from_device=False)
        if said.make_variables:
            raise ConfigError(
                f"{at('make_variables')}: make_variables: expected no such key "
                f"beside command, which does not call make; say environment, or a word "
                f"of the command"
            )
    elif lost := [name for name in ("server", "values") if getattr(said, name)]:
        raise ConfigError(
            f"{at(lost[0])}: {lost[0]}: expected command beside it, since make has no "
            f"placeholders for it"
        )
    check_whole(said, at())
    if said.server is not None:
        _check_server(said.server, lambda *keys: f"{at('server', *keys)}.server")
    return said


def _check_server(said: ServerSpec, at: Callable[..., str]) -> None:
    check_whole(said, at())
    if said.ready_url and said.ready_line:
        raise ConfigError(f"{at()}: expected ready_url or ready_line, found both")
    if said.ready_url and not _is_url(said.ready_url):
        raise ConfigError(
            f"{at('ready_url')}.ready_url: expected a URL such as "
            f"http://127.0.0.1:{{port}}/health, found {said.ready_url!r}"
        )


def _is_url(text: str) -> bool:
    filled = fill(text, defaultdict(lambda: "1"))
    try:
        url = urlsplit(filled)
        return url.scheme == "http" and bool(url.hostname) and url.port != 0
    except ValueError:  # its port is no number
        return False
