"""What a terminal shows while runs last, and that nothing of it is left afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pexpect
import pytest

from tests.lab import needs
from tests.lab.driver import Files, Lab
from tests.lab.processes import until
from tests.lab.screen import Screen

needs.module("rich")

ROW = re.compile(r"^\S+ +(dlrm_server|bert_offline|resnet50_offline) +", re.MULTILINE)
AUTOMATIC = ("--background-benchmark-duration=automatic",)


@dataclass
class Watched:
    """A pytest on a terminal: what that shows now, and what it has shown."""

    child: pexpect.spawn[Any]
    screen: Screen
    seen: list[str] = field(default_factory=list)

    def until(self, condition: Callable[[str], object]) -> str:
        """Read until the screen's text meets *condition*; fail at the end of all."""
        while not condition(text := self.screen.text):
            data = self.child.read_nonblocking(65536, 30)
            self.screen.feed(data)
            self.seen.append(self.screen.text)
        return text

    def to_the_end(self) -> int:
        try:
            self.until(lambda _: False)
        except pexpect.EOF:
            self.child.close()
        assert self.screen.strange == []
        return int(self.child.exitstatus or 0)

    def showed(self, pattern: str) -> bool:
        return any(re.search(pattern, text, re.MULTILINE) for text in self.seen)


Watch = Callable[..., Watched]


@pytest.fixture
def watch(lab: Lab) -> Iterator[Watch]:
    started = []

    def watch(
        *options: str,
        columns: int = 80,
        lines: int = 24,
        k: str = "dlrm_server",
        arguments: Sequence[str] | None = None,
        **environment: str,
    ) -> Watched:
        if arguments is None:
            arguments = lab.arguments("-k", k, *options)
        variables = {**os.environ, "TERM": "xterm-256color", **environment}
        for name in ("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "COLUMNS", "LINES", "CI"):
            if name not in environment:
                variables.pop(name, None)
        child = pexpect.spawn(
            sys.executable,
            ["-mpytest", *arguments],
            cwd=str(lab.folder),
            env=variables,
            timeout=30,
            dimensions=(lines, columns),
        )
        started.append(child)
        return Watched(child, Screen(columns, lines))

    yield watch
    for child in started:
        child.close(force=True)


def test_a_line_for_each_harness(lab: Lab, watch: Watch) -> None:
    lab.fake(dlrm={"test": 3})
    run = watch("--background-benchmark-duration=6s", "--main-benchmark-duration=2s")
    assert run.to_the_end() == 0
    assert run.showed(r"^dlrm_server: main runs \(\d s\), ~\d s left$")
    device, end = r"^\.\.0000000\d +", r"\d % of ~2 s$"
    assert run.showed(rf"{device}dlrm_server +main +issuing +\d s +\d?{end}")
    assert run.showed(rf"{device}bert_offline +background +issuing +\d s +~\d s left$")
    assert run.showed(rf"{device}dlrm_server +main +exited 0 +\d s$")
    assert run.showed(r"^dlrm_server: backgrounds finish \(\d s\), ~\d s left$")
    (line,) = re.findall(r"^test_run\.py.*$", run.screen.text, re.MULTILINE)
    assert re.fullmatch(r"test_run\.py \. +\[100%\]", line)
    assert not ROW.search(run.screen.text)


def test_workers_have_a_line_each(watch: Watch) -> None:
    needs.module("xdist")
    run = watch(*AUTOMATIC, "--main-benchmark-duration=1s", "-n2", k="server")
    assert run.to_the_end() == 0
    assert run.showed(r"^2 in flight, \d of 2 tests are over$")
    main = r"^gw\d  (dlrm|bert)_server: main runs since \d\d:\d\d:\d\d \(\d s\)"
    assert run.showed(main)
    assert run.showed(r"^gw\d  (dlrm|bert)_server: waits for a GPU: ")
    assert "in flight" not in run.screen.text


TERMS = ("xterm-256color", "dumb")


@pytest.mark.parametrize("term", TERMS)
def test_workers_of_whose_runs_nobody_told_their_controller(
    lab: Lab, watch: Watch, term: str
) -> None:
    needs.module("xdist")
    arguments = lab.unsaid("-n2", "-k", "server", main_benchmark_duration="3s")
    run = watch(arguments=arguments, TERM=term)
    assert run.to_the_end() == 0
    assert run.showed(r"^2 in flight, 0 of 2 tests are over$")
    row = r"^gw\d  (dlrm|bert)_server: main runs since \d\d:\d\d:\d\d \(\d s\)"
    assert run.showed(row) == (term != "dumb")
    # What is said begins a line; of two that end at once something may be said between.
    said = r"(\n(.*\n)*?)?" if term == "dumb" else ""
    progress = rf"^\.{said}\.{said} +\[100%\]"
    assert re.search(progress, run.screen.text, re.MULTILINE)
    assert "in flight" not in run.screen.text


@pytest.mark.parametrize("term", TERMS)
def test_ctrl_c_leaves_nothing_of_workers(lab: Lab, watch: Watch, term: str) -> None:
    needs.module("xdist")
    lab.fake(**{"*": {"test": 300}})
    arguments = lab.unsaid("-n2", "-k", "server", mig_stop_grace="300ms")
    run = watch(arguments=arguments, TERM=term)
    run.until(lambda text: "2 in flight" in text)
    run.child.sendintr()
    assert run.to_the_end() == 2
    assert "in flight" not in run.screen.text
    assert not re.search(r"^gw\d  ", run.screen.text, re.MULTILINE)
    said = [each for case in Files(lab.folder).junit for each in case.problems.values()]
    assert ["Interrupted by Ctrl-C in an xdist" in each for each in said] == [True] * 2


def test_the_time_of_the_whole_session(watch: Watch) -> None:
    run = watch(*AUTOMATIC, "--main-benchmark-duration=1s", k="server")
    assert run.to_the_end() == 0
    assert run.showed(
        r"^dlrm_server: .*, ~\d s left, ~\d s for all runs$"
    ) or run.showed(r"^bert_server: .*, ~\d s left, ~\d s for all runs$")
    assert run.showed(r"main runs \(\d s\), ~\d s left$")


FLAGS = [
    ("-v",),
    ("-vv", "--color=yes"),
    ("-s",),
    ("--capture=sys",),
    ("--capture=tee-sys", "-v"),
    ("--color=no",),
    ("-p", "no:timeout"),
]


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_whatever_is_asked_for(lab: Lab, watch: Watch, flags: tuple[str, ...]) -> None:
    lab.fake(dlrm={"test": 1})
    lab.pytester.makepyfile(
        test_run="""
        import warnings

        def test_it(background, main):
            print("before main")
            main.run()
            print("after main")
            warnings.warn("mind this")
        """
    )
    run = watch(*AUTOMATIC, *flags)
    assert run.to_the_end() == 0
    assert run.showed(r"dlrm_server +main +(ready|issuing)")
    text = run.screen.text
    assert not ROW.search(text)
    assert "1 passed, " in text
    assert "mind this" in text
    assert "main runs" not in text
    if "-s" in flags:
        assert re.search(r"^before main\n(.*\n)?after main$", text, re.MULTILINE)


@pytest.mark.parametrize("flags", [("-q",), ("-qq",), ("-p", "no:terminal")])
def test_quiet(lab: Lab, watch: Watch, flags: tuple[str, ...]) -> None:
    lab.fake(dlrm={"test": 1})
    run = watch(*AUTOMATIC, *flags)
    assert run.to_the_end() == 0
    assert not run.showed("main runs")
    assert not any(map(ROW.search, run.seen))


@pytest.mark.parametrize("how", [{"NO_COLOR": "1"}, {"COLUMNS": "30"}])
def test_without_colour(lab: Lab, watch: Watch, how: dict[str, str]) -> None:
    lab.fake(dlrm={"test": 1})
    run = watch(*AUTOMATIC, **how)
    assert run.to_the_end() == 0
    assert run.showed(r"dlrm_server +main +(ready|issuing)")


def test_a_dumb_terminal_has_one_line(lab: Lab, watch: Watch) -> None:
    lab.fake(dlrm={"test": 1})
    run = watch(*AUTOMATIC, TERM="dumb")
    assert run.to_the_end() == 0
    assert run.showed(r"^dlrm_server: main runs \(\d s\)")
    assert not any(map(ROW.search, run.seen))


def test_without_rich_there_is_one_line_and_a_hint(lab: Lab, watch: Watch) -> None:
    lab.fake(dlrm={"test": 1})
    lab.pytester.makeconftest("import sys; sys.modules['rich'] = None")
    run = watch(*AUTOMATIC)
    assert run.to_the_end() == 0
    assert run.showed(r"^dlrm_server: main runs \(\d s\)")
    assert not any(map(ROW.search, run.seen))
    assert run.screen.text.count("pip install 'pytest-mighetero[live]'") == 1


@pytest.mark.parametrize(("columns", "lines"), [(20, 24), (40, 10), (80, 5), (200, 4)])
def test_small_terminals(lab: Lab, watch: Watch, columns: int, lines: int) -> None:
    lab.fake(dlrm={"test": 1})
    run = watch(*AUTOMATIC, columns=columns, lines=lines)
    assert run.to_the_end() == 0
    assert run.showed(r"^dlrm_server: ")
    assert "main runs" not in run.screen.text
    assert not re.search(r"^\.\.0000", run.screen.text, re.MULTILINE)


def test_a_narrow_terminal_says_how_long_it_lasts_in_a_line_of_its_own(
    watch: Watch,
) -> None:
    run = watch(*AUTOMATIC, "--main-benchmark-duration=1s", columns=40, k="server")
    assert run.to_the_end() == 0
    assert run.showed(r"^~\d+ s left, ~\d+ s for all runs$")
    assert not ROW.search(run.screen.text)
    assert "left" not in run.screen.text


@pytest.fixture
def tmux() -> Iterator[Callable[..., str]]:
    """A terminal that breaks lines anew when it is resized."""
    needs.programs("tmux", of="tmux")
    server = ["tmux", "-f", "/dev/null", "-L", f"mighetero-{os.getpid()}"]

    def tmux(*words: str) -> str:
        done = subprocess.run([*server, *words], check=True, stdout=subprocess.PIPE)
        return done.stdout.decode()

    yield tmux
    subprocess.run([*server, "kill-server"], check=False)


def test_a_terminal_that_is_made_narrower_and_wider(
    lab: Lab, tmux: Callable[..., str]
) -> None:
    lab.fake(**{"*": {"test": 300}})
    words = [sys.executable, "-mpytest", *lab.arguments("-k", "dlrm_server")]
    size = ("-x", "80", "-y", "20")
    command = ("env", "TERM=screen", *words, "--mig-stop-grace=300ms")
    tmux("new-session", "-d", *size, "-c", str(lab.folder), *command)
    tmux("set-option", "remain-on-exit", "on")
    wide, narrow = (
        r"\.\.00000001 +dlrm_server +main +issuing",
        r"\.\.00 dlrm main issuing",
    )

    def shows(row: str) -> bool:
        text = tmux("capture-pane", "-p")
        lines = rf"^test_run\.py\ndlrm_server: main runs.*\n(~.*\n)?{row}"
        once = len(ROW.findall(text)) <= 3
        return once and bool(re.search(lines, text, re.MULTILINE))

    for columns, row in ("80", wide), ("40", narrow), ("100", wide), ("80", wide):
        tmux("resize-window", "-x", columns)
        until(partial(shows, row))
    tmux("send-keys", "C-c")
    until(lambda: " 1 error in " in tmux("capture-pane", "-pJ", "-S", "-"))
    assert not ROW.search(tmux("capture-pane", "-p", "-S", "-"))


def test_ctrl_c_leaves_nothing(lab: Lab, watch: Watch) -> None:
    lab.fake(**{"*": {"test": 300}})
    run = watch("--mig-stop-grace=300ms")
    run.until(lambda text: re.search(r"dlrm_server +main +(issuing|ready)", text))
    run.child.sendintr()
    assert run.to_the_end() == 2
    assert not ROW.search(run.screen.text)
    assert "Interrupted by Ctrl-C while main runs" in " ".join(run.screen.text.split())


def test_sigterm_and_ctrl_c_again_while_it_is_stopped(lab: Lab, watch: Watch) -> None:
    lab.fake(**{"*": {"test": 300, "ignore": True}})
    run = watch("--mig-stop-grace=60s")
    run.until(lambda text: re.search(r"dlrm_server +main +(issuing|ready)", text))
    run.child.kill(signal.SIGTERM)
    run.until(lambda text: "what still runs is stopped" in text)
    run.child.sendintr()
    assert run.to_the_end() == 2
    assert not ROW.search(run.screen.text)
    assert "Interrupted by SIGTERM" in run.screen.text


def test_a_run_that_is_stopped_and_continued(lab: Lab, watch: Watch) -> None:
    lab.fake(dlrm={"test": 3})
    run = watch(*AUTOMATIC)
    run.until(lambda text: re.search(r"dlrm_server +main +(issuing|ready)", text))
    run.child.sendcontrol("z")
    text = run.until(lambda text: not ROW.search(text))
    assert text.endswith("test_run.py")
    run.child.kill(signal.SIGCONT)
    run.until(ROW.search)
    assert run.to_the_end() == 0
    assert not ROW.search(run.screen.text)


def test_markup_in_a_name_is_shown_as_text(lab: Lab, watch: Watch) -> None:
    lab.fake(dlrm={"test": 1})
    lab.pytester.makepyfile(
        test_run="""
        import pytest

        @pytest.mark.parametrize("more", ["[bold]x[/bold]"])
        def test_it(background, main, more):
            main.run()
        """
    )
    run = watch(*AUTOMATIC)
    assert run.to_the_end() == 0
    assert run.showed(r"^\S*\[bold\]x\[/bold\]\S*: main runs \(\d s\)")


def test_a_log_line_of_a_thread_is_printed_above(lab: Lab, watch: Watch) -> None:
    lab.fake(dlrm={"test": 2})
    lab.pytester.makepyfile(
        test_run="""
        import logging, threading

        def test_it(background, main):
            threading.Timer(0.5, logging.getLogger().warning, ["look here"]).start()
            main.run()
        """
    )
    run = watch(*AUTOMATIC, "-o", "log_cli=true")
    assert run.to_the_end() == 0
    assert "look here" in run.screen.text
    assert not ROW.search(run.screen.text)


def test_a_run_is_worth_no_less_for_what_is_shown_of_it(lab: Lab, watch: Watch) -> None:
    lab.fake(dlrm={"test": 2})
    lab.pytester.makeconftest(
        """
        from pytest_mighetero.plugin.console import display

        told = []

        def rows_of(states, now, most):
            if told:
                raise RuntimeError("a fault of the display")
            told.append(real(states, now, most))
            return told[0]

        real, display.rows_of = display.rows_of, rows_of
        """
    )
    run = watch(*AUTOMATIC, "--mig-heartbeat=500ms")
    assert run.to_the_end() == 0
    assert run.showed("0 of 2 backgrounds have started")
    assert "mighetero: dlrm_server: main runs since" in run.screen.text
    assert "0 of 2 backgrounds" not in run.screen.text
    assert "fault of the display" not in run.screen.text


@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_a_terminal_that_stalls_is_not_waited_for(
    lab: Lab, watch: Watch, term: str
) -> None:
    """Nobody reads it until the run is over, which its test writes into a file."""
    lab.fake(dlrm={"test": 2})
    lab.pytester.makepyfile(
        test_run="""
        import os, termios
        from pathlib import Path

        def fill(terminal, most=10**6):
            for written in range(0, most, 16):
                try:
                    os.write(terminal, b"filler, filler, ")
                except BlockingIOError:
                    return written
            return most

        def test_it(background, main):
            terminal = os.open("/dev/tty", os.O_WRONLY | os.O_NONBLOCK)
            fill(terminal)
            termios.tcflush(terminal, termios.TCOFLUSH)
            room = fill(terminal)
            termios.tcflush(terminal, termios.TCOFLUSH)
            fill(terminal, room - 100)
            main.run()
            Path("over").touch()
        """
    )
    run = watch(*AUTOMATIC, TERM=term)
    until((lab.folder / "over").exists)
    assert run.to_the_end() == 0
    assert "1 passed" in run.screen.text
    assert "main runs" not in run.screen.text
