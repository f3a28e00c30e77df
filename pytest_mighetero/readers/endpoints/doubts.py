"""What no files of one whole run of Endpoints say, in sentences. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from pytest_mighetero.readers.document import Document
from pytest_mighetero.readers.endpoints.events import EVENTS_NAME, Events

_NS_PER_MS = 1e6


def of_events(events: Events, summary: Document) -> Iterator[str]:
    """Yield what is wrong with the events, themselves and beside the summary."""
    if events.unreadable:
        yield f"{EVENTS_NAME} has {events.unreadable} lines that are no events."
    if events.sessions > 1:
        yield f"{EVENTS_NAME} holds {events.sessions} sessions."
    if not events.ended:
        yield f"{EVENTS_NAME} has no end of its session."
    issued = summary.number("n_samples_issued")
    if issued is not None and events.ended and issued != events.issued:
        here, there = f"{events.issued} samples issued", f"{issued:.15g}"
        yield f"{EVENTS_NAME} has {here}, {summary.name} has {there}."


def of_summary(summary: Document, ran_with: Mapping[str, object]) -> Iterator[str]:
    """Yield what no summary of a whole run says.

    One that was interrupted calls itself complete, too: it has less than was asked for.
    """
    if not summary.root:
        return
    issued, ended, failed = (
        summary.number(f"n_samples_{each}")
        for each in ("issued", "completed", "failed")
    )
    if issued is None or ended is None or failed is None:
        yield f"{summary.name} does not count samples: is it one of Endpoints?"
    elif not failed <= ended <= issued:
        said = f"{failed:.15g} failed of {ended:.15g} completed of {issued:.15g} issued"
        yield f"{summary.name} says {said} samples."
    if (state := summary.text("state")) != "complete":
        yield f"{summary.name} says that its state is {state}, expected complete."
    elif not summary.flag("complete"):
        yield f"{summary.name} says that its counts of tokens are not complete."
    if not ran_with.get("max_duration_ms"):
        yield from _cut_short(summary, ran_with)


def _cut_short(summary: Document, ran_with: Mapping[str, object]) -> Iterator[str]:
    wanted, least_ms = (
        ran_with.get("n_samples_to_issue"),
        ran_with.get("min_duration_ms"),
    )
    issued, ran_ns = summary.number("n_samples_issued"), summary.number("duration_ns")
    if isinstance(wanted, int):
        if issued is not None and issued < wanted:
            yield f"{issued:.15g} of {wanted} samples were issued: it was interrupted."
    elif isinstance(least_ms, int) and (ran_ns or math.inf) < least_ms * _NS_PER_MS:
        said = f"{(ran_ns or 0) / 1e9:.1f} s of at least {least_ms / 1000:g} s"
        yield f"it ran {said}: it was interrupted."
