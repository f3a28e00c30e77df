"""Reads the logs that MLPerf's LoadGen writes, of v1.0 up to today's."""

from pytest_mighetero.readers.loadgen.reader import find_results as find_results
from pytest_mighetero.readers.loadgen.reader import is_issuing as is_issuing
from pytest_mighetero.readers.loadgen.reader import read_result as read_result
from pytest_mighetero.readers.loadgen.reader import read_results as read_results
from pytest_mighetero.readers.loadgen.result import LatencyBound as LatencyBound
from pytest_mighetero.readers.loadgen.result import LatencyStats as LatencyStats
from pytest_mighetero.readers.loadgen.result import LoadGenResult as LoadGenResult
from pytest_mighetero.readers.loadgen.result import Metric as Metric
from pytest_mighetero.readers.loadgen.result import TokenMetrics as TokenMetrics
