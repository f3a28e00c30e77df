"""Reads what fio writes with ``--output-format=json --output={log_dir}/fio.json``.

Its figure is I/O operations per second: every kind of job has them, and with one block
size they say what bandwidth does. With ``--status-interval=1`` the file gets a document
each second, the last of which counts, and the first of which shows that fio issues
(fio 3.33).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.reader import Reader
from pytest_mighetero.readers.result import LatencyStats, Metric, Result
from pytest_mighetero.readers.scan import Scan, read_end, scan
from pytest_mighetero.terms.window import TimedWindow

FILE_NAME = "fio.json"
_SIGN = Sign(FILE_NAME, re.compile(rb'"total_ios" : [1-9]'), "total_ios")
_TROUBLE = re.compile(r"fio: .*(?:terminating|\berr(?:or)?\b)")
_KINDS = ("read", "write", "trim")
_KEPT = 100  # messages
_MIB = 16  # read of a file with a document each second
_MS = 1e6  # ns

Values = Mapping[str, Any]


class _Fio(Reader):
    name = "fio"
    tool = "fio"
    names = (FILE_NAME,)
    sign = _SIGN
    judges = False

    def read(self, folder: Path) -> Result:
        try:
            found = scan(read_end(folder / FILE_NAME, _MIB))
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(f"No {FILE_NAME} in {folder}.") from None
        except OSError as error:
            why = f"{FILE_NAME} cannot be read: {error.strerror}."
            return Result(folder, self.tool, damage=(why,))
        try:
            return _result(folder, found)
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
            why = f"{FILE_NAME} holds no document of fio's."
            return Result(folder, self.tool, damage=(why,))


READER = _Fio()


def _result(folder: Path, found: Scan) -> Result:
    """Return what the last document says."""
    errors = [line.strip() for line in found.others if _TROUBLE.search(line)]
    if found.count == 0:
        why = f"{FILE_NAME} holds no whole document."
        return _failed(folder, errors, why)
    document: Any = found.last
    jobs: list[Values] = document["jobs"]
    errors += [
        f"job {j['jobname']}: error {j['error']}, {os.strerror(j['error'])}"
        for j in jobs
        if _bad(j)
    ]
    failed = sum(map(_bad, jobs))
    done = [each for job in jobs for each in _directions(job)]
    total = sum(each["total_ios"] for each in done)
    ms = max((each["runtime"] for each in done), default=0)
    end = document["timestamp_ms"] / 1000
    begin = end - ms / 1000
    if not all(map(math.isfinite, (total, ms, end))):
        raise ValueError("a figure is no number")
    # Only between status documents is there time left.
    going = found.count > 1 and any(job["eta"] for job in jobs)
    damage = _damage(found, jobs, ms, going=going)
    whole = ms > 0 and not damage
    rate = Metric("I/O operations per second", total * 1000 / (ms or 1), "IOPS", True)
    times = _latency([_times(each) for each in done if each["total_ios"]])
    return Result(
        folder,
        READER.tool,
        version=str(document["fio version"]).removeprefix("fio-"),
        metric=rate if whole and not going else None,
        min_latency_ms=times.min_ms,
        mean_latency_ms=times.mean_ms,
        max_latency_ms=times.max_ms,
        percentiles_ms=times.percentiles_ms,
        errors=tuple(errors[:_KEPT]),
        error_count=max(len(errors), failed),
        query_count=total,
        completed=max(0, total - failed),
        failed=failed,
        windows=(TimedWindow(begin, end, "fio"),) if whole and not going else (),
        issuing_since=begin if ms > 0 and going else None,
        damage=damage,
    )


def _failed(folder: Path, errors: list[str], why: str) -> Result:
    told = tuple(errors[:_KEPT])
    return Result(
        folder, READER.tool, errors=told, error_count=len(errors), damage=(why,)
    )


def _damage(
    found: Scan, jobs: list[Values], ms: int, *, going: bool
) -> tuple[str, ...]:
    said = []
    if found.broken:
        said.append(f"{FILE_NAME} ends within a document.")
    if groups := len({job["groupid"] for job in jobs}) - 1:
        said.append(
            f"{FILE_NAME} has {groups + 1} groups of jobs (stonewall, new_group), "
            f"one after another or not: no figure is of them all."
        )
    if not ms and not going:
        said.append(f"{FILE_NAME} has no I/O that took 1 ms: nothing was measured.")
    return tuple(said)


def _bad(job: Values) -> int:
    """Return how many of a job's operations failed; it stops at one by default."""
    return int(job.get("total_err", 0)) or int(job["error"] != 0)


def _directions(job: Values) -> list[Values]:
    """Return what a job did: by kind, or with ``unified_rw_reporting`` all together."""
    return [job[k] for k in (("mixed",) if "mixed" in job else _KINDS) if k in job]


def _times(direction: Values) -> Values:
    """Return the completion latencies; with ``lat_percentiles`` the total ones."""
    total = direction.get("lat_ns", {})
    return total if "percentile" in total else direction["clat_ns"]  # type: ignore[no-any-return]


def _latency(times: list[Values]) -> LatencyStats:
    """Return the latencies of all.

    Of several distributions no percentile is known: it is at most the largest one's.
    """
    count = sum(each["N"] for each in times)
    if not count:
        return LatencyStats()
    said = [each.get("percentile", {}) for each in times]
    percentiles = {
        float(percent): max(each[percent] for each in said) / _MS
        for percent in said[0]
        if all(percent in each for each in said)
    }
    mean = sum(each["mean"] * each["N"] for each in times) / count
    stats = LatencyStats(
        min(each["min"] for each in times) / _MS,
        mean / _MS,
        max(each["max"] for each in times) / _MS,
        percentiles,
    )
    if not all(map(math.isfinite, (mean, *percentiles.values()))):
        raise ValueError("a latency is no number")
    return stats
