"""The ``mighetero`` command: looks at devices and records, without running pytest."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import pytest_mighetero
from pytest_mighetero.cli import (
    compare,
    doctor,
    export,
    init,
    interference,
    junit,
    report,
    show,
    timeline,
    trace,
    trend,
)
from pytest_mighetero.cli import list as list_
from pytest_mighetero.cli.completion import SHELLS, Completion
from pytest_mighetero.cli.formatter import Formatter
from pytest_mighetero.errors import MigheteroError
from pytest_mighetero.terms.printable import printable_line

VERBS = (
    init,
    doctor,
    list_,
    show,
    compare,
    trend,
    interference,
    timeline,
    trace,
    report,
    junit,
    export,
)

EPILOG = """\
examples:
  mighetero init --mig-suite=v5.1 --ci=gitlab
  mighetero doctor --mig-suite=v2.0
  mighetero list --mig-suite=v2.0
  mighetero show results
  mighetero compare last-week/results results
  mighetero trend results -o trend.svg
  mighetero interference results -o heat.svg
  mighetero trace results/20260722-101500-dlrm_server -o trace.json
  mighetero report results -o report.html
  mighetero junit results -o report.xml
  mighetero export results/20260722-101500-dlrm_server
  mighetero export results --openmetrics -o mighetero.prom
  eval "$(mighetero --completion bash)"

exit codes: 0; 1 where a verb's help says so; 2 for wrong use
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        said = printable_line(message)
        self.exit(2, f"{self.prog}: {said}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="mighetero",
        description="Devices, suites and records of heterogeneous MIG runs.",
        epilog=EPILOG,
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    version = f"pytest-mighetero {pytest_mighetero.__version__}"
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument(
        "--completion",
        action=Completion,
        choices=SHELLS,
        help="print a script that completes this command in a shell",
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for verb in VERBS:
        of_verb = verbs.add_parser(
            verb.NAME,
            help=verb.HELP,
            description=verb.DESCRIPTION,
            formatter_class=Formatter,
            allow_abbrev=False,
        )
        verb.add_arguments(of_verb)
        of_verb.set_defaults(run=verb.run, verb=verb.NAME)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; *argv* is None for the process's."""
    _open_closed()
    said = "mighetero"
    try:
        try:
            arguments = _parser().parse_args(argv)
        except SystemExit as end:  # --help, --version, wrong use
            sys.stdout.flush()
            return int(end.code or 0)
        said = f"mighetero {arguments.verb}"
        if isinstance(sys.stdout, io.TextIOWrapper):  # harnesses print what they like
            sys.stdout.reconfigure(errors="backslashreplace")
        code = int(arguments.run(arguments))
        sys.stdout.flush()
    except MigheteroError as error:
        return _refused(said, printable_line(" ".join(str(error).split())))
    except BrokenPipeError:  # whoever read it has seen enough
        _drop_output()
        return 0
    except OSError as error:
        if error.filename is None:
            _drop_output()
        return _refused(said, printable_line(_reason(error)))
    return code


def _reason(error: OSError) -> str:
    """Say what could not be used: a file, the present folder, or what is printed to."""
    why = error.strerror or error
    if error.filename is not None:
        return f"{error.filename}: {why}"
    try:
        os.getcwd()  # noqa: PTH109 - no path is wanted
    except OSError:
        return f"the present folder: {why}; go to one that is there (cd)"
    return f"its output cannot be written: {why}"


def _refused(said: str, sentence: str) -> int:
    with suppress(OSError):  # a terminal that is gone
        print(f"{said}: {sentence}", file=sys.stderr)
    return 2


def _open_closed() -> None:
    """Have an output that was closed refuse what is printed, and errors vanish.

    Their numbers would go to the next files that are opened.
    """
    for number, name, mode in ((1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, mode), number)
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))


def _drop_output() -> None:
    """Have Python not write, when it ends, what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
