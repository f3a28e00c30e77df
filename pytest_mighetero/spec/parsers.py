"""From the text of an option to its value: pure, one function for each kind.

Each raises ConfigError with what was expected and what was found; who said the text
is added by the caller.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Collection
from typing import Literal

from pytest_mighetero.errors import ConfigError, nearest
from pytest_mighetero.spec.names import CONFIG_VER, LINES, PATH, PROFILE, Rule
from pytest_mighetero.terms.make import check_words
from pytest_mighetero.terms.run_args import RunArgs
from pytest_mighetero.terms.scenario import SCENARIOS
from pytest_mighetero.units import parse_duration

# Said by options of their own; a second mention would win silently (argparse).
_OWN_RUN_ARGS = {
    "benchmarks": "--main-benchmark",
    "scenarios": "--main-scenario",
    "config_ver": "--config-ver",
    "min_duration": "--main-benchmark-duration",
    "start_from_device": "--start-from-device",
}
_MIG_UUID = re.compile(
    r"MIG-[0-9A-Fa-f-]{8,}|MIG-GPU-[0-9A-Fa-f-]{8,}/\d+/\d+", re.ASCII
)
# An option of salloc(1) whose value may be the next word.
_SALLOC_VALUED = re.compile(
    r"(?!-[HIKOQVhksv]$)-[A-Za-z]|"
    r"(?!--(bell|contiguous|exclusive|hold|immediate|kill-command|nice|no-bell|no-kill|"
    r"no-shell|overcommit|oversubscribe|quiet|reboot|spread-job|use-min-nodes|verbose|"
    r"x11)$)--[^=]+"
)
_PERCENT = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*%", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_MOST = 999_999_999

Names = tuple[str, ...]


def fitting(rule: Rule) -> Callable[[str], str]:
    """Return a parser for a text of which *rule* says nothing else that it expected."""

    def parse(text: str) -> str:
        if expected := rule(text):
            raise ConfigError(f"expected {expected}, found {text!r}")
        return text

    return parse


def path(text: str) -> str:
    """Return a path, which an empty text is none of."""
    if not text.strip():
        raise ConfigError(
            "expected a path, found an empty text; write one (is a variable of it "
            "unset?), or leave it out"
        )
    return fitting(PATH)(text)


def one_of(accepted: Collection[str]) -> Callable[[str], str]:
    """Return a parser for exactly one of *accepted*."""

    def parse(text: str) -> str:
        if text not in accepted:
            raise ConfigError(f"unknown {text!r}: {nearest(text, accepted)}")
        return text

    return parse


def names_of(accepted: Collection[str]) -> Callable[[str], Names]:
    """Return a parser for a comma list of *accepted*, in any case."""
    known = {name.lower(): name for name in accepted}

    def parse(text: str) -> Names:
        names = tuple(name.strip().lower() for name in text.split(","))
        for name in names:
            if name not in known:
                raise ConfigError(f"unknown {name!r}: {nearest(name, accepted)}")
        return tuple(known[name] for name in names)

    return parse


def backgrounds_of(
    benchmarks: Collection[str], groups: Collection[str]
) -> Callable[[str], Names]:
    """Return a parser for ``all``, ``none``, a group, or a comma list of benchmarks."""
    words = [*groups, "all", "none"]

    def parse(text: str) -> Names:
        alone = "," not in text
        return names_of([*benchmarks, *words] if alone else benchmarks)(text)

    return parse


def positive_duration(text: str) -> float:
    """Return the seconds of a duration of at least a millisecond."""
    if (seconds := parse_duration(text)) < 0.001:
        raise ConfigError(f"expected at least 1 ms, found {text!r}")
    return seconds


def background_duration(text: str) -> Literal["planned", "automatic"] | float:
    """Return ``planned``, ``automatic``, or seconds."""
    if text.lower() in ("planned", "calculated"):  # so the v1.0 script
        return "planned"
    if text.lower() == "automatic":
        return "automatic"
    try:
        return positive_duration(text)
    except ConfigError as error:
        raise ConfigError(f"expected planned, automatic or a time: {error}") from None


def run_args(text: str) -> RunArgs:
    """Return further RUN_ARGS."""
    words = text.split()
    check_words(words)
    for word in words:
        flag = word.lstrip("-").partition("=")[0]
        if option := _OWN_RUN_ARGS.get(flag):
            raise ConfigError(f"{word}: say {option} instead")
    return RunArgs.of(words)


def words(text: str) -> Names:
    """Return the words of *text* as a shell would split it."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigError(f"cannot be split into words: {error}: {text!r}") from None


def slurm_options(text: str) -> Names:
    """Return options of Slurm's ``salloc``, each with its value.

    It takes the first word that is none for a command to start, and all behind for
    that command's.
    """
    found = words(text)
    for before, word in zip(("", *found), found, strict=False):
        if word in ("--", "-") or not (
            word.startswith("-") or _SALLOC_VALUED.fullmatch(before)
        ):
            raise ConfigError(
                f"expected options of salloc, as --partition=a100 --gres=gpu:1, found "
                f"{word!r}, which is none"
            )
    return found


def mig_uuids(text: str) -> Names:
    """Return a list of different MIG UUIDs, in either form; it may be empty."""
    uuids = tuple(uuid.strip() for uuid in text.split(",")) if text else ()
    for uuid in uuids:
        if not _MIG_UUID.fullmatch(uuid):
            raise ConfigError(
                f"expected MIG-<uuid> or MIG-GPU-<uuid>/<gi>/<ci> as nvidia-smi -L "
                f"prints it, found {uuid!r}"
            )
        if uuids.count(uuid) > 1:
            raise ConfigError(f"{uuid} is listed twice; one harness per MIG device")
    return uuids


def count(text: str) -> int:
    """Return a number of times."""
    return _whole_from(0, text)


def times(text: str) -> int:
    """Return a number of times, once at least."""
    return _whole_from(1, text)


def _whole_from(least: int, text: str) -> int:
    if not _WHOLE.fullmatch(text) or int(text) < least:
        some = ", ".join(map(str, range(least, least + 3)))
        most = f" {_MOST}" if text.isdecimal() and len(text) > len(str(_MOST)) else ""
        raise ConfigError(f"expected {some} ...{most}, found {text!r}")
    return int(text)


def percent(text: str) -> float:
    """Return the fraction of a percentage between 0 and 100: ``7%`` is 0.07."""
    match = _PERCENT.fullmatch(text)
    fraction = float(match[1]) / 100 if match else 0.0
    if not 0 < fraction < 1:
        raise ConfigError(f"expected a percentage such as 7%, found {text!r}")
    return fraction


def excess(text: str) -> float:
    """Return the fraction of a percentage above 0: ``150%`` is 1.5."""
    match = _PERCENT.fullmatch(text)
    fraction = float(match[1]) / 100 if match else 0.0
    if not 0 < fraction < math.inf:
        raise ConfigError(f"expected a percentage such as 10%, found {text!r}")
    return fraction


def flag(text: str) -> bool:
    """Return the truth of an ini value."""
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ConfigError(f"expected true or false, found {text!r}")


checked = fitting(LINES)
config_ver = fitting(CONFIG_VER)
profile = fitting(PROFILE)
scenario = one_of(SCENARIOS)
scenario_names = names_of(SCENARIOS)
scope = one_of(("test", "session"))
