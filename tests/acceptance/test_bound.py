"""Tests that are bound to pairs: which they measure, and what is said otherwise."""

from __future__ import annotations

import textwrap

import pytest

from tests.lab.driver import Lab, Report

BOUND = """
import pytest

pytestmark = pytest.mark.mighetero("bert_offline")

def test_module(main): main.run()

@pytest.mark.mighetero("dlrm_server", "bert_singlestream", "dlrm_server")
def test_function(main): main.run()

@pytest.mark.mighetero("resnet50_offline")
class TestClass:
    def test_class(self, main): main.run()

    @pytest.mark.mighetero("bert_server")
    def test_method(self, main): main.run()
"""


def collected(lab: Lab, *options: str) -> list[str]:
    lab.pytester.makepyfile(test_run=BOUND)
    lines = lab.run("--collect-only", "-q", *options, k="").result.outlines
    return [line.rpartition("::")[2] for line in lines if "::" in line]


def collected_one(lab: Lab, mark: str, *options: str) -> Report:
    test = f"import pytest\n@pytest.mark.mighetero{mark}\ndef test_it(main): main.run()"
    lab.pytester.makepyfile(test_run=textwrap.dedent(test))
    return lab.run("-rs", *options, k="")


def test_the_closest_marker_says_what_a_test_measures(lab: Lab) -> None:
    assert collected(lab, "--strict-markers") == [
        "test_module[bert_offline]",
        "test_function[bert_singlestream]",
        "test_function[dlrm_server]",
        "test_class[resnet50_offline]",
        "test_method[bert_server]",
    ]


@pytest.mark.parametrize(
    ("option", "left"),
    [
        ("--main-benchmark=dlrm", ["test_function[dlrm_server]"]),
        (
            "--main-benchmark=bert",
            [
                "test_module[bert_offline]",
                "test_function[bert_singlestream]",
                "test_method[bert_server]",
            ],
        ),
        (
            "--main-scenario=server",
            ["test_function[dlrm_server]", "test_method[bert_server]"],
        ),
    ],
)
def test_options_select_among_them(lab: Lab, option: str, left: list[str]) -> None:
    tests = collected(lab, option)
    assert [test for test in tests if "none-selected" not in test] == left


def test_repeats_are_numbered(lab: Lab) -> None:
    tests = collected(lab, "--mig-repeat=2", "-m", "mighetero", "-k", "module")
    assert tests == ["test_module[bert_offline-run1]", "test_module[bert_offline-run2]"]


def test_a_bound_test_runs(lab: Lab) -> None:
    report = collected_one(lab, '("bert_singlestream")')
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["scenario"] == "singlestream"


def test_the_nearest_of_their_ids_is_named(lab: Lab) -> None:
    lab.pytester.makepyfile(test_run=BOUND)
    report = lab.run(k="bert_singlestrem")
    assert report.result.ret == 5
    text = "-k bert_singlestrem is in no run's id; the nearest: bert_singlestream"
    assert text in report.text
    report = lab.run("-m", "isolated", k="bert_singlestream")
    assert "leave out" not in report.text


def test_where_nothing_is_left_it_says_so(lab: Lab) -> None:
    report = collected_one(lab, '("dlrm_server")', "--main-benchmark=bert")
    report.result.assert_outcomes(skipped=1)
    text = "bound to dlrm_server, and --main-benchmark, --main-scenario or --mig-tune"
    assert f"{text} leave none of it to measure" in report.text
    assert not report.launches()


@pytest.mark.parametrize(
    ("suite", "mark", "option", "why"),
    [
        ("v1.0", "bert_singlestream", "", "no configuration --config_ver=hetero of be"),
        ("v2.0", "dlrm_server", "--main-action=run_audit_test04", "not support TEST04"),
    ],
)
def test_what_the_harness_does_not_have_is_not_measured(
    lab: Lab, suite: str, mark: str, option: str, why: str
) -> None:
    lab.suite, options = suite, [option] if option else []
    report = collected_one(lab, f'("{mark}")', "--mig-devices=", *options)
    report.result.assert_outcomes(skipped=1)
    assert f"bound to {mark}, and the harness of suite {suite}" in report.text
    assert why in report.text
    both = f'("{mark}", "resnet50_server")'
    report = collected_one(lab, both, "--mig-devices=", *options, "--collect-only")
    tests = [line for line in report.result.outlines if "Function" in line]
    assert len(tests) == 2
    assert any("[resnet50_server" in test for test in tests)


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ('("dlrm_sever")', "suite fake has no pair 'dlrm_sever': did you mean dlrm_se"),
        ('("dlrm")', "suite fake has no pair 'dlrm': "),
        ('(["dlrm_server"])', "has no pair ['dlrm_server']: did you mean dlrm_server"),
        ("(3)", "suite fake has no pair 3: accepted: bert_offline, bert_server, "),
        ("", 'such as @pytest.mark.mighetero("dlrm_server", "bert_offline")'),
        ("()", 'such as @pytest.mark.mighetero("dlrm_server", "bert_offline")'),
        ('(pairs="dlrm_server")', "and has {'pairs': 'dlrm_server'}"),
    ],
)
def test_what_binds_to_nothing_is_refused(lab: Lab, mark: str, text: str) -> None:
    report = collected_one(lab, mark, "--main-benchmark=bert")
    assert report.result.ret == 2
    assert "test_it: @pytest.mark.mighetero" in report.text
    assert text in report.text
    assert "pytest_mighetero/" not in report.text


def test_the_marker_is_among_the_others(lab: Lab) -> None:
    lines = lab.run("--markers").result.outlines
    assert any(line.startswith("@pytest.mark.mighetero: the pairs, ") for line in lines)


def test_an_interrupted_run_of_a_pair_that_no_default_selects_is_reported(
    lab: Lab,
) -> None:
    lab.fake(bert={"test": 60})
    lab.pytester.makepyfile(
        test_run="""
        import os, pytest, signal, threading

        @pytest.mark.mighetero("bert_singlestream")
        def test_it(main, request):
            workers = os.getppid()
            threading.Timer(0.5, os.kill, (workers, signal.SIGTERM)).start()
            main.run()
        """
    )
    report = lab.run_apart("-n", "1", k="")
    assert report.result.ret == 2
    assert "Interrupted by SIGTERM in an xdist worker" in report.case.problems["error"]
