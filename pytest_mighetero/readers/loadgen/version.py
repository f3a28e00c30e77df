"""What the LoadGen version written in a log says about how to read that log."""

from __future__ import annotations

import re

_VERSION = re.compile(r"\s*v?(\d{0,9})(?:\.(\d{1,9}))?", re.ASCII)

_FIRST_WITH_UTC_STAMPS = (1, 1)


def parse_version(text: str | None) -> tuple[int, int] | None:
    """Return the (major, minor) of LoadGen's ``loadgen_version``.

    Args:
        text: What the log says, as in ``6.0.17 @ d6147c7eb7`` or ``1.1 @ NA``. The
            LoadGen of the v1.0 round still calls itself ``.5a1 @ 6958607d52``: (0, 5).

    Returns:
        The two leading numbers, or None where there are none.
    """
    found = _VERSION.match(text or "")
    if found is None or (not found[1] and found[2] is None):
        return None
    return int(found[1] or 0), int(found[2] or 0)


def stamps_are_local(text: str | None) -> bool | None:
    """Tell whether ``power_begin`` and ``power_end`` are in the host's local time.

    They are up to LoadGen v1.0.1, and in UTC since (mlcommons/inference #898, June
    2021, between the rounds v1.0 and v1.1). ``test_datetime`` is local in all versions.

    Args:
        text: The log's ``loadgen_version``.

    Returns:
        None when the log does not say which LoadGen wrote it.
    """
    version = parse_version(text)
    return None if version is None else version < _FIRST_WITH_UTC_STAMPS
