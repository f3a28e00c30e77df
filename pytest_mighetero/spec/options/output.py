"""What is printed and written."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Option
from pytest_mighetero.spec.options.kinds import FILE, FOLDER, TIME

OUTPUT = (
    Option("dryrun", "print the run as a script, start nothing", in_suite=False),
    Option(
        "results-dir",
        "where harness outputs, LoadGen logs and records go",
        FOLDER,
        "results",
    ),
    Option(
        "mig-report",
        "write one HTML page of the session's runs: table, heat map, timelines, what "
        "went wrong",
        FILE,
        None,
        in_suite=False,
        gate=True,
        unsaid="no page",
    ),
    Option(
        "mig-heartbeat",
        "how often to say what a run is doing where no terminal shows it, at most, so "
        "that CI systems do not take a long run for a hung one; 0 for never",
        TIME,
        "60s",
        in_suite=False,
    ),
)
