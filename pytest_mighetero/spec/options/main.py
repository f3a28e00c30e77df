"""What is measured: main, alone and beside others, and how often."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Kind, Option
from pytest_mighetero.spec.options.kinds import NAMES, TIMES

MAIN = (
    Option(
        "main-benchmark",
        "measure only these benchmarks (comma list)",
        NAMES,
        None,
        unsaid="all of the suite's",
    ),
    Option(
        "main-scenario",
        "measure them in these scenarios (comma list, or all)",
        NAMES,
        "offline,server",
    ),
    Option(
        "main-action",
        "make target of main: run_harness, run_audit_test01, _test04, _test05..., as "
        "far as the suite's harness has it",
        Kind("TARGET"),
        "run_harness",
    ),
    Option(
        "main-benchmark-runargs",
        "further RUN_ARGS for main, for example --server_target_qps=100",
        Kind("ARGS", "run_args"),
        "",
        alias="main-benchmark-args",  # so NVIDIA's heterogeneous_mig.md, v1.0
        fills="main_runargs",
        unsaid="none",
    ),
    Option(
        "main-benchmark-cmd-prefix",
        "words put in front of main's make, for example a profiler's command",
        Kind("WORDS", "words"),
        "",
        fills="main_cmd_prefix",
        unsaid="none",
    ),
    Option(
        "mig-isolated",
        "run the tests that are marked isolated, too, before the others: main with "
        "nothing beside it",
        in_suite=False,
    ),
    Option("mig-repeat", "run every test N times, for medians and spreads", TIMES, "1"),
    Option(
        "mig-interference",
        "measure every selected pair (all), or those of these benchmarks or pairs, "
        "alone and beside each of their benchmarks: the interference matrix",
        NAMES,
        "",
        in_suite=False,
        bare="all",
        gate=True,
        unsaid="no matrix",
    ),
    Option(
        "mig-aggressor-count",
        "beside so many of its aggressors",
        TIMES,
        None,
        in_suite=False,
        unsaid="as many as the GPU has other devices",
    ),
    Option(
        "mig-resume",
        "do not run again what the matrix has a good record of, of the same set-up "
        "and a day old at most",
        in_suite=False,
    ),
)
