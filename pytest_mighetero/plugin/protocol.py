"""pytest's hooks around one test: each execution a fresh case, reported with its facts.

What a pytest run without runs does not need is imported late.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_mighetero.errors import HarnessError
from pytest_mighetero.plugin.fixtures import CALL_PASSED, CASE, NEXT, STATE
from pytest_mighetero.plugin.outcome import told, unexcuse


def is_run(item: pytest.Item) -> bool:
    """Tell whether *item* measures a Pair, without importing what a Pair is."""
    callspec = getattr(item, "callspec", None)
    main = callspec and callspec.params.get("main")
    return type(main).__module__ == "pytest_mighetero.terms.pair"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Stop and report a run that is interrupted, while there still is a session."""
    item.stash[NEXT] = nextitem
    try:
        return (yield)
    except (KeyboardInterrupt, pytest.exit.Exception) as interrupt:
        if is_run(item):
            from pytest_mighetero.plugin.interrupts import report_interrupted

            report_interrupted(item, str(interrupt) or "Ctrl-C")
        raise
    finally:
        if is_run(item):
            from pytest_mighetero.plugin.execution import forget

            forget(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Refuse misuse, and begin anew: a plugin may have executed the item before."""
    if type(item).__name__ == "TestCaseFunction":
        from pytest_mighetero.plugin.ownership import refuse_method

        yield  # it may be one to skip
        refuse_method(item)
        return None
    if not is_run(item):
        return (yield)
    from pytest_mighetero.plugin.execution import begin

    begin(item)
    with told(item):
        return (yield)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: object) -> None:
    """Note the limit of an item, which is to be that of each execution."""
    if is_run(item):
        from pytest_mighetero.plugin.execution import execution_of

        execution_of(item).limit = settings


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write the record before anybody hears of the phase; carry the facts along."""
    outcome = yield
    unexcuse(outcome, call.excinfo and call.excinfo.value)
    if not is_run(item):
        return outcome
    from pytest_mighetero.plugin.execution import execution_of

    if outcome.when == "call":
        item.stash[CALL_PASSED] = outcome.passed
    execution, case = execution_of(item), item.stash.get(CASE, None)
    execution.made.append(outcome.when)
    outcome.mighetero_began = execution.began  # type: ignore[attr-defined]
    if case is None:
        outcome.mighetero = {}  # type: ignore[attr-defined]
        return outcome
    item.stash[STATE].clear()
    case.phases[outcome.when] = {
        "outcome": outcome.outcome,
        "text": outcome.longreprtext,
        "seconds": outcome.duration,
    }
    try:
        ready = outcome.when == "setup" and outcome.passed
        case.write_record(item.nodeid, main_waits=ready)
    except HarnessError as error:
        if all(phase["outcome"] != "failed" for phase in case.phases.values()):
            outcome.outcome, outcome.longrepr = "failed", str(error)
            vars(outcome).pop("wasxfail", None)
        else:
            outcome.sections.append(("mighetero", str(error)))
    outcome.mighetero = dict(case.facts)  # type: ignore[attr-defined]
    return outcome
