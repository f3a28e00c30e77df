"""In a mount namespace: gives each folder a file system of its own, then a program.

Run as ``python private.py FOLDER... -- PROGRAM ARG...``.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> None:
    end = sys.argv.index("--")
    for folder in sys.argv[1:end]:
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    program = sys.argv[end + 1 :]
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
