"""How long everything takes, and what waits for what."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Kind, Option
from pytest_mighetero.spec.options.kinds import COUNT, SPAN, TIME

LENGTH = (
    Option(
        "main-benchmark-duration",
        "min_duration of main; a bare number is milliseconds, 90s 10min 2h work",
        SPAN,
        "600s",
        fills="main_duration",
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
        "background-benchmark-timeout",
        "longest a background may run, whatever its duration says",
        SPAN,
        "2h",
        fills="background_timeout",
    ),
    Option(
        "main-benchmark-immediate-start",
        "start main as soon as the backgrounds are ready and settled",
        default=True,
        no_help="wait out --start-time-buffer before main, as the v1.0 script did",
        fills="immediate_start",
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
    Option(
        "overlap-retries",
        "when a background ends while main runs, learn main's length and repeat the "
        "run with a duration that fits, up to N times",
        COUNT,
        "0",
    ),
    Option(
        "mig-stop-grace",
        "time from SIGTERM to SIGKILL when a harness is stopped, for it to give GPU "
        "memory back",
        TIME,
        "10s",
    ),
)
