"""A small load generator: python client.py PORT SECONDS RATE BENCHMARK [WORD...].

It sends requests to server.py, or none where PORT is 0, one after another at RATE a
second for SECONDS, and prints what they came to. It exits with 0 though some failed, as
most do. What else it does is in the JSON of $WEB_CLIENT, which maps a benchmark, or
``*`` for the others, to any of these:
    before    seconds until it prints its start marker (0)
    marker    what it prints before it loads ("Loading")
    quiet     seconds from the marker to the first request (0)
    mute      true: it does not say that the first answer has come
    exit      its exit code (0)
    hang      true: it waits for ever after a request that failed
    says      what it prints at its end in place of what it measured
    stamps    false: it does not say when that was
    slow_ms   so much is added to each latency that it prints (0)
    tokens    true: it prints TTFT and TPOT, half and a tenth of the latency
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time

TYPE_CHECKING = False  # as typing has it, which takes a while to import
if TYPE_CHECKING:
    from typing import Any


def ask(port: int) -> str:
    """Send a request, and return who answered it; "" where it failed."""
    if port == 0:
        return "nobody"
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(b"GET /work HTTP/1.0\r\n\r\n")
            said = b""
            while block := connection.recv(4096):
                said += block
    except OSError as error:
        print(f"request failed: {error}", flush=True)
        return ""
    head, _, body = said.decode().partition("\r\n\r\n")
    return body if " 200 " in head else ""


class Load:
    """Requests at a rate, and what they have come to."""

    def __init__(self, port: int, rate: float, options: dict[str, Any]) -> None:
        self._port, self._rate, self._options = port, rate, options
        self.latencies_ms: list[float] = []
        self.servers: set[str] = set()
        self.failed = 0

    def run(self, seconds: float) -> None:
        begin = time.monotonic()
        while time.monotonic() < begin + seconds or not self.count:
            self._send()
            due = begin + self.count / self._rate
            time.sleep(max(0.0, due - time.monotonic()))

    @property
    def count(self) -> int:
        return len(self.latencies_ms) + self.failed

    def _send(self) -> None:
        sent = time.monotonic()
        if server := ask(self._port):
            self.latencies_ms.append((time.monotonic() - sent) * 1000)
            self.servers.add(server)
            if len(self.latencies_ms) == 1 and not self._options.get("mute"):
                print("first answer", flush=True)
            return
        self.failed += 1
        while self._options.get("hang"):
            time.sleep(0.1)


def main(port: int, seconds: float, rate: float, options: dict[str, Any]) -> None:
    time.sleep(options.get("before", 0))
    if marker := options.get("marker", "Loading"):
        print(f"{marker} port {port}", flush=True)
    time.sleep(options.get("quiet", 0))
    load, begin, monotonic = Load(port, rate, options), time.time(), time.monotonic()
    load.run(seconds)
    took = time.monotonic() - monotonic
    print(f"served by {sorted(load.servers)}")
    if (says := options.get("says")) is not None:
        print(says)
    else:
        tell(load, begin, took, options)
    print("Done", flush=True)
    sys.exit(options.get("exit", 0))


def tell(load: Load, begin: float, took: float, options: dict[str, Any]) -> None:
    done = sorted(load.latencies_ms)
    ms = done[int(0.99 * len(done))] + options.get("slow_ms", 0) if done else 0.0
    print(f"answers {len(done)} failed {load.failed} in {took:.6f} s")
    print(f"rate {len(done) / took:.6f} p99 {ms:.6f} ms")
    if options.get("tokens"):
        print(f"ttft {ms / 2:.6f} ms tpot {ms / 10:.6f} ms")
    if options.get("stamps", True):
        print(f"from {begin:.6f} to {begin + took:.6f}")


if __name__ == "__main__":
    every = json.loads(os.environ.get("WEB_CLIENT") or "{}")
    mine = {**every.get("*", {}), **every.get(sys.argv[4], {})}
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), mine)
