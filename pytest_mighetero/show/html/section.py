"""What the page says of one run: figures, failure, pictures, last lines, facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pytest_mighetero.records.facts import Facts
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.show.html.entry import Entry, failures
from pytest_mighetero.show.page import page
from pytest_mighetero.show.pictures.timeline import timeline
from pytest_mighetero.units import shortened

Detail = Literal["whole", "plain", "short"]
WHOLE: Detail = "whole"
PLAIN: Detail = "plain"  # without telemetry and facts
SHORT: Detail = "short"  # without a timeline and last lines, too
SHORTEST = 1_500  # bytes of the page, for a run of which it says no more
# Letters of a text of a run; what else there is stands in its folder.
_MOST, _MOST_SHORT = 20_000, 600
# The parts of a name with commas have their places: of one that is not known a dash.
_FIGURES: Mapping[str, tuple[str, ...]] = {
    "figure": ("value", "unit", "validity", "damage"),
    "target QPS": ("target_qps",),
    "p99 ms, limit ms": ("p99_ms", "latency_limit_ms"),
    "p99 TTFT ms, limit ms": ("ttft_p99_ms", "ttft_limit_ms"),
    "p99 TPOT ms, limit ms": ("tpot_p99_ms", "tpot_limit_ms"),
    "seconds": ("seconds",),
    "reference": ("reference",),
    "earlier runs": ("compared",),
    "what neighbours cost": ("interference", "interference_significant"),
    "beside": ("backgrounds", "backgrounds_left_out"),
    "backgrounds came to": ("background_values",),
    "backgrounds came to before": ("background_history",),
    "overlap held, margins s": ("overlap_ok", "start_margin_s", "end_margin_s"),
    "clocks held down by": ("throttled_by",),
}


@dataclass(frozen=True)
class Section:
    """A run on the page.

    Attributes:
        figures: texts by what they are.
        failures: what went wrong, by phase.
        picture: its timeline, in SVG.
        last_lines: what harnesses printed last, by role.
        facts: all else that is known.
        folder: where the rest of it is; empty for a test without a record.
        detail: what is left out.
    """

    entry: Entry
    figures: Mapping[str, str] = field(default_factory=dict)
    failures: Sequence[tuple[str, str]] = ()
    picture: str = ""
    last_lines: Mapping[str, str] = field(default_factory=dict)
    facts: str = ""
    folder: str = ""
    detail: Detail = WHOLE

    @property
    def size(self) -> int:
        """About how many bytes of the page it is."""
        texts = [self.picture, self.facts, *self.last_lines.values()]
        texts += [text for _, text in self.failures]
        return SHORTEST + sum(map(len, texts))


def section(entry: Entry, said: Record | RecordError, detail: Detail) -> Section:
    """Return what the page says of a run, in so much *detail*."""
    most = _MOST_SHORT if detail == SHORT else _MOST
    if isinstance(said, RecordError):
        failed = [("record", shortened(str(said), most))]
        return Section(entry, failures=failed, detail=detail)
    told = [(when, shortened(text, most)) for when, text in failures(said)]
    known = entry, dict(_figures(said.facts)), told
    folder = "" if entry.path is None else str(said.folder)
    if detail == SHORT or not folder:
        return Section(*known, folder=folder, detail=detail)
    picture = timeline(said if detail == WHOLE else _without_samples(said))
    return Section(
        *known,
        picture=picture.svg(alone=False),
        last_lines=_last_lines(said) if entry.red else {},
        facts=_page(said) if detail == WHOLE else "",
        folder=folder,
        detail=detail,
    )


def _page(record: Record) -> str:
    try:
        return shortened(page(record), _MOST)
    except RecursionError:
        return "The record is nested too deeply."


def _without_samples(record: Record) -> Record:
    """Return *record* without the telemetry, which is most of a timeline."""
    course = record.data.get("course")
    if not isinstance(course, Mapping):
        return record
    rest = {name: each for name, each in course.items() if name != "samples"}
    return replace(record, data={**record.data, "course": rest})


def _last_lines(record: Record) -> dict[str, str]:
    return {
        role: shortened("\n".join(lines), _MOST)
        for role, lines in record.last_lines.items()
    }


def _figures(facts: Facts) -> Iterator[tuple[str, str]]:
    for name, parts in _FIGURES.items():
        known = [facts.get(part) or "" for part in parts]
        if any(known):
            kept = [each or "-" for each in known] if "," in name else known
            joint = " " if name == "figure" else ", "
            yield name, shortened(joint.join(filter(None, kept)), _MOST_SHORT)
