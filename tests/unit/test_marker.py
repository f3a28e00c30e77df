"""The marker scanner, on every way a stream can be cut."""

from __future__ import annotations

import random

import pytest

from pytest_mighetero.harness.marker import MarkerScanner

START = ("Starting running actual test", "Start running actual test")
LINES = {
    "LWIS": b"Starting running actual test.\n",
    "glog": b"I0315 06:43:23.1 12 main_bert.cc:176] Starting running actual test.\n",
    "rnnt": b"[I] Starting running actual test.\r\n",
    "triton": b"I0315 06:43:23.123456 12 x.cc:1] Start running actual test\n\n",
    "bad bytes before": b"\xff\xfe\x00 Starting running actual test.  \n",
}
OTHERS = {
    "finish": b"Finished running actual test.\n",
    "echoed recipe": b'echo "Starting running actual test."\n',
    "longer": b"Starting running actual test. Not really.\n",
    "no line end": b"Starting running actual test.",
}


@pytest.mark.parametrize("name", LINES)
def test_found_in_one_chunk(name: str) -> None:
    scanner = MarkerScanner(START)
    assert scanner.feed(LINES[name])
    assert scanner.found


@pytest.mark.parametrize("name", OTHERS)
def test_not_mistaken(name: str) -> None:
    scanner = MarkerScanner(START)
    assert not scanner.feed(OTHERS[name])


@pytest.mark.parametrize("name", LINES)
def test_found_exactly_once_however_it_is_split(name: str) -> None:
    stream = b"noise\n" * 50 + LINES[name] + b"Finished running actual test.\n" * 9
    for cut in range(len(stream)):
        scanner = MarkerScanner(START)
        assert scanner.feed(stream[:cut]) + scanner.feed(stream[cut:]) == 1, cut


def test_found_in_random_chunks() -> None:
    stream = b"x" * 10_000 + b"\n" + LINES["glog"] + b"y" * 10_000
    for seed in range(50):
        choice, scanner, found, at = random.Random(seed), MarkerScanner(START), 0, 0
        while at < len(stream):
            step = choice.randint(1, 300)
            found += scanner.feed(stream[at : at + step])
            at += step
        assert found == 1, seed
