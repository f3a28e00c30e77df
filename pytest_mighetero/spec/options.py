"""The options, once: command line, ini file and suite defaults all read this table."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Kind, Option

TIME = Kind("TIME", "parse_duration")
SPAN = Kind("TIME", "positive_duration")
COUNT = Kind("N", "count")
TIMES = Kind("N", "times")
PERCENT = Kind("PERCENT", "percent")
NAMES = Kind("NAMES")
FOLDER = Kind("DIR")
FILE = Kind("FILE")

OPTIONS = (
    Option(
        "main-benchmark",
        "measure only these benchmarks (comma list; all of the suite's)",
        NAMES,
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
        "main-benchmark-duration",
        "min_duration of main; a bare number is milliseconds, 90s 10min 2h work",
        SPAN,
        "600s",
        fills="main_duration",
    ),
    Option(
        "main-benchmark-runargs",
        "further RUN_ARGS for main, for example --server_target_qps=100",
        Kind("ARGS", "run_args"),
        "",
        alias="main-benchmark-args",  # so NVIDIA's heterogeneous_mig.md, v1.0
        fills="main_runargs",
    ),
    Option(
        "main-benchmark-cmd-prefix",
        "words put in front of main's make, for example a profiler's command",
        Kind("WORDS", "words"),
        "",
        fills="main_cmd_prefix",
    ),
    Option(
        "main-benchmark-immediate-start",
        "start main as soon as the backgrounds are ready and settled (the default)",
        default=True,
        no_help="wait out --start-time-buffer before main, as the v1.0 script did",
        fills="immediate_start",
    ),
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
        "lenient", "a failed overlap is a warning; a bad main, and a crash, still fail"
    ),
    Option(
        "overlap-retries",
        "when a background ends while main runs, learn main's length and repeat the "
        "run with a duration that fits, up to N times",
        COUNT,
        "0",
    ),
    Option(
        "target-qps-backoff",
        "when main is INVALID for latency (Server) or length (Offline), run it again "
        "with its target changed by this much, 7% for example",
        PERCENT,
        None,
        fills="target_backoff",
    ),
    Option(
        "target-qps-backoffs",
        "how many times --target-qps-backoff may change the target",
        TIMES,
        "3",
        fills="target_backoffs",
    ),
    Option(
        "verbose-all", "pass --verbose --verbose_nvtx to every harness", in_suite=False
    ),
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
    ),
    Option(
        "mig-suite",
        "v1.0, v1.1, v2.0, v2.1, v4.1, v5.1, v6.0, endpoints, llm, llm-cpu, services, "
        "cpu, or the path of a suite file",
        Kind("SUITE"),
        "v1.0",
        in_suite=False,
    ),
    Option(
        "mig-harness-dir",
        "the closed/<org> folder with the Makefile (the suite's: .)",
        FOLDER,
        None,
        in_suite=False,
    ),
    Option(
        "mig-devices",
        "MIG UUIDs to use, main's first, where NVML is out of reach",
        Kind("UUIDS", "mig_uuids"),
        "",
    ),
    Option(
        "mig-gpu",
        "the GPU to use: index, UUID or PCI bus id",
        Kind("GPU", "checked"),
        None,
    ),
    Option(
        "main-profile",
        "profile of main's MIG device, where a GPU has several (3g.40gb), or where "
        "--mig-devices lists it",
        Kind("PROFILE", "profile"),
        None,
    ),
    Option(
        "mig-rotate",
        "turn the placement on the MIG devices by N places, to see whether the slot "
        "matters",
        COUNT,
        "0",
    ),
    Option(
        "mig-lease-dir",
        "folder of the leases: local to the machine, common to all who use its GPUs",
        FOLDER,
        "/tmp/pytest-mighetero-leases",  # noqa: S108 - it has to be everybody's
    ),
    Option(
        "mig-lease-timeout",
        "longest wait for a GPU, or a harness folder, that somebody else uses",
        TIME,
        "1h",
    ),
    Option(
        "mig-list",
        "print GPUs, MIG devices, what runs on them and who uses them; run nothing",
        fills="listing",
        in_suite=False,
    ),
    Option(
        "mig-telemetry",
        "ask NVML once a second for power, temperature, clocks and memory while main "
        "runs (the default)",
        default=True,
        no_help="do not ask NVML while main runs",
    ),
    Option(
        "mig-isolated",
        "run the tests that are marked isolated, too, before the others: main with "
        "nothing beside it",
        in_suite=False,
    ),
    Option(
        "mig-interference",
        "measure every selected pair (all), or those of these benchmarks or pairs, "
        "alone and beside each of their benchmarks: the interference matrix",
        NAMES,
        "",
        in_suite=False,
        bare="all",
    ),
    Option(
        "mig-aggressor-count",
        "beside so many of its aggressors (as many as the GPU has other devices)",
        TIMES,
        None,
        in_suite=False,
    ),
    Option(
        "mig-max-slowdown",
        "fail a cell of the matrix that is so much slower than alone, 10% for example",
        Kind("PERCENT", "excess"),
        None,
        in_suite=False,
    ),
    Option(
        "mig-resume",
        "do not run again what the matrix has a good record of, of the same set-up "
        "and a day old at most",
        in_suite=False,
    ),
    Option("mig-repeat", "run every test N times, for medians and spreads", TIMES, "1"),
    Option(
        "mig-tune",
        "search the highest VALID target QPS of each Server pair, isolated, then "
        "heterogeneous",
        in_suite=False,
    ),
    Option(
        "mig-tune-resolution",
        "how close the search comes to a target that is INVALID",
        PERCENT,
        "1%",
    ),
    Option(
        "mig-references",
        "folder of the reference values that runs are checked against",
        FOLDER,
        "runs/references",
    ),
    Option(
        "mig-compare",
        "fail a run that is worse than its last earlier one, or than those in a "
        "results folder or record",
        Kind("last|PATH"),
        "",
        in_suite=False,
    ),
    Option("mig-save-reference", "write results to --mig-references", in_suite=False),
    Option(
        "mig-tolerance",
        "how much worse --mig-compare lets a run be, and the bounds that "
        "--mig-save-reference writes",
        PERCENT,
        "5%",
    ),
    Option(
        "mig-background-tolerance",
        "fail a run beside a background whose own figure is so much worse than in "
        "earlier runs, 10% for example (20% worse is a warning)",
        PERCENT,
        None,
    ),
    Option(
        "mig-heartbeat",
        "how often to say what a run is doing where no terminal shows it, at most, so "
        "that CI systems do not take a long run for a hung one; 0 for never",
        TIME,
        "60s",
        in_suite=False,
    ),
    Option(
        "mig-stop-grace",
        "time from SIGTERM to SIGKILL when a harness is stopped, for it to give GPU "
        "memory back",
        TIME,
        "10s",
    ),
)

BY_KEY = {option.key: option for option in OPTIONS}
