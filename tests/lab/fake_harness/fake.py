"""The tests' own harness: what it does is in the JSON of $FAKE_HARNESS.

That maps a benchmark, or ``*`` for the others, to any of these:
    before    seconds until the start marker (0.05)
    marker    the start marker's line; "" prints none
    marker_end  what ends that line (a newline)
    late      seconds from the marker to LoadGen's log (0)
    load      seconds from LoadGen's log to the first query (0)
    test      seconds of the timed window (--min_duration; a background's ends sooner
              than that, a little after main's, unless somebody is to stop it)
    outlasts  seconds by which a background that has no "test" outlasts main (0.3,
              or 1 where main is an audit)
    meets     [folder, count]: in the middle, waits until so many have come there
    into      seconds after main's launch at which a background's test is over
    after     seconds from the finish marker to the exit (0)
    die       [moment, exit code]: moment is start, marker or middle
    once      a file: whoever does not find it makes it, and dies in the middle
    exit      the exit code at the end (0)
    validity  VALID, INVALID or "" for a LoadGen log without a verdict
    log       false: no LoadGen log at all
    p99       the 99th percentile latency in ms; the limit is 500 (14.2)
    rate      the samples/s of Offline, which is too short where 1.1 x
              --offline_expected_qps is less (518.387)
    capacity  the QPS of Server beyond which it does not keep up
    errors    how many errors LoadGen counts (0)
    print     bytes printed before the marker (0)
    burn      true: use CPU time in bursts of 2 ms throughout the timed window
    ignore    true: SIGTERM, SIGHUP and SIGINT are ignored
    tree      words for $FAKE_LOAD, a compiled program that a shell starts and that
              stays beside this one until it is ended
    daemon    true: leave a process of its own session behind, its id in LOG_DIR
    accuracy  an AccuracyOnly run with this verdict in accuracy_summary.json
    mode      the test mode that LoadGen logs (PerformanceOnly, or AccuracyOnly)
    logged    further keys and values of LoadGen's result
    verdict   what an audit writes into its verify files; "" writes none
    audits_in  where an audit leaves all it writes (LOG_DIR/compliance_logs)
    conf      true: as the real harness, write a user.conf into this folder at the
              launch, and have LoadGen read that, and an audit.config, when it starts
    again     seconds after which the test is run once more, in another log folder
    cut       true: the log of a first run, before "again", is cut off
    shift     seconds by which the stamps of LoadGen's window are off
    keep      a folder whose logs are handed over in place of LoadGen's own
    ran_with  settings that LoadGen logs in place of its own, by key
    warns     what LoadGen warns of
    files     what it writes into others, or in their place, by name
p99, rate and capacity may be lists: the first main of the pair takes the first item...
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

TYPE_CHECKING = False  # as typing has it, which takes a while to import
if TYPE_CHECKING:
    from typing import Any

    Options = dict[str, Any]

AUDIT_CONFIG = Path("audit.config")
MARKER = "Starting running actual test."
PASS = "TEST PASS"
LIMIT_MS = 500
ANSWERS = ('[\n{"seq_id": 0, "qsl_idx": 0, "data": "00"}\n]\n', "[\n]\n")
INCREASE = "Increase expected QPS so the loadgen pre-generates"
MEASURED = "measured"  # the file in its LOG_DIR that says: main's test is over
TO_BE_STOPPED_S = 20  # no background of a test runs this long by itself


class Log:
    """LoadGen's detail log, as LoadGen 6 writes it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.begin = time.monotonic()
        self.file = (folder / "mlperf_log_detail.txt").open("w")
        (folder / "mlperf_log_summary.txt").touch()
        self.answers = folder / "mlperf_log_accuracy.json"
        self("loadgen_version", "6.0.17 @ 0123456789")
        self("test_datetime", time.strftime("%Y-%m-%dT%H:%M:%SZ"))  # local

    def __call__(self, key: str, value: object, *, is_warning: bool = False) -> None:
        time_ms = (time.monotonic() - self.begin) * 1000
        flags = {"is_error": False, "is_warning": is_warning}
        line = {"key": key, "value": value, "time_ms": time_ms, "metadata": flags}
        self.file.write(f":::MLLOG {json.dumps(line)}\n")
        self.file.flush()


def power(wall: float) -> str:
    seconds, part = divmod(wall, 1)
    stamp = time.strftime("%m-%d-%Y %H:%M:%S.", time.gmtime(seconds))
    return stamp + f"{int(part * 1000):03d}"


def results(log: Log, scenario: str, options: Options, target: float) -> None:
    if not (validity := options.get("validity", "VALID")):
        return
    p99_ms, rate = options.get("p99", 14.242991), options.get("rate", 518.387)
    share = min(1.0, options.get("capacity", target) / target)
    if scenario == "Server" and share < 1:
        validity, p99_ms = "INVALID", LIMIT_MS * (2 - share)
        log("result_invalid_reason", "Reduce target QPS to improve latency.")
    long = scenario != "Offline" or "rate" not in options or target * 1.1 >= rate
    if not long:
        validity = "INVALID"
        log("result_invalid_reason", f"{INCREASE} a larger (coalesced) query.")
    log("result_validity", validity)
    log("result_perf_constraints_met", p99_ms <= LIMIT_MS)
    log("result_min_duration_met", long)
    log("result_min_queries_met", True)
    log("early_stopping_met", True)
    if scenario == "Server":
        log("result_scheduled_samples_per_sec", target * 0.989545)
        log("result_completed_samples_per_sec", target * 0.9825625 * share)
    elif scenario == "SingleStream":
        log("result_90.00_percentile_latency_ns", 2034194)
    else:
        log("result_samples_per_second", rate)
    for percentile, ns in (("50.00", 4032261), ("99.00", round(p99_ms * 1e6))):
        log(f"result_{percentile}_percentile_latency_ns", ns)
    for key, value in options.get("logged", {}).items():
        log(key, value)
    log("num_errors", options.get("errors", 0))


def user_conf(args: dict[str, str], scenario: str) -> Path:
    """Return where the real harness keeps what LoadGen is to read."""
    folder = Path("measurements", "fake_system", args["benchmarks"], scenario)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "user.conf"


def write_conf(action: str, args: dict[str, str], scenario: str) -> None:
    """Do what the real main.py does at once: another launch here undoes it."""
    AUDIT_CONFIG.unlink(missing_ok=True)
    if action != "run_harness":
        AUDIT_CONFIG.write_text("*.*.mode = 2\n")
    user_conf(args, scenario).write_text(json.dumps(args))


def settings(
    args: dict[str, str], scenario: str, options: Options, log: Log
) -> dict[str, str]:
    """Log what LoadGen runs with, and return it."""
    if options.get("conf"):
        args = json.loads(user_conf(args, scenario).read_text())
    mode = args.get("test_mode", "PerformanceOnly")
    mode = options.get("mode", "AccuracyOnly" if "accuracy" in options else mode)
    warns = list(options.get("warns", []))
    conf = "conf" in options
    if AUDIT_CONFIG.exists() if conf else options["audits"]:
        mode = "PerformanceOnly"
        warns.append("Found Audit Config file (audit.config).")
    for warning in warns:
        log("warning_generic_message", warning, is_warning=True)
    target = float(args.get("server_target_qps", 400))
    target = float(args.get("offline_expected_qps", target))
    least = int(args.get("min_query_count", 1))
    values: dict[str, object] = {"scenario": scenario, "test_mode": mode}
    values |= {"min_duration_ms": int(args["min_duration"]), "min_query_count": least}
    logged = {f"requested_{key}": value for key, value in values.items()}
    logged["requested_server_target_qps"] = target
    logged["requested_offline_expected_qps"] = target
    values |= {"target_qps": target, "target_latency_ns": LIMIT_MS * 1_000_000}
    logged |= {f"effective_{key}": value for key, value in values.items()}
    for key, value in {**logged, **options.get("ran_with", {})}.items():
        log(key, value)
    log.answers.write_text(ANSWERS[mode == "PerformanceOnly"])
    return {**args, "test_mode": mode}


def run(args: dict[str, str], scenario: str, options: Options, logs: Path) -> None:
    log_dir = Path(os.environ["LOG_DIR"])
    log = None
    say(options.get("marker", MARKER), options.get("marker_end", "\n"))
    time.sleep(options.get("late", 0))
    if options.get("log", True):
        interactive = args["scenarios"] == "interactive"
        folder = "Interactive" if interactive else scenario
        log = Log(logs / "fake_system" / args["benchmarks"] / folder)
        args = settings(args, scenario, options, log)
    benchmark, min_duration = args["benchmarks"], float(args["min_duration"]) / 1000
    target = float(args.get("server_target_qps", 400))
    target = float(args.get("offline_expected_qps", target))
    die(options, "marker")
    time.sleep(options.get("load", 0))
    begin, steady = time.time(), time.monotonic()
    if log:
        log("generated_query_count", 595)
        log("generated_query_duration", 1501657289)
    seconds = options.get("test", min_duration)
    if options.get("cut") and "again" in options:
        time.sleep(seconds)
        return
    measure(seconds, options, log_dir.parents[1] / "main" / "logs")
    if log:
        shift = options.get("shift", 0)
        log("power_begin", power(begin + shift))
        log("power_end", power(begin + time.monotonic() - steady + shift))
        if args.get("test_mode") != "AccuracyOnly":
            results(log, scenario, options, target)
        log.file.close()
    if "accuracy" in options:
        verdict = {"fake_system": {benchmark: options["accuracy"]}}
        (log_dir / "accuracy_summary.json").write_text(json.dumps(verdict))
    if "again" not in options:
        say("Finished running actual test.")
        (log_dir / MEASURED).touch()
        time.sleep(options.get("after", 0))


def measure(seconds: float, options: Options, main: Path) -> None:
    """Spend the timed window, or a part of it.

    Args:
        seconds: its length.
        options: of this benchmark.
        main: main's LOG_DIR.
    """
    if options.get("burn"):
        burn(seconds)
        seconds = 0
    alone = "test" in options or "again" in options or seconds >= TO_BE_STOPPED_S
    alone |= main == Path(os.environ["LOG_DIR"])
    if "into" in options:
        wait_for_main(main, options["into"])
    elif alone:
        time.sleep(seconds / 2)
    else:
        outlast(main, seconds, options)
    die(options, "middle")
    if "meets" in options:
        meet(Path(options["meets"][0]), options["meets"][1])
    if "once" in options and not Path(options["once"]).exists():
        Path(options["once"]).touch()
        sys.exit(9)
    if alone and "into" not in options:
        time.sleep(seconds / 2)


def meet(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < count:
        time.sleep(0.02)


def wait_for_main(main: Path, seconds: float) -> None:
    """Wait until *seconds* after the launch of a main that is not there yet."""
    since = time.time()
    results = next(path for path in main.parents if path.name == "results")

    def launched() -> bool:
        found = results.rglob("main/logs/launch.json")
        return any(path.stat().st_mtime >= since for path in found)

    while not launched():
        time.sleep(0.02)
    time.sleep(seconds)


def outlast(main: Path, seconds: float, options: Options) -> None:
    """Wait until a little after main has measured, or *seconds* if that is sooner.

    An audit must have been seen to exit by then.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if (main / MEASURED).exists():
            action = json.loads((main / "launch.json").read_text())["argv"][0]
            usual = 0.3 if action == "run_harness" else 1
            time.sleep(min(left, options.get("outlasts", usual)))
            return
        time.sleep(min(left, 0.05))  # of CPU time it uses next to none


def hand_over(folder: Path, logs: Path) -> None:
    """Put logs that lie in *folder* in the place of those just written."""
    import shutil

    (own,) = (path.parent for path in logs.rglob("mlperf_log_detail.txt"))
    for path in own.iterdir():
        path.unlink()
        shutil.copy2(folder / path.name, path)


def audit(folder: Path, options: Options) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if verdict := options.get("verdict", PASS):
        for name in ("verify_performance.txt", "verify_accuracy.txt"):
            (folder / name).write_text(f"Verifying.\n{verdict}\n")
    for name, text in options.get("files", {}).items():
        (folder / name).write_text(text)


def die(options: Options, moment: str) -> None:
    if options.get("die", [None])[0] == moment:
        say(f"dying at {moment}")
        sys.exit(options["die"][1])


def grow(words: str, counter: Path) -> None:
    """Start the compiled program from a shell, and wait until it runs."""
    import subprocess

    script = f"{os.environ['FAKE_LOAD']} {counter} {words}; true"
    subprocess.Popen(["sh", "-c", script])
    while not (counter.exists() and counter.stat().st_size):
        time.sleep(0.005)


def burn(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        burst = time.monotonic() + 0.002
        while time.monotonic() < burst:
            pass
        time.sleep(0.05)


def say(text: str, end: str = "\n") -> None:
    if text:
        os.write(1, os.fsencode(f"{text}{end}"))


def chosen(options: Options, args: dict[str, str], log_dir: Path) -> Options:
    """Take the items of lists that are this launch's."""
    name = f"*-{args['benchmarks']}_{args['scenarios']}*"
    results = log_dir.parents[2]
    if log_dir.parents[1].name.startswith(("attempt-", "trial-")):
        results = log_dir.parents[3]
    before = len([*results.glob(f"{name}/**/main/logs/launch.json")])
    for key in ("p99", "rate", "capacity"):
        if isinstance(options.get(key), list):
            options[key] = options[key][min(before, len(options[key]) - 1)]
    return options


def main(action: str, *run_args: str) -> None:
    text = " ".join(run_args).replace("=", " ")
    words = [word.partition(" ") for word in text.split("--")[1:]]
    args = {name: value.strip() for name, _, value in words}
    every = json.loads(os.environ.get("FAKE_HARNESS", "{}"))
    log_dir = Path(os.environ["LOG_DIR"])
    options = chosen(every.get(args["benchmarks"], every.get("*", {})), args, log_dir)
    options["audits"] = action != "run_harness"
    launch = {
        "argv": [action, *run_args],
        "environ": dict(os.environ),
        "at": time.time(),
    }
    (log_dir / "launch").write_text(json.dumps(launch))
    (log_dir / "launch").rename(log_dir / "launch.json")  # whole, for who waits for it
    if options.get("ignore"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if options.get("daemon"):
        import subprocess

        child = subprocess.Popen(["sleep", "300"], start_new_session=True)
        (log_dir / "daemon.pid").write_text(str(child.pid))
    say(f"{args['benchmarks']} begins on {os.environ['CUDA_VISIBLE_DEVICES']}")
    if "tree" in options:
        grow(options["tree"], log_dir / "printed")
    die(options, "start")
    scenarios = {"singlestream": "SingleStream", "multistream": "MultiStream"}
    scenarios["interactive"] = "Server"  # for LoadGen
    scenario = scenarios.get(args["scenarios"], args["scenarios"].capitalize())
    logs = log_dir
    if action != "run_harness":
        logs = Path(options.get("audits_in", log_dir / "compliance_logs"))
        logs /= action.removeprefix("run_audit_").upper()
    if options.get("conf"):
        write_conf(action, args, scenario)
    for _ in range(options.get("print", 0) // 100):
        say("x" * 99)
    time.sleep(options.get("before", 0.05))
    run(args, scenario, options, logs)
    if "again" in options:
        time.sleep(options.pop("again"))
        run(args, scenario, options, logs / "again")
    if "keep" in options:
        hand_over(Path(options["keep"]), logs)
    if action != "run_harness":
        audit(logs / "fake_system" / args["benchmarks"] / scenario, options)
    sys.exit(options.get("exit", 0))
