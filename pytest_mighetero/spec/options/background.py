"""What runs beside main, how long, and what all harnesses are told."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Kind, Option
from pytest_mighetero.spec.options.kinds import NAMES, SPAN, TIME

BACKGROUND = (
    Option(
        "background-benchmarks",
        "what loads the other instances: a group of the suite (server, edge), all, "
        "none, or a comma list",
        NAMES,
        "all",
    ),
    Option(
        "background-scenario",
        "scenario of the backgrounds",
        Kind("NAME", "scenario"),
        "offline",
    ),
    Option(
        "background-benchmark-duration",
        "planned or calculated (long enough for main), automatic (until main is done, "
        "then stopped), or a time",
        Kind("TIME", "background_duration"),
        "planned",
        fills="background_duration",
    ),
    Option(
        "background-scope",
        "test (backgrounds of its own for every main) or session (mains with the same "
        "backgrounds run one after another beside one set that is kept up)",
        Kind("SCOPE", "scope"),
        "test",
    ),
    Option(
        "background-benchmark-timeout",
        "longest a background may run, whatever its duration says",
        SPAN,
        "2h",
        fills="background_timeout",
    ),
    Option(
        "start-time-buffer",
        "deadline, from their launch, by which every background must be issuing",
        SPAN,
        "600s",
    ),
    Option(
        "settle-time",
        "wait between the last background's start and main's launch",
        TIME,
        "10s",
    ),
    Option(
        "end-time-buffer-min",
        "the least time by which every background must outlast main",
        TIME,
        "30s",
    ),
    Option("start-from-device", "pass --start_from_device=true to every harness"),
    Option(
        "config-ver",
        "--config_ver of every harness (the suite's)",
        Kind("NAME", "config_ver"),
        None,
        in_suite=False,
    ),
    Option(
        "verbose-all", "pass --verbose --verbose_nvtx to every harness", in_suite=False
    ),
    Option(
        "mig-stop-grace",
        "time from SIGTERM to SIGKILL when a harness is stopped, for it to give GPU "
        "memory back",
        TIME,
        "10s",
    ),
)
