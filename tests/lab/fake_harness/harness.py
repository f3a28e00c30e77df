"""Starts the tests' own harness (fake.py), which Python then need not compile."""

import sys

import fake

fake.main(*sys.argv[1:])
