"""OpenAI's JSON: answers whole and in parts, the list of models, refusals."""

from __future__ import annotations

import time
import uuid
from typing import Any

from pytest_mighetero.llm.completion import RequestError
from pytest_mighetero.llm.engine import Answer


class Reply:
    """What is sent of one answer, whose parts have one id."""

    def __init__(self, model: str, *, chat: bool) -> None:
        self._model = model
        self._chat = chat
        self._id = ("chatcmpl-" if chat else "cmpl-") + uuid.uuid4().hex
        self._created = int(time.time())
        self._role = {"role": "assistant"} if chat else {}

    def token(self, text: str) -> dict[str, Any]:
        """Return the part of a stream that carries a token; the first has the role."""
        said = (
            {"delta": self._role | {"content": text}} if self._chat else {"text": text}
        )
        self._role = {}
        return self._part(said, None)

    def end(self, answer: Answer) -> dict[str, Any]:
        """Return the part that says why the answer ended."""
        said: dict[str, Any] = {"delta": {}} if self._chat else {"text": ""}
        return self._part(said, answer.finish_reason)

    def usage(self, answer: Answer) -> dict[str, Any]:
        """Return the part that carries the counts alone."""
        return self._wrap("chunk", []) | {"usage": _usage(answer)}

    def whole(self, text: str, answer: Answer) -> dict[str, Any]:
        """Return an answer that is not streamed."""
        said: dict[str, Any] = {"text": text}
        if self._chat:
            said = {"message": self._role | {"content": text}}
        choice = _choice(said, answer.finish_reason)
        return self._wrap("", [choice]) | {"usage": _usage(answer)}

    def _part(self, said: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
        return self._wrap("chunk", [_choice(said, finish_reason)])

    def _wrap(self, part: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        kind = "text_completion"
        if self._chat:
            kind = f"chat.completion.{part}" if part else "chat.completion"
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }


def _choice(said: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, **said, "logprobs": None, "finish_reason": finish_reason}


def _usage(answer: Answer) -> dict[str, int]:
    prompt = len(answer.asked.prompt)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer.tokens,
        "total_tokens": prompt + answer.tokens,
    }


def model_list(model: str) -> dict[str, Any]:
    """Return the list of the one model."""
    card = {"id": model, "object": "model", "created": 0, "owned_by": "mighetero"}
    return {"object": "list", "data": [card]}


def refusal(error: RequestError) -> dict[str, Any]:
    """Return what a client is told of an error."""
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    told = {"message": str(error), "type": kind, "param": None, "code": error.code}
    return {"error": told}
