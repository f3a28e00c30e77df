"""Where a verb writes what it makes: a file, or standard output."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_mighetero.errors import ConfigError


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the file."""
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where to write it (standard output)"
    )


def write_output(output: str | None, text: str) -> None:
    """Write *text* to the file that was named, or to standard output.

    Raises:
        ConfigError: it cannot be written there.
    """
    if output is None:
        sys.stdout.buffer.write(text.encode())
        return
    try:
        Path(output).write_bytes(text.encode())
    except OSError as error:
        raise ConfigError(
            f"--output: {output} cannot be written: {error.strerror}; name a file in a "
            f"folder that exists"
        ) from error
