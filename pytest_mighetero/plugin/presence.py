"""Whether a pytest run has anything to do with runs of ours.

pytest imports this in every run on a machine where the package is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

from pytest_mighetero.spec.markers import NEEDS
from pytest_mighetero.spec.options import OPTIONS

if TYPE_CHECKING:
    from pytest_mighetero.plugin.session import Session
    from pytest_mighetero.spec.runspec import RunSpec
    from pytest_mighetero.terms.pair import Encounter, Pair

# The reference script's takes a value (type=bool), as no other flag of it does.
SPOKEN_FLAG = "main-benchmark-immediate-start"
SESSION: pytest.StashKey[Session] = pytest.StashKey()


def session_of(config: pytest.Config) -> Session:
    """Return what is known of the runs of this session, from now on.

    Raises:
        pytest.UsageError: an option has a value that cannot be meant.
    """
    if SESSION not in config.stash:
        from pytest_mighetero.plugin.invocation import checked_spec
        from pytest_mighetero.plugin.session import Session

        config.stash[SESSION] = Session(config, checked_spec(config))
        config.pluginmanager.register(config.stash[SESSION], "mighetero-session")
    return config.stash[SESSION]


def run_spec(config: pytest.Config) -> RunSpec:
    """Return what was asked of the runs of this session, as ``session_of`` does."""
    return session_of(config).spec


def said(config: pytest.Config, key: str) -> bool:
    """Tell whether command line or ini file say anything of one option."""
    try:
        return config.getoption(key) is not None or config.getini(key) is not None
    except (TypeError, pytest.UsageError):  # no text, in a TOML file: ``given`` says so
        return True


def anything_said(config: pytest.Config) -> bool:
    """Tell whether they say anything of any option."""
    return any(said(config, option.key) for option in OPTIONS)


def runs_tests(config: pytest.Config) -> bool:
    """Tell whether pytest is to run tests, and not only to show what there is."""
    option = config.option
    fixtures = option.showfixtures or option.show_fixtures_per_test
    cache = getattr(option, "cacheshow", None) is not None
    return not (option.collectonly or option.markers or fixtures or cache)


def is_pair(value: object) -> TypeGuard[Pair | Encounter]:
    """Tell whether *value* is what a run may be of, without importing what that is."""
    return type(value).__module__ == "pytest_mighetero.terms.pair"


def pair_of(item: pytest.Item | None) -> Pair | None:
    """Return what *item* measures, or None for a test that is no run."""
    main: Any = _parameter(item)
    victim: Pair | None = getattr(main, "victim", main)
    return victim


def aggressor_of(item: pytest.Item) -> Pair | None:
    """Return what a cell of the interference matrix is beside; None for no cell."""
    return getattr(_parameter(item), "aggressor", None)


def _parameter(item: pytest.Item | None) -> Pair | Encounter | None:
    callspec = getattr(item, "callspec", None)
    main = callspec and callspec.params.get("main")
    return main if is_pair(main) else None


def needs_of(item: pytest.Item) -> dict[str, str]:
    """Return what the marker says that *item* needs: ``gpu``, ``profile``.

    Raises:
        pytest.UsageError: it says anything else.
    """
    said: dict[str, str] = {"gpu": "", "profile": ""}
    for mark in item.iter_markers(NEEDS):  # the nearest first
        texts = all(isinstance(each, str) and each for each in mark.kwargs.values())
        if mark.args or not mark.kwargs or mark.kwargs.keys() - said or not texts:
            raise pytest.UsageError(
                f'{item.nodeid}: @pytest.mark.{NEEDS}: expected gpu="H100", '
                f'profile="3g.40gb" or one of them, found {mark.args} {mark.kwargs}'
            )
        said |= {k: v for k, v in mark.kwargs.items() if not said[k]}
    return said


def spec_of(item: pytest.Item) -> RunSpec:
    """Return what was asked of the run of *item*.

    Raises:
        pytest.UsageError: its marker cannot be meant.
    """
    spec, needs = run_spec(item.config).against(aggressor_of(item)), needs_of(item)
    return spec.needing(**needs) if any(needs.values()) else spec


def is_run(item: pytest.Item) -> bool:
    """Tell whether *item* measures a Pair."""
    return pair_of(item) is not None
