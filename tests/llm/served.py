"""The server as a process, and HTTP with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

MODEL = "small-talk"
COMMAND = [sys.executable, "-m", "pytest_mighetero.llm", "--model", MODEL]


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    line: str
    port: int

    def connect(self) -> closing[HTTPConnection]:
        return closing(HTTPConnection("127.0.0.1", self.port, timeout=60))

    def get(self, path: str) -> tuple[int, Any]:
        return self.send("GET", path, None)

    def send(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        with self.connect() as connection:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def chat(self, text: str, **said: object) -> Any:
        messages = [{"role": "user", "content": text}]
        return self._asked("/v1/chat/completions", messages=messages, **said)

    def complete(self, prompt: str, **said: object) -> Any:
        return self._asked("/v1/completions", prompt=prompt, **said)

    def _asked(self, path: str, **said: object) -> Any:
        status, answer = self.send("POST", path, json.dumps({"model": MODEL, **said}))
        assert status == 200, answer
        return answer

    def stream(self, path: str, **said: object) -> list[str]:
        """Return what follows each ``data: `` of a streamed answer."""
        with self.connect() as connection:
            connection.request(
                "POST", path, json.dumps({"model": MODEL, "stream": True, **said})
            )
            response = connection.getresponse()
            assert response.status == 200
            assert response.headers["Content-Type"].startswith("text/event-stream")
            text = response.read().decode()
        *events, rest = text.split("\n\n")
        assert rest == ""
        assert all(event.startswith("data: ") for event in events)
        return [event.removeprefix("data: ") for event in events]


@contextmanager
def serve(*flags: str, **environ: str) -> Iterator[Served]:
    """Start a server on a free port, by default; stop it afterwards."""
    inherited = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *flags],
        env=inherited | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("Serving"), line + process.stdout.read()
            yield Served(process, line, int(line.rpartition(":")[2]))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(30) == 0
            finally:
                process.kill()
            assert process.stdout.read() == ""  # no traceback of anything
