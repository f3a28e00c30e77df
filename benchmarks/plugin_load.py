"""What the plugin adds to a pytest run that has nothing to do with it.

Run in an empty folder. A whole pytest run takes a quarter of a second, give or take
more than the plugin does; so this process loads pytest and every other plugin once,
and times runs that it forks off, with the plugin and without, ROUNDS times:

    python plugin_load.py ROUNDS
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable

import pytest

QUIET = ("-p", "no:cacheprovider", "--co", "-q", ".")
WITHOUT = ("-p", "no:mighetero")
HEAVY = ("pynvml", "pexpect", "numpy", "mlperf_loadgen")


def collect(*options: str) -> None:
    """Collect nothing, and say nothing of it."""
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*QUIET, *options])


def import_plugin() -> None:
    """Import what pytest imports of the plugin."""
    import pytest_mighetero.plugin  # noqa: F401


def forked(action: Callable[[], None]) -> tuple[float, list[str]]:
    """Return the milliseconds of *action*, and the heavy modules it imported."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        begin = time.perf_counter()
        action()
        took = 1e3 * (time.perf_counter() - begin)
        heavy = [name for name in HEAVY if name in sys.modules]
        os.write(writing, json.dumps([took, heavy]).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with open(reading) as pipe:  # noqa: PTH123 - a descriptor
        took, heavy = json.load(pipe)
    return took, heavy


def main() -> int:
    """Print a line of JSON."""
    actions: dict[str, Callable[[], None]] = {
        "with": collect,
        "without": lambda: collect(*WITHOUT),
        "import": import_plugin,
    }
    collect(*WITHOUT)
    assert "pytest_mighetero.plugin" not in sys.modules
    for action in actions.values():
        forked(action)  # compiles what it imports
    figures: dict[str, list[float]] = {name: [] for name in actions}
    imported: list[str] = []
    for _ in range(int(sys.argv[1])):
        for name, action in actions.items():
            took, heavy = forked(action)
            figures[name].append(took)
            imported = imported or heavy
    print(json.dumps({**figures, "imported": imported}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
