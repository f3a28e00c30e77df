"""OpenAI's HTTP API, as far as load generators use it."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pytest_mighetero.llm.completion import RequestError, read_completion
from pytest_mighetero.llm.engine import Answer, Engine
from pytest_mighetero.llm.reply import Reply, model_list, refusal

_LONGEST_BODY = 16 * 1024 * 1024
_COMPLETIONS, _CHAT = "/v1/completions", "/v1/chat/completions"
_METHODS = {"/health": "GET", "/v1/models": "GET", _COMPLETIONS: "POST", _CHAT: "POST"}


class Server(ThreadingHTTPServer):
    """Listens from its making on; a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, host: str, port: int, engine: Engine, model: str, context: int
    ) -> None:
        """Listen.

        Raises:
            OSError: The address is taken, or cannot be had.
        """
        super().__init__((host, port), _Handler)
        self.engine = engine
        self.model = model
        self.context = context

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what went wrong, unless it is that the client went away."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        try:
            if self._path() == "/health":
                self._send({"status": "ok"})
            else:
                self._send(model_list(self.server.model))
        except RequestError as error:
            self._refuse(error)

    def do_POST(self) -> None:
        try:
            body = self._body()  # first: a connection with unread bytes is reset
            chat = self._path() == _CHAT
            asked = read_completion(
                body,
                model=self.server.model,
                context=self.server.context,
                chat=chat,
            )
        except RequestError as error:
            self._refuse(error)
            return
        answer = self.server.engine.submit(asked)
        reply = Reply(self.server.model, chat=chat)
        try:
            if asked.stream:
                self._stream(answer, reply)
            else:
                text = "".join(self._tokens(answer))
                self._send(reply.whole(text, answer))
        finally:
            answer.abandoned = True

    def _path(self) -> str:
        """Return the path.

        Raises:
            RequestError: There is no such path, or not with this method.
        """
        path = self.path.partition("?")[0]
        if path not in _METHODS:
            paths = ", ".join(_METHODS)
            raise RequestError(404, f"path: expected one of {paths}, found {path!r}")
        if self.command != _METHODS[path]:
            found = f"method of {path}: expected {_METHODS[path]}, found {self.command}"
            raise RequestError(405, found)
        return path

    def _body(self) -> bytes:
        self.close_connection, keep = True, self.close_connection
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,18}", length):
            expected = "expected the body's length in bytes"
            raise RequestError(411, f"Content-Length: {expected}")
        if int(length) > _LONGEST_BODY:
            raise RequestError(413, f"body: expected at most {_LONGEST_BODY} bytes")
        self.close_connection = keep
        return self.rfile.read(int(length))

    def _tokens(self, answer: Answer) -> Iterator[str]:
        """Return the answer's texts, as long as the client is there.

        Raises:
            ConnectionError: It went away.
        """
        for text in answer:
            if _gone(self.connection):
                raise ConnectionResetError
            yield text

    def _stream(self, answer: Answer, reply: Reply) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for text in self._tokens(answer):
            self._event(json.dumps(reply.token(text)))
        self._event(json.dumps(reply.end(answer)))
        if answer.asked.include_usage:
            self._event(json.dumps(reply.usage(answer)))
        self._event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _send(self, content: Mapping[str, object], status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, error: RequestError) -> None:
        self._send(refusal(error), error.status)

    def send_error(
        self,
        code: int,
        message: str | None = None,
        explain: str | None = None,  # noqa: ARG002
    ) -> None:
        """Answer what is no HTTP, or a method that nothing has, in OpenAI's form."""
        self.close_connection = True
        self._refuse(RequestError(code, message or HTTPStatus(code).phrase))

    def log_message(self, *args: object) -> None:
        """Print nothing: a line for each request would cost more than a token."""


def _gone(connection: socket.socket) -> bool:
    """Tell whether the other side closed the connection; what it sent stays there."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
