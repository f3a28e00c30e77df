"""Who is measured beside whom: the interference matrix that is asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.offer import unconfigured
from pytest_mighetero.spec.parsers import names_of
from pytest_mighetero.spec.values import Values
from pytest_mighetero.terms.pair import Pair

if TYPE_CHECKING:
    from pytest_mighetero.spec.runspec import RunSpec

_PARTS = ("mig-aggressor-count", "mig-max-slowdown", "mig-resume")


def with_matrix(spec: RunSpec, values: Values) -> RunSpec:
    """Return the settings with what ``--mig-interference`` makes of them.

    Victims are the selected pairs, or those that are named. Aggressors are their
    benchmarks in the scenario of backgrounds, or what ``--background-benchmarks`` says.
    One set of an aggressor serves all victims, unless the scope was said otherwise.

    Raises:
        ConfigError: a name is none of a selected pair or benchmark; nothing can be an
            aggressor; it is an audit; a part of a matrix is asked for, and no matrix.
    """
    said = values.value("mig-interference")
    if not said.raw:
        for part in map(values.value, _PARTS):
            if part.explicit and part.raw not in ("", False):
                raise ConfigError(
                    f"{part.said_by}: there is no interference matrix to apply it to; "
                    f"say --mig-interference, too, or leave it out"
                )
        return spec
    if spec.action != "run_harness":
        raise ConfigError(
            f"{said.said_by}: an audit ({spec.action}) measures nothing to compare; "
            f"leave --main-action at run_harness"
        )
    if spec.tune and spec.resume:
        raise ConfigError(
            f"{spec.said_by['mig-resume']}, {spec.said_by['mig-tune']}: a search is "
            f"always run anew; leave one out"
        )
    asked: frozenset[str] = frozenset()
    pairs = spec.pairs
    if str(said.raw).strip().lower() != "all":
        pairs = _named(spec.pairs, values)
        asked = frozenset(pair.benchmark for pair in pairs)
    aggressors = _aggressors(spec, pairs, asked, values)
    names = tuple(pair.benchmark for pair in aggressors)
    shared = not values.value("background-scope").explicit
    return replace(
        spec,
        pairs=pairs,
        asked=spec.asked | asked,
        isolated=True,
        aggressors=aggressors,
        backgrounds=names,
        background_scope="session" if shared else spec.background_scope,
    )


def _named(pairs: Sequence[Pair], values: Values) -> tuple[Pair, ...]:
    """Return those of *pairs* that are named, by themselves or by their benchmarks."""
    accepted = [*map(str, pairs), *dict.fromkeys(pair.benchmark for pair in pairs)]
    try:
        names = values.parsed("mig-interference", names_of(accepted))
    except ConfigError as error:  # of argparse it would take what follows
        raise ConfigError(f"{error}; before a path write =all, too") from None
    return tuple(p for p in pairs if str(p) in names or p.benchmark in names)


def _aggressors(
    spec: RunSpec, pairs: Sequence[Pair], asked: frozenset[str], values: Values
) -> tuple[Pair, ...]:
    """Return what the victims are measured beside.

    A benchmark that nobody named, and that does not run as a background, is none.
    """
    said = values.value("background-benchmarks")
    victims = [pair.benchmark for pair in pairs]
    names, named = victims, bool(asked)
    if said.explicit:
        names, named = list(spec.backgrounds_of("")), spec.backgrounds_named
    beside = [spec.beside(name) for name in dict.fromkeys(names)]
    suite, version = spec.suite, spec.config_ver
    found = tuple(
        pair
        for pair in beside
        if pair.scenario in suite.benchmarks[pair.benchmark].scenarios
        and not unconfigured(suite, [pair], version)
    )
    if not found or (named and len(found) < len(beside)):
        lost = ", ".join(str(pair) for pair in beside if pair not in found)
        raise ConfigError(
            f"{values.value('mig-interference').said_by}: expected benchmarks that can "
            f"load the other devices, and suite {suite.name} does not run "
            f"{lost or 'any'}; choose others, --background-benchmarks or "
            f"--background-scenario"
        )
    return found
