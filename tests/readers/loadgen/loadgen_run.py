"""Runs the real LoadGen once: SCENARIO MODE LOG_DIR [setting=number ...]."""

from __future__ import annotations

import array
import sys
from typing import Any

import mlperf_loadgen as lg

CHUNK = 256
ANSWER = array.array("f", [0.0])
ADDRESS, _ = ANSWER.buffer_info()


def issue(queries: list[Any]) -> None:
    ids = [query.id for query in queries]
    for at in range(0, len(ids), CHUNK):
        lg.QuerySamplesComplete(
            [lg.QuerySampleResponse(each, ADDRESS, 4) for each in ids[at : at + CHUNK]]
        )


def nothing(*_: object) -> None:
    pass


def main(scenario: str, mode: str, log_dir: str, *pairs: str) -> None:
    settings = lg.TestSettings()
    settings.scenario = getattr(lg.TestScenario, scenario)
    settings.mode = getattr(lg.TestMode, mode)
    settings.min_query_count = 1
    for pair in pairs:
        name, _, number = pair.partition("=")
        setattr(settings, name, int(number))
    log = lg.LogSettings()
    log.log_output.outdir = log_dir
    log.log_output.copy_summary_to_stdout = False
    log.enable_trace = False
    sut = lg.ConstructSUT(issue, nothing)
    qsl = lg.ConstructQSL(64, 32, nothing, nothing)
    lg.StartTestWithLogSettings(sut, qsl, settings, log, "")
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)


if __name__ == "__main__":
    main(*sys.argv[1:])
