"""Whether something is there, where not being allowed to look is no answer."""

from __future__ import annotations

from pathlib import Path


def found(path: Path) -> bool:
    """Tell whether there is *path*, be it a link to nothing.

    Raises:
        OSError: nobody knows: a folder on the way may not be entered, for example.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    return True
