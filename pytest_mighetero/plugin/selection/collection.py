"""pytest's hooks around collection: which runs there are, selected and in order.

What a pytest run without runs does not need is imported late.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from pytest_mighetero.plugin.protocol import is_run
from pytest_mighetero.plugin.settings import RUN_SPEC, run_spec

if TYPE_CHECKING:
    from pathlib import Path


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Keep pytest from walking through every folder of every run for tests."""
    results = config.rootpath / "results"
    if RUN_SPEC in config.stash:
        results = config.stash[RUN_SPEC].results_dir
    if collection_path != results:
        return None
    from pytest_mighetero.records.run_names import holds_runs_alone

    return holds_runs_alone(results) or None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test that asks for our ``main`` over the pairs to measure."""
    if "main" in metafunc.fixturenames:
        from pytest_mighetero.plugin.selection.pairs import parametrize

        parametrize(metafunc)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Select and order the runs, and give each a timeout beyond its own deadlines."""
    if not any(map(is_run, items)):
        return
    from pytest_mighetero.plugin.selection.order import (
        check_isolated,
        deselect_isolated,
        order_runs,
    )

    run = run_spec(config)
    if run.isolated:
        check_isolated(items)
    else:
        deselect_isolated(config, items)
    order_runs(run, items)
    _limit(config, items)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Name the nearest ids where an argument has none in its brackets."""
    try:
        return (yield)
    except pytest.UsageError as error:
        if RUN_SPEC not in session.config.stash:
            raise
        from pytest_mighetero.plugin.selection.suggestion import for_nodeids

        run, arguments = run_spec(session.config), session.config.args
        raise pytest.UsageError(*error.args, *for_nodeids(run, arguments)) from None


def pytest_report_collectionfinish(
    config: pytest.Config, items: list[pytest.Item]
) -> list[str]:
    """Say how isolated runs are run, or the nearest ids, where nothing was selected."""
    if RUN_SPEC not in config.stash:
        return []
    from pytest_mighetero.plugin.selection.order import hints

    return [f"mighetero: {hint}" for hint in hints(config, items)]


def _limit(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.pluginmanager.hasplugin("timeout"):
        return
    chosen = config.getoption("timeout", None) is not None
    if chosen or config.getini("timeout") or os.environ.get("PYTEST_TIMEOUT"):
        return
    for item in items:
        if is_run(item) and item.get_closest_marker("timeout") is None:
            from pytest_mighetero.plan.launch import longest_test

            item.add_marker(pytest.mark.timeout(longest_test(run_spec(config))))
