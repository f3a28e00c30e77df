"""A run as a script for bash: what a dry run prints. Pure.

It starts what the run would start, in its order, and waits as the run would, as far as
a shell can: for a start marker and a first query of each background, for the settle
time, for main, for the backgrounds. It does not judge what they come to.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from urllib.parse import urlsplit

from pytest_mighetero.plan.launch import Launch, RunPlan, ServerLaunch
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.environment import MISLEADING, OUTER_MAKE
from pytest_mighetero.units import format_duration

_BASHS = ("SHELLOPTS", "BASHOPTS")
_ASKED = re.compile(r"\$\{(\w+):\?")

# Each harness is a process group of its own, so that stopping ends all of it. Servers
# are started first and end last.
_FUNCTIONS = """\
started=() servers=0 clients=()
now() { date +%s%3N; }
end() {
    [ $# = 0 ] && return
    kill -TERM -- "${@/#/-}" 2>/dev/null
    local limit=$(($(now) + grace))
    while kill -0 -- "${@/#/-}" 2>/dev/null && (($(now) < limit)); do
        sleep 0.1
    done
    kill -KILL -- "${@/#/-}" 2>/dev/null
}
stop() {
    trap '' INT TERM HUP
    [ ${#started[@]} = 0 ] && return
    end "${started[@]:servers}"
    end "${started[@]:0:servers}"
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

# Bash opens /dev/tcp itself. Who closes the connection early does not end the script.
_SERVERS = """\
answers() (
    trap '' PIPE
    exec 3<>"/dev/tcp/$1/$2" || exit 1
    [ $# = 2 ] && exit
    printf 'GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' "$3" "$1" >&3
    read -r -t 1 _ code _ <&3
    [[ $code == [23]* ]]
) 2>/dev/null
for n in {numbers}; do
    log="server_${{n}}_log" limit="server_${{n}}_limit" since=$(now)
    start "server_$n" >"${{!log}}" 2>&1
    servers=${{#started[@]}}
    until "server_${{n}}_ready"; do
        kill -0 "${{started[-1]}}" 2>/dev/null || fail "server $n ended" "${{!log}}"
        (($(now) < since + ${{!limit}})) || fail "server $n was not ready" "${{!log}}"
        sleep 0.1
    done
    echo "server $n is ready"
done
"""

_BACKGROUNDS = """\
launched=$(now)
for i in "${!names[@]}"; do
    start "background_$((i + 1))" >"${folders[i]}/output.log" 2>&1
    clients+=("${started[-1]}")
done
start overdue
for i in "${!names[@]}"; do
    until "issuing_$((i + 1))" "${folders[i]}"; do
        kill -0 "${clients[i]}" 2>/dev/null ||
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
    kill -0 "${clients[i]}" 2>/dev/null && continue
    echo "${names[i]} ended before main did: the overlap broke" >&2
    broken=1
done
"""

_UNTIL_THEIR_END = """\
for i in "${!names[@]}"; do
    wait "${clients[i]}"
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
    functions.append(_function("main", "main", plan.main, plan))
    functions += [
        _server(n, launch, launch.server)
        for n, launch in enumerate(_every(plan), 1)
        if launch.server is not None
    ]
    functions += [_issuing(n, each) for n, each in enumerate(plan.backgrounds, 1)]
    text = "\n".join(functions)
    asked = dict.fromkeys(_ASKED.findall(text))
    secrets = [
        f': "${{{name}:?set it first, its value is not printed}}"' for name in asked
    ]
    return "\n".join([*_head(config, plan), *secrets, text, _body(config, plan)])


def _head(config: RunSpec, plan: RunPlan) -> list[str]:
    every = _every(plan)
    buffer = format_duration(config.start_time_buffer)
    return [
        f"# To be run with bash; each background may take {buffer} to its first query.",
        "set -u",
        # What no harness gets of the caller's; bash does not let go of these two.
        "export -n SHELLOPTS BASHOPTS",
        f"unset {' '.join(n for n in (*OUTER_MAKE, *MISLEADING) if n not in _BASHS)}",
        f"mkdir -p {_words(str(launch.log_dir) for launch in every)} || exit",
        *(
            f"printf %s {launch.command.secrets.placeholder(text)} "
            f">{shlex.quote(str(path))} || exit"
            for launch in every
            for path, text in launch.files.items()
        ),
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
    served = [n for n, each in enumerate(_every(plan), 1) if each.server is not None]
    servers = [_SERVERS.format(numbers=" ".join(map(str, served)))] if served else []
    parts = [_FUNCTIONS, *servers, _BACKGROUNDS]
    if plan.backgrounds:
        parts.append(f"pause $(($(now) + {_ms(config.settle_time)}))  # to settle\n")
        if not config.immediate_start:
            parts.append("pause $((launched + buffer))\n")
    parts.append(_MAIN)
    if plan.backgrounds:
        stops = config.background_duration == "automatic"
        parts.append(_STOPPED if stops else _UNTIL_THEIR_END)
    return "".join([*parts, _EXIT])


def _every(plan: RunPlan) -> list[Launch]:
    return [*plan.backgrounds, plan.main]


def _server(number: int, launch: Launch, server: ServerLaunch) -> str:
    """Return the functions that start a server, and tell whether it is ready."""
    log, url = shlex.quote(str(server.output)), urlsplit(server.ready_url)
    port = (url.port or 80) if server.ready_url else server.port
    where = f"{url.hostname or '127.0.0.1'} {port}"
    ready = f"answers {where}"
    if server.ready_line:
        line = server.ready_line.removesuffix(" *")
        ready = f"grep -aqF -e {shlex.quote(line)} {log}"
    elif server.ready_url:
        asked = url._replace(scheme="", netloc="").geturl() or "/"
        ready = f"answers {where} {shlex.quote(asked)}"
    return (
        f"# the server of {launch.name}\n"
        f"server_{number}() {{\n{server.command.line()}\n}}\n"
        f"server_{number}_log={log} server_{number}_limit={_ms(server.timeout)}\n"
        f"server_{number}_ready() {{ {ready}; }}"
    )


def _issuing(number: int, launch: Launch) -> str:
    """Return the function that tells whether a background, in a folder, is ready."""
    tool, sign = launch.tool, launch.tool.sign
    if sign is None:
        markers = [each.removesuffix(" *") for each in tool.markers.start]
        said = " ".join(f"-e {shlex.quote(marker)}" for marker in markers)
        test = f'grep -aqF {said} "$1/output.log"'
    elif sign.log:
        log, word = shlex.quote(sign.log), shlex.quote(sign.word)
        test = f'grep -arqsF --include={log} -e {word} "$1/logs"'
    else:
        test = f'grep -aqP -e {shlex.quote(sign.mark.pattern.decode())} "$1/output.log"'
    return f"issuing_{number}() {{ {test}; }}"


def _words(texts: Iterable[str]) -> str:
    return " ".join(map(shlex.quote, texts))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
