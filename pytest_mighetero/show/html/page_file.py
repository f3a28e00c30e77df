"""The file of a page: whole, or as it was before."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.records.record import Record
from pytest_mighetero.records.record_file import RecordError
from pytest_mighetero.records.whole_file import whole_file
from pytest_mighetero.show.html.document import UNKNOWN, Ending, write_document
from pytest_mighetero.show.html.entry import Entry


def check_page(path: Path, *, said_by: str) -> None:
    """Make the folder of *path*, and see whether a file can be made there.

    Raises:
        ConfigError: none can.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        if path.is_file() or not path.exists():
            tempfile.TemporaryFile(dir=Path(os.path.realpath(path)).parent).close()
    except OSError as error:
        raise _refused(path, said_by, error) from error


def write_page(
    records: Iterable[Record | RecordError],
    path: Path,
    about: Mapping[str, str],
    *,
    said_by: str,
    ending: Ending = UNKNOWN,
) -> list[Entry]:
    """Write the page of *records* as *path*, and return what they came to.

    It is written under another name, then renamed; into what is no plain file, such as
    a pipe, it is written as it is made.

    Raises:
        ConfigError: it cannot be written, or the template engine is not installed.
    """
    try:
        with whole_file(path) as file:
            return write_document(records, file, about, ending=ending)
    except OSError as error:
        raise _refused(path, said_by, error) from error


def _refused(path: Path, said_by: str, error: OSError) -> ConfigError:
    return ConfigError(
        f"{said_by}: {path} cannot be written: {error.strerror}; name a file in a "
        f"folder that you may write to"
    )
