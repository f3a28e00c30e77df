"""What becomes known of a run, published fact by fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_mighetero.records.facts import Value, texts
from pytest_mighetero.terms.secret import Secrets


class Ledger:
    """Facts as flat texts with stable names, masked.

    Attributes:
        attempts: what a record says of the tries before the present one.
        trials: what it says of every trial of a search.

    Every fact that is new or changes is published, and with None one that is taken
    back.
    """

    def __init__(self, secrets: Secrets, publish: Callable[[str, str | None], None]):
        self._secrets, self._publish = secrets, publish
        self.facts: dict[str, str] = {}
        self.attempts: list[dict[str, Any]] = []
        self.trials: list[dict[str, Any]] = []
        self._of_try: set[str] = set()

    def learn(self, **facts: Value) -> None:
        """Keep facts and publish them; one that changes is published again."""
        for name, text in texts(facts).items():
            self._keep(name, self._secrets.mask(text))

    def _keep(self, name: str, text: str) -> None:
        if self.facts.get(name) != text:
            self.facts[name] = text
            self._publish(name, text)

    def learn_of_try(self, **facts: Value) -> None:
        """Learn what the present try has come to, until the next one begins."""
        self._of_try.update(facts)
        self.learn(**facts)

    def next_try(self) -> None:
        """Take back what the try before has come to."""
        self._forget(self._of_try)
        self._of_try.clear()

    def restore(self, facts: Mapping[str, str]) -> None:
        """Go back to *facts*, as they were known once."""
        self._forget(set(self.facts) - set(facts))
        for name, text in facts.items():
            self._keep(name, text)

    def _forget(self, names: set[str]) -> None:
        for name in [each for each in self.facts if each in names]:
            del self.facts[name]
            self._publish(name, None)
