"""What must not be printed: the values of variables whose names say so. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

MASK = "***"

# A part of a name, in capitals; MONKEY and TOKENIZER are no such words.
_WORD = re.compile(
    r".*(TOKEN|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE)|PASS|AUTH|CREDENTIALS?"
    r"|(API|ACCESS|AUTH|PRIVATE|SECRET|SSH)?KEY"
)
# What ends in these says something about a secret, or of the tokens of a text:
# HF_TOKEN_PATH, SSH_AUTH_SOCK, use_token_latencies, pad_token_id.
_ABOUT = {
    *("DIR", "DIRS", "FILE", "FILES", "FOLDER", "HOME", "PATH", "SOCK", "SOCKET"),
    *("COUNT", "LATENCIES", "LATENCY", "LEN", "LENGTH", "LIMIT", "RATE", "SIZE"),
}
_ABOUT_TOKENS = ["TOKEN", "ID"]
_APART = re.compile(r"[^A-Za-z0-9]+")
_SAID = re.compile(r"(?<![A-Za-z0-9_.-])-{0,2}([A-Za-z_][A-Za-z0-9_.-]*)=")
_VALUE = re.compile(r"""'[^']*'?|"[^"]*"?|[^\s'"]*""")
# A shorter value may be a word of anything else; beside its name it is masked, too.
_LEAST = 8
_LEAST_MARKED = 4  # in what a harness prints, of a variable that the suite marks


def placeholder(name: str) -> str:
    """Return what a shell takes the secret value of *name* from, or says it lacks."""
    variable = _APART.sub("_", name).strip("_")
    return f'"${{{variable}:?is not printed}}"'


@lru_cache(maxsize=1024)
def says_secret(name: str) -> bool:
    """Tell whether *name* says that its value is secret: a part of it does."""
    parts = _APART.split(name.upper())
    if parts[-1] in _ABOUT or parts[-2:] == _ABOUT_TOKENS:
        return False
    return any(map(_WORD.fullmatch, parts))


@dataclass(frozen=True)
class Secrets:
    """The secrets of a run: what is shown in their place.

    Attributes:
        names: of what the suite marks as secret, beside the names that say so
            themselves; with underscores.
        values: what is known of their values, the longest first.
        heard: further values that a harness may print: those of pytest's environment,
            and short ones.
        apart: what stands beside its flag: ``--password hunter2``.
    """

    names: frozenset[str] = frozenset()
    values: tuple[str, ...] = field(default=(), repr=False)
    heard: tuple[str, ...] = field(default=(), repr=False)
    apart: tuple[str, ...] = field(default=(), repr=False)

    def hides(self, name: str) -> bool:
        """Tell whether the value of the variable *name* is secret."""
        return _plain(name) in self.names or says_secret(name)

    def mask(self, text: str) -> str:
        """Return *text* with ``***`` in the place of every secret."""
        if "=" in text or self.apart:  # not so in most of a record
            pieces = self._pieces(text)
            text = "".join(plain + (MASK if name else "") for plain, name in pieces)
        return _without(text, self.values)

    def mask_output(self, text: str) -> str:
        """Return what a harness printed without secrets, those of its environment."""
        return _without(self.mask(text), self.heard)

    def masked(self, data: Any) -> Any:
        """Return plain data with every text in it masked."""
        if isinstance(data, str):
            return self.mask(data)
        if isinstance(data, Mapping):
            return {key: self.masked(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self.masked(value) for value in data]
        return data

    def word(self, word: str) -> str:
        """Return a word of a command as it is shown: masked, then quoted."""
        return shlex.quote(self.mask(word))

    def placeholder(self, word: str) -> str:
        """Return a word for a shell that takes secrets from variables of their own.

        ``HF_TOKEN=abc`` becomes ``HF_TOKEN="${HF_TOKEN:?is not printed}"``.
        """
        parts = []
        for plain, name in self._pieces(word):
            shown = _without(plain, self.values)
            parts += [shlex.quote(shown) if shown else "", name and placeholder(name)]
        return "".join(parts) or "''"

    def _pieces(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield what is plain, each with the name of the secret value after it."""
        at = 0
        for begin, end, name in sorted([*self._assigned(text), *self._beside(text)]):
            if begin >= at:
                yield text[at:begin], name
                at = end
        yield text[at:], ""

    def _beside(self, text: str) -> Iterator[tuple[int, int, str]]:
        for each in self.apart:
            flag, _, value = each.partition(" ")
            for found in re.finditer(rf"{re.escape(each)}(?!\S)", text):
                yield found.end() - len(value), found.end(), flag.lstrip("-")

    def _assigned(self, text: str) -> Iterator[tuple[int, int, str]]:
        at = 0
        for found in _SAID.finditer(text):
            if found.start() >= at and self.hides(found[1]):
                at = self._end(text, found.end())
                if text[found.end() : at] not in ("", MASK):
                    yield found.end(), at, found[1]

    def _end(self, text: str, begin: int) -> int:
        """Return where the value that begins there ends: at a blank, or its quote."""
        for value in self.values:
            if text.startswith(value, begin):
                return begin + len(value)
        found = _VALUE.match(text, begin)
        return found.end() if found else begin


NONE = Secrets()


def marked_as(names: Iterable[str]) -> Secrets:
    """Return what hides the values of what a suite marks; ``--hub-login`` is a flag."""
    return Secrets(frozenset(_plain(name.lstrip("-")) for name in names))


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _without(text: str, values: Iterable[str]) -> str:
    for value in values:
        text = text.replace(value, MASK)
    return text


def secrets_of(
    marked: Iterable[str],
    variables: Iterable[Mapping[str, str]],
    words: Iterable[str],
    environment: Mapping[str, str],
    public: Iterable[str] = (),
) -> Secrets:
    """Return the secrets of a run.

    Args:
        marked: the names that the suite says are secret.
        variables: what the suite sets.
        words: ``NAME=value``, or ``--name`` and a value.
        environment: pytest's own.
        public: names and paths that must stay readable; a value that is in one of them
            is hidden beside its name alone.
    """
    marks, known = marked_as(marked), tuple(public)
    said = [pair for each in variables for pair in each.items()]
    apart = set()
    for word, after in pairwise([*words, ""]):
        said += [(each[1], word[each.end() :]) for each in _SAID.finditer(word)]
        if (name := flag_before(word, after)) and marks.hides(name):
            said.append((name, after))
            apart.add(f"{word} {after}")

    def long_ones(values: Iterable[str], least: int) -> set[str]:
        long = {value for value in values if len(value) >= least}
        return {each for each in long if not any(each in name for name in known)}

    values = long_ones((v for k, v in said if marks.hides(k)), _LEAST)
    heard = long_ones((v for k, v in environment.items() if marks.hides(k)), _LEAST)
    marked_ones = (v for k, v in said if _plain(k) in marks.names)
    heard |= long_ones(marked_ones, _LEAST_MARKED)
    return Secrets(marks.names, *map(_longest_first, (values, heard - values, apart)))


def flag_before(word: str, after: str) -> str:
    """Return the name of the flag whose value is the next word; "" for none."""
    is_flag = word.startswith("-") and "=" not in word
    return word.lstrip("-") if is_flag and after and not after.startswith("-") else ""


def _longest_first(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(values, key=lambda value: (-len(value), value)))
