"""How LoadGen under the tests' own harness shows what it does."""

from __future__ import annotations

from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.plan.launch import Tool
from pytest_mighetero.readers.reader import reader_named

MARKERS = Markers(("Starting running actual test",), ("Finished running actual test",))
LOADGEN = Tool(reader_named("loadgen"), MARKERS)
