"""What is measured. Each function runs in a process of its own and returns figures."""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pexpect
from bare_pty import BarePty
from children import LINE_BYTES, Child
from readers import ChildFailedError, Reader, reader

from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump

_SETTLE_S = 1.0
_FAILED, _NO_TESTS = 1, 5  # pytest's exit codes
_PLUGIN_LOAD = str(Path(__file__).with_name("plugin_load.py"))


@contextmanager
def _children(program: str, count: int, **how: Any) -> Iterator[list[Child]]:
    with tempfile.TemporaryDirectory() as folder:
        parents = [Path(folder, str(number)) for number in range(count)]
        for parent in parents:
            parent.mkdir()
        yield [Child(Path(program), parent, **how) for parent in parents]


def lag(program: str, way: str, count: int, lines: int, rounds: int) -> dict[str, Any]:
    """From the last of *count* backgrounds' first query to main's first act, in ms."""
    every = [_lag_once(program, way, count, lines) for _ in range(rounds)]
    return {name: [each[name] for each in every] for name in every[0]}


def _lag_once(program: str, way: str, count: int, lines: int) -> dict[str, float]:
    with _children(program, count + 1, lines=lines) as (first, *backgrounds):
        main = replace(first, lines=0, live_s=0)
        here = reader(way)
        begin = time.monotonic()
        here.start(backgrounds, main)
        here.run_main(main)
        here.stop()
        if way == "ours":
            _check_logs([main, *backgrounds])
        issued = max(child.note()[1] for child in backgrounds)
        began = main.note()[0]
        names = ("seen", "ready", "released")
        stops = [issued, *(here.moments[name] for name in names), began]
        steps = zip([*names, "main runs"], stops, stops[1:], strict=False)
        return {
            "lag_ms": 1e3 * (began - issued),
            "exec_ms": 1e3 * (here.moments["released"] - issued),
            "total_s": began - begin,
            **{f"{name}_ms": 1e3 * (after - before) for name, before, after in steps},
        }


_HARNESS = """\
LIVE_S := $(if $(findstring --benchmarks=main,$(RUN_ARGS)),0.1,3600)

run_harness:
\t@exec {program} $(LOG_DIR)/note 5 $(LOG_DIR) 0 $(LIVE_S)
"""
_SUITE = """\
devices = "nvml"

[harness]
folder = "."
config_ver = "none"
actions = ["run_harness"]
start_markers = ["Starting running actual test"]
finish_markers = ["Finished running actual test"]
audit_folder = "."
make_variables = {{ LOG_DIR = "{{log_dir}}" }}

[defaults]
background-benchmark-duration = "automatic"
settle-time = "0"
end-time-buffer-min = "0"

[benchmarks]
"""
_TEST = "def test_heterogeneous(background, main):\n    main.run()\n"


def run(program: str, count: int, rounds: int) -> dict[str, Any]:
    """In a run of pytest: from the last first query to main's exec, and its first act.

    A real make starts every child; main leaves no result, which the test says and
    nobody minds here.
    """
    with tempfile.TemporaryDirectory() as cache:
        _run_once(program, count, cache)  # compiles what it imports
        every = [_run_once(program, count, cache) for _ in range(rounds)]
    return {name: [each[name] for each in every] for name in every[0]}


def _run_once(program: str, count: int, cache: str) -> dict[str, float]:
    devices = [f"MIG-00000000-0000-0000-0000-{n:012}" for n in range(count + 1)]
    benchmarks = ["main", *(f"background-{number}" for number in range(count))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Makefile").write_text(_HARNESS.format(program=program))
        lines = [f'{each} = {{ scenarios = ["offline"] }}\n' for each in benchmarks]
        (folder / "bench.toml").write_text(_SUITE.format() + "".join(lines))
        (folder / "test_run.py").write_text(_TEST)
        words = [
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--mig-suite=bench.toml",
        ]
        words += ["--mig-lease-dir=leases", f"--mig-devices={','.join(devices)}"]
        said = _fresh(cache, name, *words, "-k", "main_offline")
        notes = {path.parts[-3]: path for path in folder.glob("results/*/*/logs/note")}
        if len(notes) != count + 1:
            raise ChildFailedError(said)
        (record,) = folder.glob("results/*/record.json")
        main = json.loads(record.read_text())["harnesses"][0]
        times = {role: path.read_text().split() for role, path in notes.items()}
        began = float(times.pop("main")[0])
        issued = max(float(issued) for _, issued in times.values())
        released = main["launched"] - time.time() + time.monotonic()
        return {"exec_ms": 1e3 * (released - issued), "lag_ms": 1e3 * (began - issued)}


def throughput(program: str, way: str, count: int, mb: int) -> dict[str, float]:
    """How fast *count* children get rid of *mb* MB each."""
    lines = mb * 1_000_000 // LINE_BYTES
    here = BarePty() if way == "bare pty" else reader(way)
    with _children(program, count, lines=lines) as children:
        here.start(children)
        began = min(child.note()[0] for child in children)
        seconds = here.moments["ready"] - began
        here.stop()
        if way == "ours":
            _check_logs(children)
        child_s = statistics.mean(child.seconds for child in children)
        return {"mb_per_s": count * mb / seconds, "child_s": child_s}


def _check_logs(children: Sequence[Child]) -> None:
    for child in children:
        size = (child.folder / "output.log").stat().st_size
        if size != child.printed:
            raise ChildFailedError(
                f"bytes were lost: {child.printed} printed, {size} in the log"
            )


def cpu(
    program: str, way: str, count: int, tick_s: float, seconds: float
) -> dict[str, float]:
    """What a core has to do, in percent, while *count* children and a main run."""
    with _children(program, count + 1, tick_s=tick_s) as (first, *backgrounds):
        main = replace(first, live_s=_SETTLE_S + seconds + 1.0)
        here = reader(way)
        here.start(backgrounds, main)
        figures: dict[str, float] = {}
        sampler = threading.Thread(target=_sample, args=(here, seconds, figures))
        sampler.start()
        here.run_main(main)
        sampler.join()
        here.stop()
        return figures


def _sample(here: Reader, seconds: float, figures: dict[str, float]) -> None:
    """Take the CPU time at two moments; asleep between them."""
    time.sleep(_SETTLE_S)
    begin, own, helpers = time.monotonic(), _used_s(), _cpu_s_of(here.helpers())
    time.sleep(seconds)
    percent = 100 / (time.monotonic() - begin)
    figures["own_percent"] = percent * (_used_s() - own)
    figures["helpers_percent"] = percent * (_cpu_s_of(here.helpers()) - helpers)
    figures["cpu_percent"] = figures["own_percent"] + figures["helpers_percent"]


def _used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _cpu_s_of(pids: Sequence[int]) -> float:
    """Sum up /proc's nanoseconds: no clock tick of 10 ms hides a sleeper's work."""
    texts = [Path(f"/proc/{pid}/schedstat").read_text() for pid in pids]
    return sum(int(text.split()[0]) for text in texts) / 1e9


def memory(program: str, way: str, mb: int) -> dict[str, float]:
    """By how much the reader's peak grows while a child prints *mb* MB, in MB."""
    here = reader(way)
    with _children(program, 1, lines=mb * 1_000_000 // LINE_BYTES) as children:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
        before = _status_mb("VmRSS")
        here.start(children)
        peak = _status_mb("VmHWM")
        here.stop()
        if way == "ours":
            _check_logs(children)
    return {"growth_mb": peak - before, "peak_mb": peak}


def _status_mb(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ChildFailedError(f"/proc/self/status has no {field}")


def startup(rounds: int) -> dict[str, list[float]]:
    """How long ``true`` takes from launch to exit, in ms, by turns."""
    true = shutil.which("true") or "true"
    every: dict[str, list[float]] = {"ours": [], "Popen": [], "expect": []}
    kept: list[pexpect.spawn[Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        pump = Pump()
        for _ in range(rounds):
            every["ours"].append(_ms(lambda: _guarded(pump, true, Path(folder))))
            every["Popen"].append(_ms(lambda: subprocess.run([true], check=True)))
            every["expect"].append(_ms(lambda: _expected(true, kept)))
        pump.close()
    return every


def _expected(program: str, kept: list[pexpect.spawn[Any]]) -> None:
    kept.append(pexpect.spawn(program))  # to close it takes 0.1 s, later
    kept[-1].wait()


def _guarded(pump: Pump, program: str, folder: Path) -> None:
    command, markers = Command((program,), folder, {}), Markers(["start"], ["end"])
    harness = HarnessProcess("true", command, folder / "log", markers, 1.0)
    pump.launch(harness)
    pump.wait_for(lambda: not harness.running)
    if harness.exit_code:
        raise ChildFailedError(f"true exited with code {harness.exit_code}")


def _ms(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return 1e3 * (time.perf_counter() - begin)


def plugin(rounds: int, forks: int) -> dict[str, Any]:
    """What the plugin costs a pytest run that has nothing to do with it, in ms."""
    from plugin_load import QUIET, WITHOUT

    whole: dict[str, list[float]] = {"with": [], "without": []}
    options = {"with": (), "without": WITHOUT}
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as empty:
        load = _fresh(cache, empty, _PLUGIN_LOAD, str(forks))
        forked: dict[str, Any] = json.loads(load)
        for _ in range(rounds):
            for way, extra in options.items():
                words = ("-m", "pytest", *QUIET, *extra)
                run = partial(_fresh, cache, empty, *words)
                whole[way].append(_ms(run))
    return {"whole": whole, **forked}


def _fresh(cache: str, folder: str, *arguments: str) -> str:
    """Run Python with a *cache* of compiled modules, as an installation has one."""
    left_out = ("PYTEST_", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, "PYTHONPYCACHEPREFIX": cache},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, _FAILED, _NO_TESTS):
        raise ChildFailedError(done.stdout + done.stderr)
    return done.stdout


SCENARIOS: dict[str, Callable[..., dict[str, Any]]] = {
    each.__name__: each for each in (lag, run, throughput, cpu, memory, startup, plugin)
}


if __name__ == "__main__":
    name, arguments = sys.argv[1:]
    print(json.dumps(SCENARIOS[name](**json.loads(arguments))))
