"""Starts the tests' own harness (fake.py), which Python then need not compile."""

import sys

import fake  # type: ignore[import-not-found]

fake.main(*sys.argv[1:])
