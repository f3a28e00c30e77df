"""A small HTTP server that client.py loads.

It is started as ``python server.py PORT BENCHMARK LOG_DIR [WORD...]``. What it does
is in the JSON of $WEB_SERVER, which maps a benchmark, or ``*`` for the others, to any
of these:
    load      seconds until it listens (0)
    warm      seconds from then on in which /health answers 503 (0)
    line      what it prints once it answers
    bar       true: it prints that within progress bars, which only CR ends
    die       [moment, exit code]: while it loads (load), or at that request (a number)
    restart   after that request it opens its socket anew, as one that began again
    ignore    true: SIGTERM, SIGHUP and SIGINT are ignored
    works_s   seconds of CPU time for each request (0)
    unlink    at that request its log is deleted
    failing   the numbers of requests that it answers with 500 (none)
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

TYPE_CHECKING = False  # as typing has it, which takes a while to import
if TYPE_CHECKING:
    from typing import Any

ANSWER = "HTTP/1.0 {}\r\nContent-Length: {}\r\n\r\n{}"
NEVER = 1 << 60


def listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener


def answer(connection: socket.socket, status: str, body: str) -> None:
    with connection:
        try:
            connection.sendall(ANSWER.format(status, len(body), body).encode())
        except OSError:
            print("a client went away", flush=True)


def asked(connection: socket.socket) -> str:
    """Return the path of a request; "" where none comes."""
    said = b""
    try:
        while b"\r\n\r\n" not in said:
            if not (block := connection.recv(4096)):
                return ""
            said += block
    except OSError:
        return ""
    return said.decode().split(" ")[1]


def work(seconds: float) -> None:
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        pass


def serve(listener: socket.socket, options: dict[str, Any]) -> None:
    """Answer requests, one after another, for ever."""
    port, warm = listener.getsockname()[1], time.monotonic() + options.get("warm", 0)
    moment, code = options.get("die", [NEVER, 0])
    restart, unlink = options.get("restart", NEVER), options.get("unlink", NEVER)
    failing, count = options.get("failing", []), 0
    while True:
        connection, _ = listener.accept()
        if not (path := asked(connection)):
            connection.close()  # of one that only looked
            continue
        if path.startswith("/health"):
            status = "200 OK" if time.monotonic() >= warm else "503 Not yet"
            answer(connection, status, "")
            continue
        count += 1
        if moment == count:
            print(f"out of memory at request {count}", flush=True)
            os._exit(code)
        if unlink == count:
            for log in Path(os.environ["MIGHETERO_FOLDER"]).glob("server-*.log"):
                log.unlink()
        work(options.get("works_s", 0))
        status = "500 Broken" if count in failing else "200 OK"
        answer(connection, status, str(os.getpid()))
        if restart == count:
            listener.close()
            listener, restart = listen(port), NEVER


def main(port: int, benchmark: str, log_dir: str, *_: str) -> None:
    every = json.loads(os.environ.get("WEB_SERVER") or "{}")
    options = {**every.get("*", {}), **every.get(benchmark, {})}
    if options.get("ignore"):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
    said = {"argv": sys.argv, "environ": dict(os.environ), "port": port}
    path = Path(log_dir, f"server-{os.getpid()}.json")
    path.with_suffix(".new").write_text(json.dumps(said))
    path.with_suffix(".new").rename(path)
    print(f"loading {benchmark}", flush=True)
    time.sleep(options.get("load", 0))
    moment, code = options.get("die", ["", 0])
    if moment == "load":
        print("no such model", flush=True)
        sys.exit(code)
    listener = listen(port)
    if line := options.get("line"):
        bars = "\r 50% [==  ]\r100% [====]\r" if options.get("bar") else ""
        print(f"{bars}{line}", end="\r" if bars else "\n", flush=True)
    serve(listener, options)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
