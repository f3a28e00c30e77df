"""The kinds of value that several options take."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Kind

TIME = Kind("TIME", "parse_duration")
SPAN = Kind("TIME", "positive_duration")
COUNT = Kind("N", "count")
TIMES = Kind("N", "times")
PERCENT = Kind("PERCENT", "percent")
NAMES = Kind("NAMES")
FOLDER = Kind("DIR")
FILE = Kind("FILE")
