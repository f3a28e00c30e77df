"""What cannot be answered: status, OpenAI's JSON, and a sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.llm.served import MODEL

if TYPE_CHECKING:
    from tests.llm.served import Served

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"


def test_what_there_is(served: Served) -> None:
    assert served.get("/health") == (200, {"status": "ok"})
    status, models = served.get("/v1/models")
    assert status == 200
    assert [model["id"] for model in models["data"]] == [MODEL]


def test_paths_and_methods(served: Served) -> None:
    for method, path, expected in (
        ("GET", "/v2/models", 404),
        ("POST", "/v1/embeddings", 404),
        ("GET", CHAT, 405),
        ("POST", "/health", 405),
        ("PUT", CHAT, 501),
    ):
        status, answer = served.send(method, path, "{}" if method != "GET" else None)
        assert status == expected, path
        assert answer["error"]["message"]


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        ({"model": "gpt"}, 404, "model: expected 'small-talk', found 'gpt'"),
        ({"n": 2}, 400, "n: expected 1, one answer to a request"),
        ({"prompt": ""}, 400, "prompt: expected a text of at least one character"),
        ({"prompt": [1, 2]}, 400, "prompt: expected a text of at least one character"),
        ({"max_tokens": 0}, 400, "max_tokens: expected a whole number of at least 1"),
        ({"max_tokens": "9"}, 400, "max_tokens: expected a whole number"),
        ({"min_tokens": -1}, 400, "min_tokens: expected a whole number"),
        ({"ignore_eos": "yes"}, 400, "ignore_eos: expected true or false"),
        ({"temperature": 3}, 400, "temperature: expected a number from 0 to 2"),
        ({"stream_options": [1]}, 400, "stream_options: expected an object"),
        (
            {"prompt": "x" * 4000, "max_tokens": 97},
            400,
            "expected at most 4096 tokens in all, found 4000 of the prompt and 97",
        ),
        ({"prompt": "x" * 4096}, 400, "expected at most 4096 tokens in all"),
    ],
)
def test_requests(
    served: Served, said: dict[str, Any], status: int, sentence: str
) -> None:
    body = json.dumps({"model": MODEL, "prompt": "hello"} | said)
    found, answer = served.send("POST", COMPLETIONS, body)
    assert found == status
    assert answer["error"]["message"].startswith(sentence)
    assert answer["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", ["", "{", "[]", "[" * 100_000, "\ud800"])
def test_bodies_that_are_no_object(served: Served, body: str) -> None:
    with served.connect() as connection:
        connection.request("POST", CHAT, body.encode("utf-8", "surrogatepass"))
        response = connection.getresponse()
        assert response.status == 400
        message = json.loads(response.read())["error"]["message"]
        assert message.startswith("body: expected")


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        "hi",
        ["hi"],
        [{"role": "user"}],
        [{"content": [{"type": "image_url"}]}],
    ],
)
def test_messages_that_are_none(served: Served, messages: object) -> None:
    body = json.dumps({"model": MODEL, "messages": messages})
    status, answer = served.send("POST", CHAT, body)
    assert status == 400
    assert answer["error"]["message"].startswith("messages: expected")


def test_a_connection_outlives_a_refusal(served: Served) -> None:
    with served.connect() as connection:
        for path, status in ((COMPLETIONS, 400), ("/nowhere", 404), (COMPLETIONS, 400)):
            connection.request("POST", path, "no JSON")
            response = connection.getresponse()
            assert response.status == status
            response.read()
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    ("length", "status"),
    [("x", 411), ("-1", 411), ("9" * 5000, 411), ("99999999", 413)],
)
def test_lengths(served: Served, length: str, status: int) -> None:
    with served.connect() as connection:
        connection.putrequest("POST", CHAT)
        connection.putheader("Content-Length", length)
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == status
        assert json.loads(response.read())["error"]["message"]
