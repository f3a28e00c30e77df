"""The options, once: command line, ini file and suite defaults all read this table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        name: without the leading dashes; the ini key has underscores instead.
        help: one sentence for ``pytest --help``.
        metavar: how the value is shown; None for a flag.
        default: what holds when nobody says anything: command line, ini nor suite.
        no_help: for a flag that also has a ``--no-`` form, that form's sentence.
        alias: another name that works and is not in the help.
    """

    name: str
    help: str
    metavar: str | None = None
    default: str | bool | None = None
    no_help: str = ""
    alias: str = ""

    @property
    def key(self) -> str:
        """The name as an ini key and as an attribute."""
        return self.name.replace("-", "_")


OPTIONS = (
    Option(
        "main-benchmark",
        "measure only these benchmarks (comma list; all of the suite's)",
        "NAMES",
    ),
    Option(
        "main-scenario",
        "measure them in these scenarios (comma list, or all)",
        "NAMES",
        "offline,server",
    ),
    Option(
        "main-action",
        "make target of main: run_harness, run_audit_test01, _test04, _test05",
        "TARGET",
        "run_harness",
    ),
    Option(
        "main-benchmark-duration",
        "min_duration of main; a bare number is milliseconds, 90s 10min 2h work",
        "TIME",
        "600s",
    ),
    Option(
        "main-benchmark-runargs",
        "further RUN_ARGS for main, for example --server_target_qps=100",
        "ARGS",
        "",
        alias="main-benchmark-args",  # so NVIDIA's heterogeneous_mig.md, v1.0
    ),
    Option(
        "main-benchmark-cmd-prefix",
        "words put in front of main's make, for example a profiler's command",
        "WORDS",
        "",
    ),
    Option(
        "main-benchmark-immediate-start",
        "start main as soon as the backgrounds are ready and settled (the default)",
        default=True,
        no_help="wait out --start-time-buffer before main, as the v1.0 script did",
    ),
    Option(
        "background-benchmarks",
        "what loads the other instances: a group of the suite (server, edge), all, "
        "none, or a comma list",
        "NAMES",
        "all",
    ),
    Option("background-scenario", "scenario of the backgrounds", "NAME", "offline"),
    Option(
        "background-benchmark-duration",
        "planned or calculated (long enough for main), automatic (until main is done, "
        "then stopped), or a time",
        "TIME",
        "planned",
    ),
    Option(
        "background-scope",
        "test (backgrounds of its own for every main) or session (mains with the same "
        "backgrounds run one after another beside one set that is kept up)",
        "SCOPE",
        "test",
    ),
    Option(
        "background-benchmark-timeout",
        "longest a background may run, whatever its duration says",
        "TIME",
        "2h",
    ),
    Option(
        "start-time-buffer",
        "deadline, from their launch, by which every background must be issuing",
        "TIME",
        "600s",
    ),
    Option(
        "settle-time",
        "wait between the last background's start and main's launch",
        "TIME",
        "10s",
    ),
    Option(
        "end-time-buffer-min",
        "the least time by which every background must outlast main",
        "TIME",
        "30s",
    ),
    Option(
        "start-from-device",
        "pass --start_from_device=true to every harness",
        default=False,
    ),
    Option("config-ver", "--config_ver of every harness (the suite's)", "NAME"),
    Option(
        "lenient",
        "a failed overlap is a warning; a bad main, and a crash, still fail",
        default=False,
    ),
    Option(
        "overlap-retries",
        "when a background ends while main runs, learn main's length and repeat the "
        "run with a duration that fits, up to N times",
        "N",
        "0",
    ),
    Option(
        "target-qps-backoff",
        "when main is INVALID for latency (Server) or length (Offline), run it again "
        "with its target changed by this much, 7% for example",
        "PERCENT",
        "",
    ),
    Option(
        "target-qps-backoffs",
        "how many times --target-qps-backoff may change the target",
        "N",
        "3",
    ),
    Option(
        "verbose-all",
        "pass --verbose --verbose_nvtx to every harness",
        default=False,
    ),
    Option("dryrun", "print the run as a script, start nothing", default=False),
    Option(
        "results-dir",
        "where harness outputs, LoadGen logs and records go",
        "DIR",
        "results",
    ),
    Option(
        "mig-suite",
        "v1.0, v1.1, v2.0, cpu, or the path of a suite file",
        "SUITE",
        "v1.0",
    ),
    Option(
        "mig-harness-dir",
        "the closed/<org> folder with the Makefile (the suite's: .)",
        "DIR",
    ),
    Option(
        "mig-devices",
        "MIG UUIDs to use, main's first, where NVML is out of reach",
        "UUIDS",
    ),
    Option("mig-gpu", "the GPU to use: index, UUID or PCI bus id", "GPU"),
    Option(
        "main-profile",
        "profile of main's MIG device, where a GPU has several (3g.40gb), or where "
        "--mig-devices lists it",
        "PROFILE",
    ),
    Option(
        "mig-rotate",
        "turn the placement on the MIG devices by N places, to see whether the slot "
        "matters",
        "N",
        "0",
    ),
    Option(
        "mig-lease-dir",
        "folder of the leases: local to the machine, common to all who use its GPUs",
        "DIR",
        "/tmp/pytest-mighetero-leases",  # noqa: S108 - it has to be everybody's
    ),
    Option(
        "mig-lease-timeout",
        "longest wait for a GPU, or a harness folder, that somebody else uses",
        "TIME",
        "1h",
    ),
    Option(
        "mig-list",
        "print GPUs, MIG devices, what runs on them and who uses them; run nothing",
        default=False,
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
        default=False,
    ),
    Option("mig-repeat", "run every test N times, for medians and spreads", "N", "1"),
    Option(
        "mig-tune",
        "search the highest VALID target QPS of each Server pair, isolated, then "
        "heterogeneous",
        default=False,
    ),
    Option(
        "mig-tune-resolution",
        "how close the search comes to a target that is INVALID",
        "PERCENT",
        "1%",
    ),
    Option(
        "mig-references",
        "folder of the reference values that runs are checked against",
        "DIR",
        "runs/references",
    ),
    Option(
        "mig-compare",
        "fail a run that is worse than its last earlier one, or than those in a "
        "results folder or record",
        "last|PATH",
        "",
    ),
    Option("mig-save-reference", "write results to --mig-references", default=False),
    Option(
        "mig-tolerance",
        "how much worse --mig-compare lets a run be, and the bounds that "
        "--mig-save-reference writes",
        "PERCENT",
        "5%",
    ),
    Option(
        "mig-background-tolerance",
        "fail a run beside a background whose own figure is so much worse than in "
        "earlier runs, 10% for example (20% worse is a warning)",
        "PERCENT",
        "",
    ),
    Option(
        "mig-stop-grace",
        "time from SIGTERM to SIGKILL when a harness is stopped, for it to give GPU "
        "memory back",
        "TIME",
        "10s",
    ),
)

BY_KEY = {option.key: option for option in OPTIONS}

# A suite cannot choose the suite, nor what only one invocation can mean.
SUITE_DEFAULTS = frozenset(
    option.name
    for option in OPTIONS
    if option.name
    not in {
        "mig-suite",
        "mig-harness-dir",
        "mig-list",
        "mig-isolated",
        "mig-tune",
        "mig-compare",
        "mig-save-reference",
        "dryrun",
        "verbose-all",
        "config-ver",
    }
)
