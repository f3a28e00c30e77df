"""What a request asks for, read from OpenAI's JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mighetero.llm.vocabulary import encode


class RequestError(Exception):
    """A request that cannot be answered: HTTP status, sentence, and OpenAI's code."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Completion:
    """A checked request.

    Attributes:
        prompt: Its tokens, at least one.
        max_tokens: The answer's greatest length in tokens; by default what the context
            has room for.
        min_tokens: The answer does not end before it has so many.
        ignore_eos: It has max_tokens.
        temperature: 0 takes the likeliest token each time, 1 draws as the model says.
        seed: Of the draws; the same prompt and seed give the same answer.
        stream: Each token is sent as it comes.
        include_usage: The stream ends with the counts.
    """

    prompt: bytes
    max_tokens: int
    min_tokens: int
    ignore_eos: bool
    temperature: float
    seed: int
    stream: bool
    include_usage: bool


def read_completion(body: bytes, *, model: str, context: int, chat: bool) -> Completion:
    """Check a request's body; *context* is the most tokens that the model can hold.

    Raises:
        RequestError: It is not JSON, asks for another model, or for what there isn't.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"body: expected JSON, found {error}") from error
    if not isinstance(said, dict):
        raise RequestError(400, "body: expected a JSON object")
    if said.get("model") != model:
        found = f"model: expected {model!r}, found {said.get('model')!r}"
        raise RequestError(404, found, "model_not_found")
    if _number(said, "n", 1) != 1:
        raise RequestError(400, "n: expected 1, one answer to a request")
    text = _conversation(said.get("messages")) if chat else _prompt(said.get("prompt"))
    prompt = encode(text)
    room = context - len(prompt)
    longest = "max_completion_tokens" if chat else "max_tokens"
    max_tokens = _number(said, longest, _number(said, "max_tokens", max(room, 1)), 1)
    if max_tokens > room:
        raise RequestError(
            400,
            f"expected at most {context} tokens in all, found {len(prompt)} of the "
            f"prompt and {max_tokens} to answer",
            "context_length_exceeded",
        )
    options = said.get("stream_options") or {}
    if not isinstance(options, dict):
        raise RequestError(400, "stream_options: expected an object")
    return Completion(
        prompt=prompt,
        max_tokens=max_tokens,
        min_tokens=_number(said, "min_tokens", 0),
        ignore_eos=_switch(said, "ignore_eos"),
        temperature=_temperature(said),
        seed=_number(said, "seed", 0) % 2**32,
        stream=_switch(said, "stream"),
        include_usage=_switch(options, "include_usage"),
    )


def _conversation(messages: Any) -> str:
    """Return the messages' texts, one below the other.

    Raises:
        RequestError: They are not messages, or have another content than text.
    """
    if not isinstance(messages, list) or not messages:
        raise RequestError(400, "messages: expected a list of at least one message")
    texts = []
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else [{"text": content}]
        for part in parts:
            text = part.get("text") if isinstance(part, dict) else None
            if not isinstance(text, str):
                raise RequestError(400, "messages: expected each with a text content")
            texts.append(text)
    return _prompt("\n".join(texts))


def _prompt(text: Any) -> str:
    if not isinstance(text, str) or not text:
        raise RequestError(400, "prompt: expected a text of at least one character")
    return text


def _number(said: Mapping[str, Any], name: str, default: int, least: int = 0) -> int:
    value = default if said.get(name) is None else said[name]
    if type(value) is not int or value < least:
        expected = f"a whole number of at least {least}"
        raise RequestError(400, f"{name}: expected {expected}, found {value!r}")
    return value


def _switch(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name) or False
    if value not in (True, False):
        raise RequestError(400, f"{name}: expected true or false, found {value!r}")
    return bool(value)


def _temperature(said: Mapping[str, Any]) -> float:
    value = 1 if said.get("temperature") is None else said["temperature"]
    if type(value) not in (int, float) or not 0 <= value <= 2:
        expected = "a number from 0 to 2"
        raise RequestError(400, f"temperature: expected {expected}, found {value!r}")
    return float(value)
