"""A Result of what was found where a suite's ``result`` says. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pytest_mighetero.readers.result import LatencyStats, Metric, Result, TokenMetrics
from pytest_mighetero.readers.result_table import COUNTS, ISO, Place, ResultTable
from pytest_mighetero.terms.window import TimedWindow

KEPT = 100  # messages
_SHOWN = 80  # characters of what is no number
_PER_SECOND = {
    "ns": 1e9,
    "us": 1e6,
    "usec": 1e6,
    "\N{MICRO SIGN}s": 1e6,
    "ms": 1e3,
    "msec": 1e3,
    "s": 1.0,
    "sec": 1.0,
    "m": 1 / 60,
    "min": 1 / 60,
    "h": 1 / 3600,
}


@dataclass(frozen=True)
class Found:
    """What was found at a place; *raw* is a number, or a text that is to be one."""

    raw: object
    unit: str | None = None


@dataclass
class Assembly:
    """Makes a Result of what was found, and collects what is wrong with it.

    Attributes:
        found: by the table's keys; what is not there is not in it.
    """

    table: ResultTable[Place]
    reader: str
    found: Mapping[str, Found]
    damage: list[str] = field(default_factory=list)

    def result(
        self, folder: Path, errors: Collection[str] = (), error_count: int = 0
    ) -> Result:
        """Return the result, without a verdict: limits are the suite's."""
        table = self.table
        if "value" not in self.found:
            self.damage.append(f"value: there is none at {table.places['value']}.")
        value = self._value()
        requests, completed, failed = map(self._count, COUNTS)
        if completed is None and None not in (requests, failed):
            completed = max(0, (requests or 0) - (failed or 0))
        window, duration = self._window(), self._number("duration", table.time_unit)
        metric = (table.metric, value, table.unit, table.higher_is_better)
        return Result(
            folder,
            table.tool,
            metric=None if value is None else Metric(*metric),  # type: ignore[arg-type]
            target_qps=self._number("target"),
            percentiles_ms=self._percentiles("latency", table.latency_unit),
            tokens=self._tokens(),
            errors=tuple(errors),
            error_count=error_count,
            query_count=requests,
            completed=completed,
            failed=failed,
            duration_s=None if window else duration,
            windows=(window,) if window else (),
            damage=tuple(self.damage),
        )

    def _value(self) -> float | None:
        """Return the figure, where it is in the unit that the suite says."""
        found = self.found.get("value")
        if found and found.unit is not None and found.unit != self.table.unit:
            expected = f"a figure in {self.table.unit}"
            self.damage.append(f"value: expected {expected}, found {found.unit!r}.")
            return None
        return self._number("value")

    def _tokens(self) -> TokenMetrics | None:
        rate = self._number("tokens_per_second")
        first, each = (
            self._percentiles(key, self.table.token_unit) for key in ("ttft", "tpot")
        )
        if rate is None and not first and not each:
            return None
        spreads = LatencyStats(percentiles_ms=first), LatencyStats(percentiles_ms=each)
        return TokenMetrics(rate, None, *spreads)

    def _percentiles(self, key: str, unit: str) -> dict[float, float]:
        said = [each for each in self.found if each.startswith(f"{key}.")]
        times = {
            float(each.partition(".")[2]): self._number(each, unit, 1e3)
            for each in said
        }
        return {at: ms for at, ms in times.items() if ms is not None}

    def _window(self) -> TimedWindow | None:
        """Return when it was, where two of its begin, end and length are known."""
        begin, end = self._moment("start"), self._moment("end")
        length = None
        if self.table.time_unit != ISO:
            length = self._number("duration", self.table.time_unit)
        if begin is None and end is not None and length is not None:
            begin = end - length
        elif end is None and begin is not None and length is not None:
            end = begin + length
        if begin is None or end is None:
            return None
        if end < begin:
            self.damage.append(f"its end is {begin - end:.3f} s before its start.")
            return None
        return TimedWindow(begin, end, self.reader)

    def _moment(self, key: str) -> float | None:
        if self.table.time_unit != ISO or key not in self.found:
            return self._number(key, self.table.time_unit)
        raw = self.found[key].raw
        try:
            at = datetime.fromisoformat(_for_python_3_10(str(raw)))
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            expected = "a time with its zone such as 2026-01-31T12:00:00.5+00:00"
            self.damage.append(f"{key}: expected {expected}, found {raw!r}.")
            return None
        return at.timestamp()

    def _count(self, key: str) -> int | None:
        number = self._number(key)
        return None if number is None else round(number)

    def _number(self, key: str, unit: str = "", each_s: float = 1.0) -> float | None:
        """Return a figure; None where there is none.

        One with a *unit* is a time, of which each second counts *each_s*.
        """
        if (found := self.found.get(key)) is None:
            return None
        per_s = _PER_SECOND.get(found.unit or unit, math.nan) if unit else each_s
        try:
            number = float(found.raw)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        figure = number * each_s / per_s
        if math.isfinite(figure) and figure >= 0 and not isinstance(found.raw, bool):
            return figure
        raw = f"{str(found.raw)[:_SHOWN]!r} {found.unit or ''}".rstrip()
        said = f"{key}: expected a number, found {raw}."
        if said not in self.damage:
            self.damage.append(said)
        return None


def _for_python_3_10(time: str) -> str:
    """Return an ISO time with its zone in digits, and six of a fraction."""
    zoned = re.sub(r"[Zz]\Z", "+00:00", time)
    return re.sub(r"\.(\d{1,9})", lambda found: f".{found[1]:0<6.6}", zoned, count=1)
