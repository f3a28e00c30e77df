"""Where a verb writes what it makes: a file, or standard output."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.reserve import replace


def add_output(
    parser: argparse.ArgumentParser,
    *endings: str,
    text: str = "where to write it (standard output)",
    required: bool = False,
) -> None:
    """Add the argument that names the file, which has one of *endings*, or none."""

    def checked(name: str) -> str:
        found = Path(name).suffix
        if found and found.lower() not in endings:
            raise argparse.ArgumentTypeError(
                f"expected a name that ends in {' or '.join(endings)}, which is what "
                f"is written, found {name}"
            )
        return name

    parser.add_argument(
        *("-o", "--output"), metavar="FILE", type=checked, required=required, help=text
    )


def write_output(output: str | None, text: str) -> None:
    """Write *text* to the file that was named, whole or not, or to standard output.

    Raises:
        ConfigError: it cannot be written there.
    """
    if output is None:
        sys.stdout.buffer.write(text.encode())
        return
    path, content = Path(output), text.encode()
    try:
        if path.exists() and not path.is_file():  # a pipe, a terminal
            path.write_bytes(content)
        else:
            replace(path.resolve(), [content], durable=False, last=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"--output: {output} cannot be written: {why}; name a file in a "
            f"folder that exists"
        ) from error
