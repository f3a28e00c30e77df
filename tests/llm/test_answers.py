"""What a client gets: whole answers and streams, their tokens and counts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.llm.served import MODEL

if TYPE_CHECKING:
    from tests.llm.served import Served

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
HELLO = [{"role": "user", "content": "hello"}]


def test_chat_streams_a_token_a_chunk(served: Served) -> None:
    *events, done = served.stream(CHAT, messages=HELLO, max_tokens=7, ignore_eos=True)
    assert done == "[DONE]"
    chunks = [json.loads(event) for event in events]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["model"] for chunk in chunks} == {MODEL}
    assert len({chunk["id"] for chunk in chunks}) == 1
    *tokens, end = [chunk["choices"][0] for chunk in chunks]
    assert tokens[0]["delta"]["role"] == "assistant"
    assert [len(token["delta"]["content"]) for token in tokens] == [1] * 7
    assert {token["finish_reason"] for token in tokens} == {None}
    assert end["delta"] == {}
    assert end["finish_reason"] == "length"


def test_completions_stream_text(served: Served) -> None:
    *events, done = served.stream(
        COMPLETIONS, prompt="hello", max_tokens=3, min_tokens=3
    )
    assert done == "[DONE]"
    choices = [json.loads(event)["choices"][0] for event in events]
    assert [len(choice["text"]) for choice in choices] == [1, 1, 1, 0]
    assert choices[-1]["finish_reason"] == "length"


def test_usage_comes_last_where_it_is_asked_for(served: Served) -> None:
    asked = {"messages": HELLO, "max_tokens": 4, "ignore_eos": True}
    usage = {"include_usage": True}
    *_, last, done = served.stream(CHAT, stream_options=usage, **asked)
    assert done == "[DONE]"
    assert json.loads(last)["choices"] == []
    assert json.loads(last)["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 4,
        "total_tokens": 9,
    }
    assert not any("usage" in event for event in served.stream(CHAT, **asked))


def test_streams_say_what_whole_answers_say(served: Served) -> None:
    whole = served.chat("what next?", max_tokens=40)
    *events, _ = served.stream(
        CHAT, messages=[{"role": "user", "content": "what next?"}], max_tokens=40
    )
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events]
    said = "".join(delta.get("content", "") for delta in deltas)
    assert said == whole["choices"][0]["message"]["content"]
    assert served.complete("what next?", max_tokens=40)["choices"][0]["text"] == said
    assert whole["object"] == "chat.completion"
    assert whole["usage"]["completion_tokens"] == len(said)


def test_prompts_are_counted_in_bytes(served: Served) -> None:
    parts = [{"type": "text", "text": "Grüße"}, {"type": "text", "text": "!"}]
    messages = [{"role": "system", "content": "be kind"}, {"role": "user"}]
    messages[1] |= {"content": parts}  # type: ignore[dict-item]
    events = served.stream(
        CHAT, messages=messages, max_tokens=1, stream_options={"include_usage": True}
    )
    told = json.loads(events[-2])["usage"]["prompt_tokens"]
    assert told == len("be kind\nGrüße\n!".encode())


def test_the_same_prompt_and_seed_give_the_same_tokens(served: Served) -> None:
    def text(**said: object) -> str:
        answer = served.complete("once", max_tokens=50, ignore_eos=True, **said)
        return str(answer["choices"][0]["text"])

    assert text() == text() == text(seed=0, temperature=1)
    assert text(seed=1) == text(seed=1) != text()
    assert text(temperature=0, seed=1) == text(temperature=0) != text()


def test_answers_end_by_themselves_unless_told_not_to(served: Served) -> None:
    def finish(**said: object) -> tuple[str, int]:
        answer = served.complete("hello", max_tokens=3000, **said)
        return answer["choices"][0]["finish_reason"], len(answer["choices"][0]["text"])

    reason, natural = finish()
    assert reason == "stop"
    assert natural < 3000
    assert finish(min_tokens=natural) == ("stop", natural)
    reason, longer = finish(min_tokens=natural + 1)
    assert reason == "stop"
    assert longer > natural
    assert finish(ignore_eos=True) == ("length", 3000)


def test_max_completion_tokens_wins(served: Served) -> None:
    answer = served.chat("hi", max_tokens=9, max_completion_tokens=2, ignore_eos=True)
    assert answer["usage"]["completion_tokens"] == 2
    assert answer["choices"][0]["message"]["role"] == "assistant"


def test_without_a_length_the_context_is_the_limit(served: Served) -> None:
    answer = served.complete("x" * 4000, ignore_eos=True)
    assert answer["usage"]["total_tokens"] == 4096
    assert answer["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("requests", [2, 40])  # 40: more than are answered at a time
def test_requests_at_once_get_the_answers_they_get_alone(
    served: Served, requests: int
) -> None:
    prompts = ["tell me about number " + "!" * i for i in range(requests)]

    def answer(prompt: str) -> dict[str, object]:
        found = served.complete(prompt, max_tokens=20, temperature=0)
        return {"text": found["choices"][0]["text"], "usage": found["usage"]}

    with ThreadPoolExecutor(requests) as pool:
        together = list(pool.map(answer, prompts))
    assert together == [answer(prompt) for prompt in prompts]
    assert len({str(one["text"]) for one in together}) > requests / 2


def test_a_late_request_does_not_wait_for_a_long_one(served: Served) -> None:
    asked = {"model": MODEL, "prompt": "long", "stream": True, "ignore_eos": True}
    with served.connect() as long:
        long.request("POST", COMPLETIONS, json.dumps(asked))
        response = long.getresponse()
        response.read(100)
        with ThreadPoolExecutor() as pool:
            rest = pool.submit(response.read)
            served.complete("short", max_tokens=2)
            assert not rest.done()
        assert rest.result().endswith(b"data: [DONE]\n\n")
