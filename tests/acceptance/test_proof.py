"""What a log proves of the time in which a harness loaded its device."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Compiled
from tests.lab.driver import FAKE, Lab

LONG = "--background-benchmark-duration=8s"


# Two runs of LoadGen in one background.


@pytest.mark.parametrize("first", [{}, {"cut": True}], ids=["run twice", "crashed"])
def test_a_pause_between_two_tests_beside_main_breaks_the_overlap(
    lab: Lab, first: dict[str, Any]
) -> None:
    lab.fake(bert={"test": 1.2, "again": 1.6, **first}, dlrm={"test": 3.2})
    report = lab.run(LONG)
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "The overlap broke: 1 of 2 backgrounds issued no queries" in failure
    assert "bert_offline for" in failure
    assert report.case.properties["overlap_ok"] == "false"


def test_a_background_that_is_done_and_lives_on_under_main_breaks_the_overlap(
    lab: Lab,
) -> None:
    lab.fake(bert={"into": 0.3, "again": 60}, dlrm={"test": 2})
    report = lab.run(LONG)
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "1 of 2 backgrounds had their last response before main's" in failure


def test_a_pause_before_main_breaks_nothing(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_run="""
        import time
        from pathlib import Path

        def issuing():
            logs = Path("results").rglob("bert/**/*_detail.txt")
            return sum("generated_query_count" in log.read_text() for log in logs)

        def test_heterogeneous(background, main):
            while issuing() < 2:
                time.sleep(0.02)
            main.run()
        """
    )
    lab.fake(bert={"test": 2, "again": 0.2, "cut": True}, resnet50={"test": 6})
    report = lab.run(LONG)
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_source"] == "loadgen"


def test_a_pause_after_main_and_before_the_end_buffer_is_too_early(lab: Lab) -> None:
    lab.fake(bert={"test": 1.5, "again": 0.5}, dlrm={"test": 0.5})
    report = lab.run(LONG, "--end-time-buffer-min=2s")
    report.result.assert_outcomes(passed=1, errors=1)
    error = report.case.problems["error"]
    assert "issued no queries for a while beside main" in error


# Logs that are not of the process.


@pytest.mark.parametrize(
    ("shift", "how"),
    [(-3600, "begins 359"), (3600, "s after the end of its process")],
)
def test_a_background_whose_stamps_cannot_be_its_own_proves_nothing(
    lab: Lab, shift: int, how: str
) -> None:
    lab.fake(bert={"shift": shift, "outlasts": 3})
    report = lab.run()
    report.result.assert_outcomes(passed=1, errors=1)
    error = report.case.problems["error"]
    assert "The log of bert_offline proves nothing: the timed window in" in error
    assert how in error
    assert report.case.properties["overlap_ok"] == "false"


@pytest.mark.parametrize("beside", ["bert", "none"])
@pytest.mark.parametrize(
    ("shift", "how"),
    [(-3600, "begins 359"), (3600, "s after the end of its process")],
)
def test_a_main_whose_stamps_cannot_be_its_own_fails(
    lab: Lab, shift: int, how: str, beside: str
) -> None:
    lab.fake(dlrm={"shift": shift})
    report = lab.run(f"--background-benchmarks={beside}")
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "its LoadGen log is of no run of its own: the timed window in" in failure
    assert how in failure
    assert "validity" not in report.case.properties


def earlier_logs(lab: Lab) -> Path:
    """Return the folder of the logs of an earlier good run."""
    lab.run("--background-benchmarks=none").result.assert_outcomes(passed=1)
    (detail,) = lab.folder.glob("results/*/main/logs/**/mlperf_log_detail.txt")
    kept = lab.folder / "kept"
    shutil.copytree(detail.parent, kept)
    shutil.rmtree(lab.folder / "results")
    return kept


AFTER_MAIN = """
    import os
    from pathlib import Path

    def test_heterogeneous(background, main):
        main.run()
        (log,) = Path("results").glob("*/background-*-bert/**/mlperf_log_detail.txt")
        logs = log.parents[3]
        {what}
    """


@pytest.mark.parametrize(
    ("what", "doubt"),
    [
        ("log.unlink()", "its first query is in no log in"),
        (
            "logs.rename('kept'); logs.symlink_to(Path('kept').absolute())",
            "outside its LOG_DIR",
        ),
    ],
    ids=["deleted", "its LOG_DIR a link"],
)
def test_a_log_that_is_not_there_any_more_proves_nothing(
    lab: Lab, what: str, doubt: str
) -> None:
    lab.pytester.makepyfile(test_run=AFTER_MAIN.format(what=what))
    report = lab.run()
    report.result.assert_outcomes(passed=1, errors=1)
    error = report.case.problems["error"]
    assert "The log of bert_offline proves nothing" in error
    assert doubt in error


def test_who_looks_into_the_folder_makes_no_log_older(lab: Lab) -> None:
    """An editor's swap file, for example, is new in it."""
    later = "os.utime(logs.parent, (later := os.stat(log).st_mtime + 60, later))"
    lab.pytester.makepyfile(test_run=AFTER_MAIN.format(what=later))
    lab.run().result.assert_outcomes(passed=1)


def test_links_to_nothing_beside_a_log_are_no_news(lab: Lab) -> None:
    links = (
        "(log.parent / 'mlperf_log_trace.txt').symlink_to('mlperf_log_trace.txt');"
        " (log.parent / 'mlperf_log_more.txt').symlink_to('nothing')"
    )
    lab.pytester.makepyfile(test_run=AFTER_MAIN.format(what=links))
    lab.run().result.assert_outcomes(passed=1)


def test_a_log_without_an_end_of_a_process_that_is_done_proves_nothing(
    lab: Lab,
) -> None:
    lab.fake(bert={"die": ["middle", 0], "outlasts": 3})
    report = lab.run()
    report.result.assert_outcomes(passed=1, errors=1)
    assert "has no end" in report.case.problems["error"]


def test_a_repeat_for_one_whose_log_proves_nothing_has_a_duration(lab: Lab) -> None:
    lab.fake(bert={"shift": -100, "into": 0.3}, dlrm={"test": 2})
    report = lab.run("--overlap-retries=1", "--background-benchmark-duration=4s")
    report.result.assert_outcomes(failed=1)
    assert "The overlap broke: " in report.case.problems["failure"]
    assert report.case.properties["attempts"] == "2"


def test_an_earlier_runs_log_is_no_result_of_main(lab: Lab) -> None:
    kept = earlier_logs(lab)
    lab.fake(dlrm={"keep": str(kept)})
    report = lab.run("--background-benchmarks=none")
    report.result.assert_outcomes(failed=1)
    failure = report.case.problems["failure"]
    assert "its LoadGen log is of no run of its own" in failure


def test_a_link_to_a_log_elsewhere_is_no_result_of_main(lab: Lab) -> None:
    kept = earlier_logs(lab)
    wrapper = lab.folder / "linking"
    shutil.copytree(FAKE, wrapper)
    script = wrapper / "fake.py"
    script.write_text(
        script.read_text().replace(
            "shutil.copy2(folder / path.name, path)",
            "path.symlink_to(folder / path.name)",
        )
    )
    lab.harness = wrapper
    lab.fake(dlrm={"keep": str(kept)})
    report = lab.run("--background-benchmarks=none")
    report.result.assert_outcomes(failed=1)
    assert "outside its LOG_DIR" in report.case.problems["failure"]


# The wall clock is set while a run is under way.

STEPPED = """
from pathlib import Path

def test_heterogeneous(background, main):
    Path("off_by").write_text("{step}")
    main.run()
"""


@pytest.fixture
def stepped(lab: Lab, compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab whose processes, pytest too, are off by what the file off_by says."""
    shim = compiled("clock.c", "clock.so", "-shared", "-fPIC", "-O1")
    off_by = lab.folder / "off_by"
    off_by.write_text("0")
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    monkeypatch.setenv("CLOCK_OFF_BY", str(off_by))
    suite = lab.folder / "stepped.toml"
    suite.write_text(
        f'extends = "{FAKE / "fake.toml"}"\n[harness.environment]\n'
        f"LD_PRELOAD = {json.dumps(str(shim))}\n"
    )
    lab.suite = str(suite)
    return lab


@pytest.mark.parametrize("step", ["+3", "-2", "-3600", "+0.3"])
def test_a_good_run_is_good_though_the_clock_is_set_before_main(
    stepped: Lab, step: str
) -> None:
    stepped.pytester.makepyfile(test_run=STEPPED.format(step=step))
    report = stepped.run_apart("-W", "default")
    report.result.assert_outcomes(passed=1, warnings=1)
    facts = report.case.properties
    assert facts["overlap_ok"] == "true"
    assert facts["clock_steps"].startswith(f"{float(step):+.3f} s at ")
    assert "the wall clock was set meanwhile" in report.text
    assert float(facts["start_margin_s"]) < 1.5
    assert float(facts["end_margin_s"]) < 1.5


def test_a_step_back_does_not_lengthen_an_end_margin(stepped: Lab) -> None:
    stepped.pytester.makepyfile(test_run=STEPPED.format(step="-3"))
    stepped.fake(bert={"test": 1.5}, resnet50={"test": 1.5})
    longer = ("--end-time-buffer-min=2s", "--background-benchmark-duration=3s")
    report = stepped.run_apart("-W", "default", *longer)
    report.result.assert_outcomes(passed=1, errors=1, warnings=1)
    assert "did not outlast main by 2s" in report.case.problems["error"]


def test_a_clock_that_is_left_alone_is_not_spoken_of(lab: Lab) -> None:
    assert "clock_steps" not in lab.run().case.properties
