"""Whether all placeholders of a suite have something to be filled with. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.harness_spec import HarnessSpec
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.spec.template import BUILT_IN, misspelt, placeholders, unknown
from pytest_mighetero.terms.pair import Pair


def used_by(suite: Suite, pair: Pair) -> frozenset[str]:
    """Return the placeholders in the texts of what runs *pair*; none for make."""
    spec = suite.harness_of(pair.benchmark)
    if spec.makes:
        return frozenset()
    texts = [text for _, text in spec.texts()]
    for value in suite.values_of(pair).values():
        texts += [value] if isinstance(value, str) else value
    return frozenset(name for text in texts for name in placeholders(text))


def check_placeholders(suite: Suite) -> None:
    """Check the texts of each benchmark's command, in each of its scenarios.

    Raises:
        ConfigError: naming the file, the key and what would have been accepted.
    """
    for name, benchmark in suite.benchmarks.items():
        spec = suite.harness_of(name)
        if spec.makes and benchmark.values:
            raise ConfigError(
                f"{suite.place('benchmarks', name, 'values')}: expected a harness "
                f"with a command, since make has no placeholders for them"
            )
        if spec.makes:
            continue
        said = {**spec.values, **benchmark.values}
        if taken := [each for each in said if each in BUILT_IN]:
            raise ConfigError(
                f"{_place(suite, name, taken[0])}: expected another name, since "
                f"every launch has {{{taken[0]}}}: {', '.join(BUILT_IN)}"
            )
        for scenario in benchmark.scenarios:
            own = suite.values_of(Pair(name, scenario))
            for key, value in own.items():
                _check(
                    value if isinstance(value, tuple) else (value,),
                    BUILT_IN,
                    _place(suite, name, key),
                )
            for keys, text in spec.texts():
                _check(
                    (text,),
                    (*BUILT_IN, *own),
                    suite.place_of_harness(benchmark.harness, *keys),
                    f" (of {name}_{scenario})",
                )
            _check_port(spec, own, partial(suite.place_of_harness, benchmark.harness))


def _place(suite: Suite, benchmark: str, value: str) -> str:
    """Return where that placeholder of a benchmark is said, or of its harness."""
    entry = suite.benchmarks[benchmark]
    if value in entry.values:
        return suite.place("benchmarks", benchmark, "values", value)
    return suite.place_of_harness(entry.harness, "values", value)


def _check_port(
    spec: HarnessSpec,
    own: Mapping[str, str | tuple[str, ...]],
    place: Callable[..., str],
) -> None:
    """Check that a server and its client speak of the same port, if of any."""
    if spec.server is None:
        return

    def takes(texts: Iterable[str]) -> bool:
        said = {name for text in texts for name in placeholders(text)}
        for name in said & own.keys():
            value = own[name]
            inner = (value,) if isinstance(value, str) else value
            said = said.union(*map(placeholders, inner))
        return "port" in said

    every = [each for each in spec.texts() if each[0] != ("server", "ready_url")]
    theirs = takes(text for keys, text in every if keys[0] in ("server", "files"))
    ours = takes(text for keys, text in every if keys[0] != "server")
    if theirs != ours:
        lacking, has = ((), "its server") if theirs else (("server",), "its client")
        raise ConfigError(
            f"{place(*lacking, 'command')}: expected {{port}} in it, in environment "
            f"or in files, since {has} takes that: they would not meet"
        )
    if not theirs and not spec.server.ready_url and not spec.server.ready_line:
        raise ConfigError(
            f"{place('server')}: expected {{port}} in its command, ready_url or "
            f"ready_line: nothing else tells when it is ready"
        )


def _check(
    texts: Iterable[str], known: Iterable[str], where: str, whose: str = ""
) -> None:
    names = [*known]
    for text in texts:
        if expected := misspelt(text):
            raise ConfigError(f"{where}: expected {expected}, found a single brace")
        if problem := unknown(text, names):
            raise ConfigError(f"{where}: {problem}{whose}")
