"""What a GPU says of itself, by the names of records: ``power_w``. Pure."""

from __future__ import annotations

_UNITS = {"w": "W", "c": "\u00b0C", "mhz": "MHz", "mb": "MB"}


def quantity_of(name: str) -> tuple[str, str]:
    """Return what it is and its unit, ``power`` and ``W``; "" where none is told."""
    what, _, unit = name.rpartition("_")
    return (what.replace("_", " "), _UNITS.get(unit, unit)) if what else (name, "")
