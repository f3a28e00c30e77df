"""``python -m pytest_mighetero.command``, the same as ``mighetero``."""

from __future__ import annotations

import sys

from pytest_mighetero.command import main

sys.exit(main())
