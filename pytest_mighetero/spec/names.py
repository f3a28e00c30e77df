"""What names and texts of a suite may be: each reaches make, a path or a marker. Pure.

A benchmark's name is a folder's name, a part of a test id and a word of RUN_ARGS; a
group's is a pytest marker; make hands its variables to a shell unquoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.markers import BINDING, NEEDS
from pytest_mighetero.terms.device_kind import DeviceKind
from pytest_mighetero.terms.environment import MARK, MISLEADING, OUTER_MAKE
from pytest_mighetero.terms.make import unsafe_for_make

# Says what was expected, or None where the text is right.
Rule = Callable[[str], "str | None"]

# MLPerf's: v1.0 has the first three, v4.1 TEST06 as well, v6.0 those after it.
AUDITS = ("test01", "test04", "test05", "test06", "test07", "test08", "test09")
ACTIONS = ("run_harness", *(f"run_audit_{each}" for each in AUDITS))

WORDS = ("all", "none")  # of --background-benchmarks
# What -m cannot ask for, and markers that mean something to pytest and its plugins.
_TAKEN = {
    *("and", "or", "not", "true", "false"),
    *("skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"),
    *("tryfirst", "trylast", "timeout", "flaky", "xdist_group", "isolated"),
    *(BINDING, NEEDS),
    *WORDS,
}
_LONGEST = 64  # in a folder's name, a stamp, a role and a number stand beside it
_CONTROL = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"


def _matching(pattern: str, expected: str) -> Rule:
    regex = re.compile(pattern, re.ASCII)
    return lambda text: None if regex.fullmatch(text) else expected


BENCHMARK = _matching(
    rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{_LONGEST - 1}}}",
    f"a name of at most {_LONGEST} letters, digits and ._-, a letter or digit first",
)
_GROUP = _matching(
    rf"[A-Za-z][A-Za-z0-9._-]{{0,{_LONGEST - 1}}}",
    f"a name of at most {_LONGEST} letters, digits and ._-, a letter first: it is a "
    f"pytest marker, too",
)
CONFIG_VER = _matching(
    r"(?!(?i:all)\Z)[A-Za-z0-9_]+",
    "one name such as hetero (letters, digits and _; one run has one result)",
)
PROFILE = _matching(
    r"(\d+c\.)?\d+g\.\d+gb([+-][A-Za-z0-9.]+)*", "a profile such as 1g.10gb"
)
_MAKE_VARIABLE = _matching(
    r"[A-Za-z_][A-Za-z0-9_]*",
    "the name of a make variable: letters, digits and _, no digit first",
)
ENVIRONMENT = _matching(
    r"[A-Za-z_.][A-Za-z0-9_.]*",
    "a variable's name: letters, digits and _, no digit first",
)
FILE = _matching(
    r"[A-Za-z0-9_][A-Za-z0-9._-]*", "a file's name: letters, digits and ._-"
)
PLACEHOLDER = _matching(
    r"[a-z_][a-z0-9_]*", "a placeholder's name: lower-case letters, digits and _"
)
SECRET = _matching(
    r"-{0,2}[A-Za-z_.][A-Za-z0-9_.-]*",
    "a variable's or a flag's name: letters, digits, _ and -",
)
PATH = _matching(rf"[^{_CONTROL}]*", "a path without control characters")
LINE = _matching(rf"[^{_CONTROL}]*", "a text without control characters")
MARKER = _matching(
    rf"(?! *\*? *\Z)([^{_CONTROL}]|\t)*",
    "a text without control characters, of more than blanks and *",
)
LINES = _matching(rf"([^{_CONTROL}]|[\t\n\r])*", "a text without control characters")


def config_ver(name: str) -> str | None:
    """Say what a suite's config_ver may be, where *name* is neither that nor empty."""
    return CONFIG_VER(name) if name else None


def group(name: str) -> str | None:
    """Say what a group is called, where *name* is none."""
    if name.lower() in _TAKEN:
        return "a name that is no word of -m, nor another marker of pytest"
    return _GROUP(name)


def make_variable(name: str) -> str | None:
    """Say what a variable of make is called, where *name* is none."""
    if name in ("RUN_ARGS", *OUTER_MAKE, *MISLEADING):
        return "another variable than RUN_ARGS and those that change what make does"
    return _MAKE_VARIABLE(name)


def make_value(text: str) -> str | None:
    """Say what reaches a recipe of make as it is, where *text* does not."""
    for placeholder in ("{log_dir}", "{python}"):
        text = text.replace(placeholder, "x")
    lost = unsafe_for_make(text.replace(" ", ""), "it")
    words = "words of letters, digits and _./,=:+@%^-, {log_dir} or {python}"
    return f"{words}: make {lost}" if lost else None


def placed(kinds: Mapping[str, DeviceKind]) -> Rule:
    """Return what says which variables of a harness each run sets itself."""
    ours = dict.fromkeys([*(kind.variable for kind in kinds.values()), MARK])
    expected = f"another variable than {' and '.join(ours)}: each run sets its own"
    return lambda name: expected if name in ours else None


def audit_folder(text: str) -> str | None:
    """Say where an audit may leave its verdict, where *text* is no such place."""
    braced = re.search(r"[{}]", text.removeprefix("{log_dir}"))
    if PATH(text) is None and ".." not in Path(text).parts and not braced:
        return None
    return "a folder, from harness.folder or from {log_dir} on, with no .. in it"


def check_apart(
    names: Iterable[tuple[str, str]], file_of: Callable[[str, str], Path]
) -> None:
    """Check that no two names of a suite are the same to an option or a file system.

    Args:
        names: each with its table before it; of two that clash the later is at fault.
        file_of: which file has added it.

    Raises:
        ConfigError: naming both.
    """
    seen: dict[str, str] = {word: f"the word {word!r}" for word in WORDS}
    for table, name in names:
        mine = f"{table}.{name}"
        if (other := seen.setdefault(name.lower(), mine)) is not mine:
            raise ConfigError(
                f"{file_of(table, name)}: {mine}: expected another name, since {other} "
                f"is taken: --background-benchmarks, and some file systems, do not "
                f"tell them apart"
            )
