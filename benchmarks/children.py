"""The children that the benchmark starts in harnesses' place; see ``child.c``."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

MARKER = "Starting running actual test."
LINE_BYTES = 100
_HERE = Path(__file__).parent
_FOREVER_S = 3600.0


def build(folder: Path) -> Path:
    """Compile the C programs into *folder* and return the child's."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("a C compiler is needed: cc or gcc")
    for name in ("drain", "child"):
        paths = [str(folder / name), str(_HERE / f"{name}.c")]
        subprocess.run([compiler, "-O2", "-o", *paths], check=True)
    return folder / "child"


@dataclass(frozen=True)
class Child:
    """One child.

    Attributes:
        program: what ``build`` made.
        folder: a folder of its own.
        lines: how many lines it prints before the marker.
        tick_s: seconds between lines after the marker; 0 for none.
        live_s: seconds it lives on after the marker.
    """

    program: Path
    folder: Path
    lines: int = 0
    tick_s: float = 0.0
    live_s: float = _FOREVER_S

    @property
    def log_dir(self) -> Path:
        """Where it says, as LoadGen does, that it issues queries."""
        return self.folder / "logs"

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that starts it."""
        note, log_dir = str(self.folder / "note"), str(self.log_dir)
        words = (self.lines, log_dir, self.tick_s, self.live_s)
        return (str(self.program), note, *map(str, words))

    @property
    def printed(self) -> int:
        """How many bytes it prints up to the marker, which is included."""
        return self.lines * LINE_BYTES + len(MARKER) + 1

    def note(self) -> tuple[float, float]:
        """Return the ``time.monotonic()`` of its first act and of its first query.

        The marker is printed just before that.
        """
        began, issued = map(float, (self.folder / "note").read_text().split())
        return began, issued

    @property
    def seconds(self) -> float:
        """How long it took from its first act to its first query."""
        began, issued = self.note()
        return issued - began
