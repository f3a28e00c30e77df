"""What runs beside main, and what all harnesses are told."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Kind, Option
from pytest_mighetero.spec.options.kinds import NAMES

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
        "background-scope",
        "test (backgrounds of its own for every main) or session (mains with the same "
        "backgrounds run one after another beside one set that is kept up)",
        Kind("SCOPE", "scope"),
        "test",
    ),
    Option(
        "config-ver",
        "--config_ver of every harness",
        Kind("NAME", "config_ver"),
        None,
        in_suite=False,
        unsaid="the suite's",
    ),
    Option("start-from-device", "pass --start_from_device=true to every harness"),
    Option(
        "verbose-all", "pass --verbose --verbose_nvtx to every harness", in_suite=False
    ),
)
