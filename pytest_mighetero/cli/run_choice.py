"""Which of the runs that are read are shown: by name, and by an expression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from _pytest.mark import expression

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.terms.keyword import nearest_to, words_of

# pytest before 9 has an error of its own.
_WRONG = (SyntaxError, getattr(expression, "ParseError", SyntaxError))
_NAMED = ("benchmark", "scenario", "run", "device_profile", "action")
_SHOWN = 3  # names that are told of those that there are


class RunChoice:
    """The runs that are shown, of all that they are judged by.

    Args:
        named: the paths that were said: what is named itself is shown.
        select: what a folder's name has in it.
        keyword: an expression, as of pytest's ``-k``; "" for every run.

    Raises:
        ConfigError: *keyword* is no expression.
    """

    def __init__(self, named: Sequence[str], select: str, keyword: str):
        self._named = {each for name in named for each in (Path(name), *_parent(name))}
        self._select = select
        self._keyword = _Keyword(keyword) if keyword else None
        self._chosen: set[Path] = set()

    def __contains__(self, folder: Path) -> bool:
        """Tell whether the run of *folder* is shown."""
        return folder in self._chosen

    def noted(
        self, found: Iterator[Record | RecordError], damaged: list[str]
    ) -> Iterator[Record]:
        """Yield every record, and note which are chosen, and which of them *damaged*.

        Raises:
            ConfigError: none is chosen.
        """
        selected = False
        for each in found:
            folder = each.path.parent
            mine = folder in self._named or self._select in folder.name
            selected |= mine
            if isinstance(each, RecordError):
                if mine:
                    damaged.append(str(each))
                continue
            if mine and (self._keyword is None or self._keyword.fits(each)):
                self._chosen.add(folder)
            yield each
        if not selected:
            raise ConfigError(f"no run with {self._select!r} in its folder's name")
        if self._keyword is not None and not self._chosen:
            raise ConfigError(self._keyword.missed())


class _Keyword:
    """An expression of names, and how far it is from what it was asked of."""

    def __init__(self, text: str):
        self._text, self._compiled = text, _compiled(text)
        self._nowhere = list(words_of(text))  # words that are in no name yet
        self._pairs: dict[str, None] = {}
        self._words: dict[str, None] = {}

    def fits(self, record: Record) -> bool:
        """Tell whether it is true of the run's name, whatever the case."""
        words = [record.folder.name, *map(record.text, _NAMED)]
        self._pairs[_pair(record)] = None
        self._words |= dict.fromkeys(words[1:])
        name = " ".join(words).lower()
        self._nowhere = [word for word in self._nowhere if word.lower() not in name]
        return self._compiled.evaluate(_Named(name))

    def missed(self) -> str:
        """Say why it is true of none: for each word what it may have meant."""
        said = "; ".join(map(self._meant, self._nowhere))
        why = said or "each word is in some run's name, but none has them so"
        return f"-k: {self._text!r} selects no run: {why}"

    def _meant(self, word: str) -> str:
        pairs = list(filter(None, self._pairs))
        if near := nearest_to(word, [*pairs, *filter(None, self._words)]):
            return f"{word!r} is in no run's name, the nearest: {', '.join(near)}"
        known = ", ".join(pairs[:_SHOWN]) + ", ..." * (len(pairs) > _SHOWN)
        return f"{word!r} is in no run's name; there are {known or 'no names'}"


def _pair(record: Record) -> str:
    return "_".join(filter(None, map(record.text, ("benchmark", "scenario"))))


class _Named:
    """Tells pytest's expression whether a word is in the name."""

    def __init__(self, name: str):
        self._name = name

    def __call__(self, word: str, /, **_: str | int | bool | None) -> bool:
        """Tell it, whatever the case."""
        return word.lower() in self._name


def _parent(name: str) -> list[Path]:
    """Return the folder of a record that is named itself."""
    with suppress(OSError):  # whoever reads it says so
        if Path(name).is_file():
            return [Path(name).parent]
    return []


def _compiled(keyword: str) -> expression.Expression:
    try:
        return expression.Expression.compile(keyword)
    except _WRONG as error:
        said = getattr(error, "msg", None) or str(error)
        raise ConfigError(
            f"-k: {keyword!r} is no expression of names with and, or, not: {said}"
        ) from error
