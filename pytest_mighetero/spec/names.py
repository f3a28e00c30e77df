"""What names and texts of a suite may be: each reaches make, a path or a marker. Pure.

A benchmark's name is a folder's name, a part of a test id and a word of RUN_ARGS; a
group's is a pytest marker; make hands its variables to a shell unquoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.markers import BINDING
from pytest_mighetero.terms.environment import MARK, MISLEADING, OUTER_MAKE
from pytest_mighetero.terms.make import unsafe_for_make
from pytest_mighetero.terms.secret import MASK

# Returns what was expected, or None where the text is right.
Rule = Callable[[str], "str | None"]
Place = tuple[str, ...]

_LONGEST = 64  # in a folder's name, a stamp, a role and a number stand beside it
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{_LONGEST - 1}}}", re.ASCII)
_GROUP = re.compile(rf"[A-Za-z][A-Za-z0-9._-]{{0,{_LONGEST - 1}}}", re.ASCII)
_CONFIG_VER = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_PROFILE = re.compile(r"(\d+c\.)?\d+g\.\d+gb([+-][A-Za-z0-9.]+)*", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ENVIRONMENT = re.compile(r"[A-Za-z_.][A-Za-z0-9_.]*", re.ASCII)
_SECRET = re.compile(r"-{0,2}[A-Za-z_.][A-Za-z0-9_.-]*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ANYWHERE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

WORDS = ("all", "none")  # of --background-benchmarks
# What -m cannot ask for, and markers that mean something to pytest and its plugins.
_TAKEN = {
    *("and", "or", "not", "true", "false"),
    *("skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"),
    *("tryfirst", "trylast", "timeout", "flaky", "xdist_group", "isolated", BINDING),
    *WORDS,
}
_VARIABLES = (("harness", "environment"), ("harness", "make_variables"))


def _matches(pattern: re.Pattern[str], expected: str) -> Rule:
    return lambda text: None if pattern.fullmatch(text) else expected


def _group(name: str) -> str | None:
    if not _GROUP.fullmatch(name):
        return (
            f"a name of at most {_LONGEST} letters, digits and ._-, a letter first: "
            f"it is a pytest marker, too"
        )
    if name.lower() in _TAKEN:
        return "a name that is no word of -m, nor another marker of pytest"
    return None


def config_ver_rule(text: str) -> str | None:
    """Say what one ``--config_ver`` is, where *text* is none; ``all`` is several."""
    if _CONFIG_VER.fullmatch(text) and text.lower() != "all":
        return None
    return "one name such as hetero (letters, digits and _; one run has one result)"


def profile_rule(text: str) -> str | None:
    """Say what a profile of MIG devices is called, where *text* is none."""
    return None if _PROFILE.fullmatch(text) else "a profile such as 1g.10gb"


def _make_variable(name: str) -> str | None:
    if not _VARIABLE.fullmatch(name):
        return "the name of a make variable: letters, digits and _, no digit first"
    if name in ("RUN_ARGS", *OUTER_MAKE, *MISLEADING):
        return "another variable than RUN_ARGS and those that change what make does"
    return None


def _make_value(text: str) -> str | None:
    for placeholder in ("{log_dir}", "{python}"):
        text = text.replace(placeholder, "x")
    if bad := unsafe_for_make(text.replace(" ", "")):
        return (
            f"words of letters, digits and _./,=:+@%^-, {{log_dir}} or {{python}}: "
            f"make hands it to a shell unquoted, so {bad!r} would not arrive"
        )
    return None


def _environment(placed: Collection[str]) -> Rule:
    def check(name: str) -> str | None:
        if not _ENVIRONMENT.fullmatch(name):
            return "a variable's name: letters, digits and _, no digit first"
        if name in placed:
            said = " and ".join(placed)
            return f"another variable than {said}: each run sets its own"
        return None

    return check


def path_rule(text: str) -> str | None:
    """Say what a path is, where *text* is none."""
    return "a path without control characters" if _CONTROL.search(text) else None


def _audit_folder(text: str) -> str | None:
    braced = re.search(r"[{}]", text.removeprefix("{log_dir}"))
    if path_rule(text) is None and ".." not in Path(text).parts and not braced:
        return None
    return "a folder, from harness.folder or from {log_dir} on, with no .. in it"


def _text(text: str) -> str | None:
    return "a text without control characters" if _CONTROL.search(text) else None


def _marker(text: str) -> str | None:
    return _text(text.replace("\t", " "))


def _value(text: str) -> str | None:
    return "a text without control characters" if _ANYWHERE.search(text) else None


# By place in a suite file: what the keys there are, and what texts.
_KEYS: Mapping[Place, Rule] = {
    ("benchmarks", "*"): _matches(
        _NAME,
        f"a name of at most {_LONGEST} letters, digits and ._-, a letter or digit "
        f"first",
    ),
    ("groups", "*"): _group,
    ("profiles", "*"): profile_rule,
    ("targets", "*"): profile_rule,
    ("latencies_ms", "*"): profile_rule,
    ("targets", "*", "*"): config_ver_rule,
    ("latencies_ms", "*", "*"): config_ver_rule,
    ("harness", "make_variables", "*"): _make_variable,
}
_TEXTS: Mapping[Place, Rule] = {
    ("extends",): path_rule,
    ("harness", "folder"): path_rule,
    ("harness", "config_ver"): config_ver_rule,
    ("harness", "audit_folder"): _audit_folder,
    ("harness", "start_markers"): _marker,
    ("harness", "finish_markers"): _marker,
    ("harness", "make_variables", "*"): _make_value,
    ("harness", "environment", "*"): _value,
    ("harness", "secrets"): _matches(
        _SECRET, "a variable's or a flag's name: letters, digits, _ and -"
    ),
    ("benchmarks", "*", "config_ver"): config_ver_rule,
    ("defaults", "*"): _value,
}


def check_names(
    table: Mapping[str, Any], file: Path, variables: Collection[str]
) -> None:
    """Check the names and texts of a suite file whose types are right.

    Args:
        table: what is in it.
        file: its path.
        variables: those by which harnesses get their devices.

    Raises:
        ConfigError: naming the file, the key, what is accepted and what was found.
    """
    placed = dict.fromkeys((*variables, MARK))
    keys = {**_KEYS, ("harness", "environment", "*"): _environment(placed)}
    for place, text, is_key in _texts(table, ()):
        rules = keys if is_key else _TEXTS
        fitting = (rule for at, rule in rules.items() if _is_at(place, at))
        rule = next(fitting, _text)
        if (expected := rule(text)) is not None:
            where = ".".join(place[:-1] if is_key else place)
            # What another file, that extends this or is extended, may mark as secret.
            hidden = not is_key and place[:-1] in _VARIABLES
            found = MASK if hidden else repr(text)
            raise ConfigError(f"{file}: {where}: expected {expected}, found {found}")


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str, bool]]:
    """Yield every key and text below *place*, keys first; whether it is a key."""
    if isinstance(value, str):
        yield place, value, False
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, place)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield (*place, key), key, True
            yield from _texts(each, (*place, key))


def _is_at(place: Place, pattern: Place) -> bool:
    pairs = zip(place, pattern, strict=False)
    return len(place) == len(pattern) and all(b in ("*", a) for a, b in pairs)


def check_apart(
    benchmarks: Collection[str], groups: Collection[str], file: Path
) -> None:
    """Check that no two names of a suite are the same to an option or a file system.

    Raises:
        ConfigError: naming both.
    """
    seen: dict[str, str] = {word: f"the word {word!r}" for word in WORDS}
    for kind, names in (("benchmarks", benchmarks), ("groups", groups)):
        for name in names:
            mine = f"{kind}.{name}"
            if (other := seen.setdefault(name.lower(), mine)) is not mine:
                raise ConfigError(
                    f"{file}: {mine}: expected another name, since {other} is taken: "
                    f"--background-benchmarks, and some file systems, do not tell "
                    f"them apart"
                )


def check_option(text: str) -> None:
    """Refuse characters that no option's value has.

    Raises:
        ConfigError: naming the text.
    """
    if expected := _value(text):
        raise ConfigError(f"expected {expected}, found {text!r}")
