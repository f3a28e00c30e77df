"""The marker scanner, on every way a stream can be cut."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from pytest_mighetero.harness.marker import MarkerScanner

START = ("Starting running actual test", "Start running actual test")
LINES = {
    "LWIS": b"Starting running actual test.\n",
    "glog": b"I0315 06:43:23.1 12 main_bert.cc:176] Starting running actual test.\n",
    "rnnt": b"[I] Starting running actual test.\r\n",
    "triton": b"I0315 06:43:23.123456 12 x.cc:1] Start running actual test\n\n",
    "bad bytes before": b"\xff\xfe\x00 Starting running actual test.  \n",
    "coloured": b"\x1b[1;32mStarting running actual test.\x1b[0m\n",
    "coloured inside": b"Starting \x1b[1mrunning\x1b[22m actual\x1b[m test\x1b[0m.\n",
    "tput sgr0": b"\x1b[32mI0315] \x1b(B\x1b[mStarting running actual test.\x1b(B\r\n",
    "hyperlink": (
        b"\x1b]8;;https://x.org/?b=1\x1b\\Starting running\x1b]8;;\x1b\\ actual test.\n"
    ),
    "title": b"Starting running actual test.\x1b]0;Starting running\a\n",
    "title that nothing ends": b"\x1b]0;title\nStarting running actual test.\n",
    "broken sequences": b"\x1b\x1b[\n\x1b]\x1b[31mStarting running actual test.\x1b\n",
    "progress bar": b"\r 99 %\rStarting running actual test.          \r100 %",
    "erased": b"50 %\r\x1b[2KStarting running actual test.\x1b[K\r",
    "padded": b"Starting running actual test." + b" " * 370 + b"\r",
}
# Seen once nothing has followed them for a moment.
UNENDED = {
    "unended": b"[I] Starting running actual test.",
    "without full stop": b"Start running actual test",
    "blanks": b"Starting running actual test.  ",
    "coloured to its end": b"\x1b[1mStarting running actual test.\x1b[0m",
    "escape cut off": b"Starting running actual test.\x1b[0",
}
OTHERS = {
    "finish": b"Finished running actual test.\n",
    "echoed recipe": b'echo "Starting running actual test."\n',
    "longer": b"Starting running actual test. Not really.\n",
    "title only": b"\x1b]0;Starting running actual test.\a\n",
    "coloured sentence": b"Starting running actual test\x1b[0m of bert.\n",
    "dots": b"Starting running actual test...\n",
    "quoted": b"+ echo 'Starting running actual test.'\r\n",
    "recipe": b'echo "Starting running actual test."; ./run\n',
}


@pytest.mark.parametrize("name", LINES)
def test_found_in_one_chunk(name: str) -> None:
    scanner = MarkerScanner(START)
    assert scanner.feed(LINES[name])
    assert scanner.found


@pytest.mark.parametrize("name", OTHERS)
def test_not_mistaken(name: str) -> None:
    stream = OTHERS[name]
    for cut in range(len(stream)):
        scanner = MarkerScanner(START)
        assert not scanner.feed(stream[:cut]) + scanner.feed(stream[cut:]), cut
        assert not scanner.settle()


@pytest.mark.parametrize("name", UNENDED)
def test_what_no_end_follows_is_settled_by_whoever_knows_the_time(name: str) -> None:
    stream = UNENDED[name]
    for cut in range(len(stream)):
        scanner = MarkerScanner(START)
        assert not scanner.feed(stream[:cut]) + scanner.feed(stream[cut:])
        assert scanner.pending
        assert scanner.settle()
        assert scanner.found
        assert not scanner.settle()
        assert not scanner.feed(stream + b"\n")


def test_what_goes_on_in_time_is_no_marker() -> None:
    scanner = MarkerScanner(START)
    scanner.feed(b"Starting running actual test.")
    assert not scanner.feed(b" Not really.\n")
    assert not scanner.settle()
    assert scanner.feed(b"Starting running actual test.\n")


@pytest.mark.parametrize("endless", [b"x", b" ", b"\x1b[", b"\x1b]", b"\x1b", b"1;"])
def test_memory_is_bounded_whatever_goes_by(endless: bytes) -> None:
    scanner = MarkerScanner(START)
    scanner.feed(b"\x1b]Starting running actual test")
    tracemalloc.start()
    for _ in range(20):
        scanner.feed(endless * 20_000)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 10_000
    scanner.feed(b"\n")
    assert scanner.feed(LINES["glog"])


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
