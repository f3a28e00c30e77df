"""What was probably not meant is said: selections, milliseconds, a missing extra."""

from __future__ import annotations

import sys

import pytest

from tests.lab.driver import ISOLATED_TEST, Lab


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("dlrm-server", "-k dlrm-server is in no run's id; the nearest: dlrm_server"),
        ("dlrm_sever", "-k dlrm_sever is in no run's id; the nearest: dlrm_server"),
        ("DLRM-Server", "the nearest: dlrm_server"),
        ("dlmr", "-k dlmr is in no run's id; the nearest: dlrm"),
        ("resnet-50", "the nearest: resnet50"),
        ("dlrm and sever", "-k sever is in no run's id; the nearest: server"),
        (
            "bert_singlestream",
            "bert_singlestream, which --main-benchmark or --main-scenario leave out",
        ),
    ],
)
def test_the_nearest_ids_of_a_keyword(lab: Lab, word: str, said: str) -> None:
    report = lab.run(k=word)
    assert report.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert said in report.text


def test_the_controller_of_workers_names_them_too(lab: Lab) -> None:
    report = lab.run("-n2", k="dlrm-server")
    assert report.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    said = "-k dlrm-server is in no run's id; the nearest: dlrm_server"
    assert report.text.count(said) == 1


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("servr", "-m servr is no run's marker; the nearest: server"),
        ("datacentre", "the nearest: datacenter"),
        ("server and edg", "-m edg is no run's marker; the nearest: edge"),
        ("dlrm", "-m dlrm is no run's marker; ids are selected by -k"),
        ("singlestream", "-m singlestream: suite fake has bert_singlestream, which"),
    ],
)
def test_the_nearest_markers(lab: Lab, word: str, said: str) -> None:
    report = lab.run("-m", word, k="test")
    assert report.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert said in report.text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dlrm_sever", "the nearest: test_run.py::test_heterogeneous[dlrm_server]"),
        ("dlrm-server", "the nearest: test_run.py::test_heterogeneous[dlrm_server]"),
        ("bert_singlestream", "suite fake has bert_singlestream, which"),
    ],
)
def test_the_nearest_ids_of_an_argument(lab: Lab, name: str, said: str) -> None:
    report = lab.run(f"test_run.py::test_heterogeneous[{name}]")
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "not found: " in report.text
    assert f"ERROR: {said}" in report.text


@pytest.mark.parametrize(
    "options", [["-k", "test_other"], ["-k", "xyzzy"], ["test_other.py::test_other"]]
)
def test_other_selections_are_not_commented(lab: Lab, options: list[str]) -> None:
    lab.pytester.makepyfile(test_other="def test_other(): pass")
    text = lab.run(*options).text
    assert "nearest" not in text
    assert "leave out" not in text


def test_isolated_runs_have_their_own_hint(lab: Lab) -> None:
    lab.pytester.makepyfile(test_run=ISOLATED_TEST)
    assert "isolated runs are deselected; --mig-isolated" in lab.run().text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-k", "dlrm_sever"], "-k dlrm_sever is in no run's id; the nearest: dlrm_"),
        (["-k", "bert and singlestream"], "-k singlestream: suite fake has bert_si"),
        (["-m", "servr"], "-m servr is no run's marker; the nearest: server"),
    ],
)
def test_a_slip_beside_isolated_runs_is_named(
    lab: Lab, options: list[str], said: str
) -> None:
    lab.pytester.makepyfile(test_isolated=ISOLATED_TEST)
    text = lab.run(*options).text
    assert said in text
    assert "isolated runs are deselected" not in text


NO_RUN_TEST = (
    "no test here asks for main: add --pyargs pytest_mighetero.runs, for those that "
    "come with the package, or have mighetero init write one"
)


@pytest.mark.parametrize("options", [["-k", "dlrm_server"], ["-q"], ["-n2"]])
def test_options_without_a_run_test_say_what_to_do(
    lab: Lab, options: list[str]
) -> None:
    (lab.folder / "test_run.py").unlink()
    report = lab.apart(*lab.arguments(*options))
    assert report.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert report.text.count(NO_RUN_TEST) == 1
    advised = ["--pyargs", "pytest_mighetero.runs", "-k", "dlrm_server", "--dryrun"]
    report = lab.apart(*lab.arguments(*advised))
    report.result.assert_outcomes(skipped=1)
    assert report.case.name == "test_heterogeneous[dlrm_server]"
    assert "asks for main" not in report.text


@pytest.mark.parametrize("options", [["-k", "other"], ["test_other.py"], []])
def test_other_tests_alone_are_commented_where_none_was_selected(
    lab: Lab, options: list[str]
) -> None:
    lab.pytester.makepyfile(test_run="", test_other="def test_other(): pass")
    result = lab.pytester.runpytest_inprocess(*lab.arguments(*options))
    result.assert_outcomes(passed=1)
    assert (NO_RUN_TEST in result.stdout.str()) == (not options)


def test_a_run_test_that_cannot_be_imported_is_not_said_to_be_missing(lab: Lab) -> None:
    lab.pytester.makepyfile(test_run="import nothing_of_that_name")
    report = lab.run()
    report.result.assert_outcomes(errors=1)
    assert "asks for main" not in report.text


@pytest.mark.parametrize(
    ("option", "number"),
    [
        *(("settle-time", "10"), ("start-time-buffer", "600"), ("mig-stop-grace", "5")),
        *(("main-benchmark-duration", "300"), ("mig-lease-timeout", "1")),
        *(("end-time-buffer-min", ".5"), ("background-benchmark-duration", "600")),
    ],
)
def test_a_bare_number_under_a_second(lab: Lab, option: str, number: str) -> None:
    text = lab.run("--collect-only", f"--{option}={number}").text
    assert (
        f"mighetero: --{option}: {number} is {number} milliseconds; "
        f"write {number}s for seconds"
    ) in text


def test_a_quiet_run_is_warned_of_milliseconds_too(lab: Lab) -> None:
    report = lab.run("-q", "--settle-time=10")
    report.result.assert_outcomes(passed=1, warnings=1)
    said = "MigheteroWarning: --settle-time: 10 is 10 milliseconds; write 10s"
    assert said in report.text
    assert "mighetero: --settle-time" not in report.text
    lab.run("--settle-time=10", "-W", "error").result.assert_outcomes(passed=1)


def test_the_controller_of_workers_warns_of_milliseconds_once(lab: Lab) -> None:
    report = lab.run("--settle-time=10", "-n2")
    report.result.assert_outcomes(passed=1, warnings=1)


def test_a_refusal_names_milliseconds_too(lab: Lab) -> None:
    report = lab.run("--background-benchmark-duration=182")
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "backgrounds of 0.182s cannot cover" in report.text
    assert "182 is 182 milliseconds; write 182s for seconds" in report.text


def test_other_durations_are_not_commented(lab: Lab) -> None:
    lab.ini("settle_time = 1000", "start_time_buffer = 10 s")
    options = ["--end-time-buffer-min=0", "--mig-stop-grace=500ms"]
    assert "milliseconds" not in lab.run("--collect-only", *options).text
    lab.ini("settle_time = 10")
    assert "settle_time in tox.ini: 10 is 10 milli" in lab.run("--collect-only").text


def test_a_missing_extra_is_said_before_anything_starts(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlperf_loadgen", None)
    lab.pytester.makeini("[pytest]\njunit_family = xunit1\n")
    options = ["--mig-suite=cpu", "-k", "dlrm_server", "--junitxml=report.xml"]
    result = lab.pytester.runpytest_inprocess(*options, "--mig-lease-dir=leases")
    result.assert_outcomes(errors=1)
    text = result.stdout.str()
    assert f"imports mlperf_loadgen, which {sys.executable} does not have" in text
    assert "pip install 'pytest-mighetero[cpu]'" in text
    assert "Traceback" not in text
    assert not list(lab.folder.glob("results/*/*/output.log"))


def test_an_error_of_every_run_is_shown_once(lab: Lab) -> None:
    lab.harness = lab.folder
    report = lab.run(k="test")
    report.result.assert_outcomes(errors=5)
    message = f"no Makefile in {lab.folder}: expected a closed/<org> folder"
    errors = report.text.partition("= ERRORS =")[2].partition("short test summary")[0]
    assert errors.count(message) == 1
    assert errors.count("As for test_run.py::test_heterogeneous[bert_offline].") == 4
    # A dashboard shows one test at a time: each has the whole sentence.
    assert [message in case.problems["error"] for case in report.junit] == [True] * 5
    texts = [record["phases"]["setup"]["text"] for record in report.records]
    assert [message in text for text in texts] == [True] * 5


def test_an_error_of_runs_in_several_workers_is_shown_once(lab: Lab) -> None:
    lab.harness = lab.folder
    report = lab.run("-n2", k="test")
    report.result.assert_outcomes(errors=5)
    errors = report.text.partition("= ERRORS =")[2].partition("short test summary")[0]
    assert errors.count(f"no Makefile in {lab.folder}") == 1


def test_different_errors_are_all_shown(lab: Lab) -> None:
    lab.fake(bert={"die": ["start", 3]}, resnet50={"die": ["start", 4]})
    report = lab.run(k="dlrm_server or dlrm_offline")
    assert "As for" not in report.text
