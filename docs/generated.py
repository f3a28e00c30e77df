"""What the reference says of the code, made of the code.

A page has it where it says ``{generated}``, with the name of a table and its arguments.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout, suppress
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from pytest_mighetero.cli.__main__ import VERBS, main
from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.records.facts import property_rows
from pytest_mighetero.spec.declaration import Option
from pytest_mighetero.spec.library import load_suite
from pytest_mighetero.spec.lineage import SUITES
from pytest_mighetero.spec.markers import MARKERS
from pytest_mighetero.spec.options import GROUPS
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.terms.scenario import SCENARIOS

_LETTERS = {
    "offline": "O",
    "server": "S",
    "interactive": "I",
    "singlestream": "SS",
    "multistream": "MS",
}
_COLUMNS = 88  # of a help text


@cache
def _suites(*names: str) -> tuple[Suite, ...]:
    known = names or sorted(path.stem for path in SUITES.glob("*.toml"))
    kinds = device_kinds()
    return tuple(load_suite(name, Path(), kinds) for name in known)


def _table(*headings: str) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"


def _cell(text: str) -> str:
    # No placeholder, pattern or list of choices is markup, nor ends the cell.
    return re.sub(r"([\\*_<>`|\[\]])", r"\\\1", text)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", r"\|")


def _spelled(option: Option) -> str:
    if option.metavar is None:
        names = (option.name, f"no-{option.name}" if option.no_help else "")
        return ", ".join(_code(f"--{name}") for name in names if name)
    form = "[={}]" if option.bare else "={}"
    return _code(f"--{option.name}{form.format(option.metavar)}")


def _default(option: Option, value: str | bool | None) -> str:
    if option.metavar is None:
        return "on" if value else "off"
    return _code(str(value)) if value else ""


def _elsewhere(option: Option) -> Iterator[str]:
    """Yield the other defaults, each with the suites in which it holds."""
    by_value: dict[str | bool, list[str]] = {}
    for suite in _suites():
        value = suite.defaults.get(option.name, option.default)
        if value != option.default and value is not None:
            by_value.setdefault(value, []).append(suite.name)
    for value, names in by_value.items():
        yield f"{_default(option, value)} in {', '.join(names)}"


def options() -> Iterator[str]:
    """Yield the tables of the options, a group after another."""
    for title, group in GROUPS.items():
        yield from ("", f":::{{rubric}} {title.capitalize()}", ":::", "")
        yield from _options(group)


def _options(group: Iterable[Option]) -> Iterator[str]:
    yield from _table("option", "meaning", "default")
    for option in group:
        without = _code(f"--no-{option.name}") + f": {_cell(option.no_help)}"
        plain = _default(option, option.default) or _cell(option.unsaid)
        default = (plain, *_elsewhere(option))
        cells = (
            _spelled(option),
            _cell(option.help) + (f"; {without}" if option.no_help else ""),
            "; ".join(filter(None, default)),
        )
        yield f"| {' | '.join(cells)} |"


def properties() -> Iterator[str]:
    """Yield the table of what may be known of a run."""
    yield from _table("property", "meaning")
    yield from property_rows()


def markers() -> Iterator[str]:
    """Yield the table of the markers of run tests."""
    yield from _table("marker", "meaning")
    for name, meaning in MARKERS.items():
        yield f"| {_code(name)} | {_cell(meaning)} |"


def suites() -> Iterator[str]:
    """Yield the table of the built-in suites."""
    yield from _table("suite", "runs", "on", "groups")
    for suite in _suites():
        groups = ", ".join(map(_code, suite.groups))
        on = "MIG devices" if suite.devices == "nvml" else "CPU cores"
        yield f"| {_code(suite.name)} | {_cell(suite.description)} | {on} | {groups} |"


def pairs(*names: str) -> Iterator[str]:
    """Yield which benchmark has which scenarios in these suites."""
    chosen = _suites(*names)
    yield from _table("benchmark", *names)
    for benchmark in sorted({each for suite in chosen for each in suite.benchmarks}):
        cells = (_letters(suite, benchmark) for suite in chosen)
        yield f"| {_code(benchmark)} | {' | '.join(cells)} |"


def _letters(suite: Suite, benchmark: str) -> str:
    if (entry := suite.benchmarks.get(benchmark)) is None:
        return ""
    return " ".join(_LETTERS[each] for each in SCENARIOS if each in entry.scenarios)


def config_versions() -> Iterator[str]:
    """Yield the table of what each suite says as ``--config_ver``."""
    yield from _table("suite", "--config_ver", "but")
    for suite in _suites():
        by_version: dict[str, list[str]] = {}
        for name, entry in suite.benchmarks.items():
            by_version.setdefault(entry.config_ver, []).append(name)
        by_version.pop("", None)
        of_suite = suite.harness.config_ver if suite.harness else ""
        others = (
            f"{_code(version)}: {', '.join(map(_code, names))}"
            for version, names in by_version.items()
            if version != of_suite
        )
        if by_version:
            yield f"| {_code(suite.name)} | {_code(of_suite)} | {'; '.join(others)} |"


def verbs() -> Iterator[str]:
    """Yield the help of every verb of the command."""
    for verb in VERBS:
        yield from ("", f":::{{rubric}} mighetero {verb.NAME}", ":::", "", "````text")
        yield from (*_help(verb.NAME), "````")


def _help(verb: str) -> list[str]:
    os.environ |= {"COLUMNS": str(_COLUMNS), "NO_COLOR": "1"}
    told = io.StringIO()
    with redirect_stdout(told), suppress(SystemExit):
        main([verb, "--help"])
    return told.getvalue().strip().splitlines()


TABLES: dict[str, Callable[..., Iterable[str]]] = {
    each.__name__: each
    for each in (options, properties, markers, suites, pairs, config_versions, verbs)
}


class Generated(SphinxDirective):
    """A table of the code, as Markdown in its place."""

    required_arguments = 1
    optional_arguments = 20

    def run(self) -> list[nodes.Node]:
        """Return the table's nodes."""
        name, *arguments = self.arguments
        lines = StringList([*TABLES[name](*arguments)], source=f"generated {name}")
        holder = nodes.container()
        self.state.nested_parse(lines, 0, holder)
        return holder.children


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("generated", Generated)
    return {"parallel_read_safe": True}
