"""Where a verb writes what it makes: a file, or standard output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pytest_mighetero.cli.argument import named_path
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.whole_file import whole_file


def add_output(
    parser: argparse.ArgumentParser,
    *endings: str,
    text: str = "where to write it (standard output)",
    required: bool = False,
) -> None:
    """Add the argument that names the file, which has one of *endings*, or none."""

    def checked(name: str) -> str:
        found = Path(named_path(name)).suffix
        if found and found.lower() not in endings:
            raise argparse.ArgumentTypeError(
                f"expected a name that ends in {' or '.join(endings)}, which is what "
                f"is written, found {name}"
            )
        return name

    parser.add_argument(
        *("-o", "--output"), metavar="FILE", type=checked, required=required, help=text
    )


@contextmanager
def opened_output(output: str | None) -> Iterator[IO[bytes]]:
    """Yield the file that was named, written whole or not, or standard output.

    Raises:
        ConfigError: it cannot be written there.
    """
    if output is None:
        yield sys.stdout.buffer
        return
    try:
        with whole_file(Path(output)) as file:
            yield file
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"--output: {output} cannot be written: {why}; name a file in a "
            f"folder that exists and that you may write to"
        ) from error


def write_output(output: str | None, text: str) -> None:
    """Write *text* to the file that was named, whole or not, or to standard output.

    Raises:
        ConfigError: it cannot be written there.
    """
    with opened_output(output) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
