"""A run as a script for bash: what a dry run prints. Pure.

It starts what the run would start, in its order, and waits as the run would, as far as
a shell can: for a start marker and a first query of each background, for the settle
time, for main, for the backgrounds. It does not judge what they come to.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from pytest_mighetero.plan.launch import Launch, RunPlan
from pytest_mighetero.readers.reader import reader_named
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.environment import MISLEADING, OUTER_MAKE
from pytest_mighetero.units import format_duration

_BASHS = ("SHELLOPTS", "BASHOPTS")
_ASKED = re.compile(r"\$\{(\w+):\?")

# Each harness is a process group of its own, so that stopping ends all of it.
_FUNCTIONS = """\
started=()
now() { date +%s%3N; }
stop() {
    trap '' INT TERM HUP
    [ ${#started[@]} = 0 ] && return
    kill -TERM -- "${started[@]/#/-}" 2>/dev/null
    local limit=$(($(now) + grace))
    while kill -0 -- "${started[@]/#/-}" 2>/dev/null && (($(now) < limit)); do
        sleep 0.1
    done
    kill -KILL -- "${started[@]/#/-}" 2>/dev/null
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
start() {
    set -m
    "$@" </dev/null &
    set +m
    started+=($!)
}
overdue() {
    sleep "$timeout"
    echo "the harnesses still ran ${timeout} s after their launch" >&2
    kill -TERM $$
}
fail() {
    echo "$1; its last lines:" >&2
    tail -n 20 "$2" >&2
    exit 1
}
pause() {
    while (($(now) < $1)); do sleep 0.1; done
}
"""

_BACKGROUNDS = """\
launched=$(now)
for i in "${!names[@]}"; do
    start "background_$((i + 1))" >"${folders[i]}/output.log" 2>&1
done
start overdue
for i in "${!names[@]}"; do
    until issuing "${folders[i]}"; do
        kill -0 "${started[i]}" 2>/dev/null ||
            fail "${names[i]} ended before main was launched" "${folders[i]}/output.log"
        (($(now) < launched + buffer)) ||
            fail "${names[i]} issued no query in time" "${folders[i]}/output.log"
        sleep 0.1
    done
    echo "${names[i]} is ready"
done
"""

_MAIN = """\
start main
main=${started[-1]}
wait "$main"
code=$?
for i in "${!names[@]}"; do
    kill -0 "${started[i]}" 2>/dev/null && continue
    echo "${names[i]} ended before main did: the overlap broke" >&2
    broken=1
done
"""

_UNTIL_THEIR_END = """\
for i in "${!names[@]}"; do
    wait "${started[i]}"
    ended=$?
    [ $ended = 0 ] && continue
    echo "${names[i]} exited with code $ended" >&2
    broken=1
done
"""

_STOPPED = "pause $(($(now) + outlast))  # then they are stopped\n"

_EXIT = """\
[ $code = 0 ] && code=$broken
exit $code
"""


def script(config: RunSpec, plan: RunPlan) -> str:
    """Return *plan* as a script for bash.

    Its exit code is main's where that is not 0; else 1 where a background ended before
    main did, or badly.
    """
    total = len(plan.backgrounds)
    functions = [
        _function(f"background_{n}", f"background {n} of {total}", launch, plan)
        for n, launch in enumerate(plan.backgrounds, 1)
    ]
    text = "\n".join([*functions, _function("main", "main", plan.main, plan)])
    asked = dict.fromkeys(_ASKED.findall(text))
    secrets = [
        f': "${{{name}:?set it first, its value is not printed}}"' for name in asked
    ]
    return "\n".join([*_head(config, plan), *secrets, text, _body(config, plan)])


def _head(config: RunSpec, plan: RunPlan) -> list[str]:
    every = [*plan.backgrounds, plan.main]
    buffer = format_duration(config.start_time_buffer)
    return [
        f"# To be run with bash; each background may take {buffer} to its first query.",
        "set -u",
        # What no harness gets of the caller's; bash does not let go of these two.
        "export -n SHELLOPTS BASHOPTS",
        f"unset {' '.join(n for n in (*OUTER_MAKE, *MISLEADING) if n not in _BASHS)}",
        f"mkdir -p {_words(str(launch.log_dir) for launch in every)} || exit",
        f"names=({_words(launch.name for launch in plan.backgrounds)})",
        f"folders=({_words(str(launch.folder) for launch in plan.backgrounds)})",
        f"buffer={_ms(config.start_time_buffer)}",
        f"outlast={_ms(config.end_time_buffer_min)}",
        f"grace={_ms(config.stop_grace)}",
        f"timeout={config.background_timeout:.3f} broken=0",
    ]


def _function(name: str, role: str, launch: Launch, plan: RunPlan) -> str:
    device = launch.device.profile or plan.gpu.name
    comment = f"# {role}: {launch.name} on {device}, {launch.device.uuid}"
    return f"{comment}\n{name}() {{\n{launch.command.line()}\n}}"


def _body(config: RunSpec, plan: RunPlan) -> str:
    """Return what starts the functions, and waits."""
    parts = [_FUNCTIONS, _issuing(config), _BACKGROUNDS]
    if plan.backgrounds:
        parts.append(f"pause $(($(now) + {_ms(config.settle_time)}))  # to settle\n")
        if not config.immediate_start:
            parts.append("pause $((launched + buffer))\n")
    parts.append(_MAIN)
    if plan.backgrounds:
        stops = config.background_duration == "automatic"
        parts.append(_STOPPED if stops else _UNTIL_THEIR_END)
    return "".join([*parts, _EXIT])


def _issuing(config: RunSpec) -> str:
    """Return the function that tells whether the harness in a folder is ready."""
    spec = config.suite.harness
    markers = " ".join(f"-e {shlex.quote(marker)}" for marker in spec.start_markers)
    tests = [f'grep -aqF {markers} "$1/output.log"']
    sign = reader_named(spec.reader).sign
    if sign is not None and spec.loadgen_log:
        log, word = shlex.quote(sign.log), shlex.quote(sign.word)
        tests.append(f'grep -arqs --include={log} {word} "$1/logs"')
    return "issuing() {\n    " + " &&\n        ".join(tests) + "\n}\n"


def _words(texts: Iterable[str]) -> str:
    return " ".join(map(shlex.quote, texts))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
