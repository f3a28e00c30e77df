"""The measurements: which scenarios, how often, and what is said of them."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from figures import Figure

OURS, SCRIPT, READLINE, EXPECT = "ours", "readline", "readline, no sleep", "expect"
BARE = "bare pty"
LINES = (5, 200, 5000)
SLEEP_S = 0.5  # per line, in the script
_SCENARIOS = str(Path(__file__).with_name("scenarios.py"))
STEPS = {
    "seen_ms": "first query -> seen",
    "ready_ms": "-> all ready, and known",
    "released_ms": "-> main released",
    "main runs_ms": "-> main's first act",
}


class Bench:
    """Runs scenarios, each in a process of its own.

    Args:
        program: the children's.
        quick: whether to measure less.
    """

    def __init__(self, program: Path, *, quick: bool):
        self.quick, self._program = quick, str(program)

    def run(self, scenario: str, **arguments: Any) -> dict[str, Any]:
        """Run a scenario and return its figures."""
        if scenario not in {"startup", "plugin"}:
            arguments["program"] = self._program
        words = [sys.executable, _SCENARIOS, scenario, json.dumps(arguments)]
        pipe, limit_s = subprocess.PIPE, 200
        try:
            done = subprocess.run(words, stdout=pipe, check=True, timeout=limit_s)
        except subprocess.SubprocessError as error:
            raise SystemExit(f"{scenario} failed: {arguments}") from error
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures


def measure_lag(bench: Bench) -> list[Figure]:
    """1: from the last background's first query to main's first act."""
    figures = []
    for lines in LINES:
        for count in (7,) if bench.quick else (3, 5, 7):
            for way in (OURS, READLINE, EXPECT):
                rounds = 1 if bench.quick else 7
                figures.append(_lag(bench, way, count, lines, rounds))
            if count == 7 and lines == LINES[0]:
                figures.append(_lag(bench, SCRIPT, count, lines, 1))
    return figures


def _lag(bench: Bench, way: str, count: int, lines: int, rounds: int) -> Figure:
    raw = bench.run("lag", way=way, count=count, lines=lines, rounds=rounds)
    worst, total = max(raw["lag_ms"]), statistics.median(raw["total_s"])
    note = f"worst of {rounds}: {worst:.0f} ms; since first launch {total:.2f} s"
    value = statistics.median(raw["lag_ms"])
    case = f"{lines} lines, {count} backgrounds"
    return Figure("lag", case, way, value, "ms", note, raw=raw)


def measure_run(bench: Bench) -> list[Figure]:
    """1c: the same in a run of pytest, with real make."""
    rounds = 1 if bench.quick else 15
    raw = bench.run("run", count=7, rounds=rounds)
    rows = {"-> main's exec": "exec_ms", "-> its first act, after make": "lag_ms"}
    return [
        Figure(
            "run",
            "7 backgrounds",
            way,
            statistics.median(raw[key]),
            "ms",
            f"worst of {rounds}: {max(raw[key]):.1f} ms",
            raw=raw,
        )
        for way, key in rows.items()
    ]


def _computed_lag(lines: int) -> Figure:
    note = f"computed, not measured: {SLEEP_S} s x lines"
    case = f"{lines} lines, 7 backgrounds"
    value = 1e3 * SLEEP_S * lines
    return Figure("lag", case, SCRIPT, value, "ms", note, measured=False)


def lag_steps(lags: Sequence[Figure]) -> list[Figure]:
    """1b: where the time goes from first query to main."""
    seven = [each for each in lags if "7 backgr" in each.case and each.measured]
    return [
        Figure(
            "lag steps",
            f"{each.way}, {each.case.partition(',')[0]}",
            text,
            statistics.median(each.raw[key]),
            "ms",
        )
        for each in seven
        for key, text in STEPS.items()
    ]


def measure_throughput(bench: Bench) -> list[Figure]:
    """2: how fast children get rid of what they print, and what it costs them."""
    mb, figures = (1 if bench.quick else 30), []
    for count in (1, 7):
        rounds = {BARE: 3, OURS: 3, READLINE: 3, EXPECT: 1}
        if bench.quick:
            rounds = dict.fromkeys(rounds, 1)
        raw: dict[str, list[dict[str, float]]] = {way: [] for way in rounds}
        for number in range(max(rounds.values())):
            for way in [way for way in rounds if number < rounds[way]]:
                result = bench.run("throughput", way=way, count=count, mb=mb)
                raw[way].append(result)
        case = f"{count} x {mb} MB at once"
        figures += _rates(case, raw)
    return figures


def _rates(case: str, raw: dict[str, list[dict[str, float]]]) -> list[Figure]:
    def median(way: str, name: str) -> float:
        return statistics.median(each[name] for each in raw[way])

    figures = []
    for way in (OURS, READLINE, EXPECT, BARE):
        child_s = median(way, "child_s")
        slower = child_s / median(BARE, "child_s")
        note = f"a child took {child_s:.2f} s: {slower:.2f} x the bare pty's"
        extra = {"rounds": raw[way], "child_slowdown": slower}
        value = median(way, "mb_per_s")
        figures.append(Figure("throughput", case, way, value, "MB/s", note, raw=extra))
    return figures


def measure_idle(bench: Bench) -> tuple[list[Figure], list[Figure]]:
    """3: CPU beside quiet and slow children. Also the lag that takes 100 s.

    Everybody sleeps nearly all the time, so the ways run side by side.
    """
    seconds, figures, lags = (1 if bench.quick else 20), [], [_computed_lag(5000)]
    with ThreadPoolExecutor() as pool:
        slow = None
        if not bench.quick:
            slow = pool.submit(_lag, bench, SCRIPT, 7, LINES[1], 1)
        for case, tick_s in (("7 children, quiet", 0), ("7 children, 1 line/s", 1)):
            how = {"count": 7, "tick_s": tick_s, "seconds": seconds}
            ways = (OURS, READLINE, EXPECT)
            jobs = [pool.submit(bench.run, "cpu", way=way, **how) for way in ways]
            for way, job in zip(ways, jobs, strict=True):
                raw = job.result()
                note = f"guards: {raw['helpers_percent']:.3f} %" if way == OURS else ""
                value = raw["cpu_percent"]
                figures.append(Figure("cpu", case, way, value, "%", note, raw=raw))
        lags.append(slow.result() if slow else _computed_lag(LINES[1]))
    return figures, lags


def measure_memory(bench: Bench) -> list[Figure]:
    """4: peak memory against what is printed before the marker."""
    return [
        _memory(bench, way, mb)
        for mb in ((1, 5) if bench.quick else (1, 10, 50, 200))
        for way in (OURS, READLINE, EXPECT)
    ]


def _memory(bench: Bench, way: str, mb: int) -> Figure:
    raw = bench.run("memory", way=way, mb=mb)
    note = f"peak {raw['peak_mb']:.1f} MB"
    value = raw["growth_mb"]
    return Figure("memory", f"{mb} MB printed", way, value, "MB", note, raw=raw)


def measure_startup(bench: Bench) -> list[Figure]:
    """5: what a launch costs, and what loading the plugin does."""
    launches = bench.run("startup", rounds=3 if bench.quick else 25)
    case = "true: launch to exit"
    figures = [
        Figure("startup", case, way, statistics.median(ms), "ms", raw={"rounds": ms})
        for way, ms in launches.items()
    ]
    rounds, forks = (1, 5) if bench.quick else (10, 80)
    raw = bench.run("plugin", rounds=rounds, forks=forks)
    return figures + _plugin_figures(raw)


def _plugin_figures(raw: dict[str, Any]) -> list[Figure]:
    median = statistics.median
    forks = f"with {median(raw['with']):.1f} ms, without {median(raw['without']):.1f}"
    heavy = f"heavy modules it brings: {', '.join(raw['imported']) or 'none'}"
    added = median(raw["with"]) - median(raw["without"])
    rows = {
        "pytest without it": (median(raw["whole"]["without"]), ""),
        "pytest with it": (median(raw["whole"]["with"]), ""),
        "added to a forked run": (added, forks),
        "its import alone": (median(raw["import"]), heavy),
    }
    return [
        Figure("startup", "unused plugin", way, value, "ms", note, raw=raw)
        for way, (value, note) in rows.items()
    ]
