"""Pairs that a suite's harness has not, does not judge, or that take too long."""

from __future__ import annotations

import pytest

from tests.lab.driver import UUIDS, Lab, Report

PROFILE = "--main-profile=1g.10gb"
PLANNED = ("--background-benchmark-duration=planned", "--start-time-buffer=1s")
AUDIT = "--main-action=run_audit_test05"


def site(lab: Lab, text: str) -> None:
    suite = lab.folder / "site.toml"
    suite.write_text(f'extends = "{lab.suite}"\n{text}')
    lab.suite = str(suite)


def usage_error(report: Report) -> str:
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert not report.launches()
    return " ".join(report.text.split())


@pytest.fixture
def slow(lab: Lab) -> Lab:
    """A lab whose dlrm takes 100 s in Offline, of the 30 s that a run may take."""
    site(
        lab,
        """
        query_counts = { offline = 1000 }
        [targets."1g.10gb".default]
        dlrm = { offline = 10, server = 400 }
        """,
    )
    return lab


def test_a_pair_that_takes_too_long_is_skipped_where_nobody_named_it(slow: Lab) -> None:
    report = slow.run(PROFILE, *PLANNED, k="dlrm")
    report.result.assert_outcomes(passed=1, skipped=1)
    assert report.result.ret == pytest.ExitCode.OK
    skipped, ran = report.junit
    assert (
        "the backgrounds of dlrm_offline would run 121.1s (by loadgen: 1s until main "
        "runs + 1.2 x 100s of main (1000 queries at 10 QPS, by suite site) + 0.1s end "
        "buffer), more than the 30s of --background-benchmark-timeout"
    ) in skipped.problems["skipped"]
    assert ran.name == "test_heterogeneous[dlrm_server]"
    assert len(report.launches()) == 1


@pytest.mark.parametrize("options", [PLANNED, ()])
def test_it_is_a_usage_error_where_it_is_named(
    slow: Lab, options: tuple[str, ...]
) -> None:
    named = "--main-benchmark=dlrm"
    said = usage_error(slow.run(PROFILE, *options, named, k="dlrm_offline"))
    assert "1000 queries at 10 QPS, by suite site" in said


def test_alone_it_takes_too_long_as_well(slow: Lab) -> None:
    slow.isolated()
    report = slow.run(PROFILE, "-m", "isolated", k="dlrm_offline")
    report.result.assert_outcomes(skipped=1)
    assert "dlrm_offline takes at the least 100s" in report.case.problems["skipped"]


def test_a_device_whose_profile_nobody_says_may_be_the_slowest(slow: Lab) -> None:
    report = slow.run(*PLANNED, k="dlrm")
    report.result.assert_outcomes(passed=1, skipped=1)


def test_backgrounds_that_can_never_cover_main_are_refused(lab: Lab) -> None:
    short = "--background-benchmark-duration=350ms"
    assert (
        "--background-benchmark-duration: backgrounds of 0.35s cannot cover "
        "bert_offline, for which they need at the least 0.4s: 0s settle time + 0.3s of "
        f"main ({lab.suite}: defaults.main-benchmark-duration) + 0.1s end buffer; say "
        "a longer one, or --background-benchmark-duration=planned"
    ) in usage_error(lab.run(short))
    assert lab.run(short, "--lenient").launches()


def test_whoever_said_the_length_is_named(lab: Lab) -> None:
    refused = "backgrounds of 0.35s cannot cover bert_offline"
    site(lab, 'defaults.background-benchmark-duration = "350ms"')
    suite = "site.toml: defaults.background-benchmark-duration"
    assert f"{suite}: {refused}" in usage_error(lab.run())
    lab.ini("background_benchmark_duration = 350ms")
    ini = "background_benchmark_duration in tox.ini"
    assert f"{ini}: {refused}" in usage_error(lab.run())


def test_an_isolated_run_has_no_backgrounds_to_cover_it(lab: Lab) -> None:
    site(lab, "query_counts = { server = 800 }")
    lab.isolated()
    target = "--main-benchmark-runargs=--server_target_qps=400"
    short = "--background-benchmark-duration=1500ms"
    report = lab.run(target, "--mig-isolated", short)
    report.result.assert_outcomes(passed=1, errors=1)
    error = report.junit[1].problems["error"]
    assert "need at the least 2.1s" in error
    assert "800 queries at 400 QPS, by RUN_ARGS" in error
    assert not report.launches("background")


def test_an_audit_that_the_harness_does_not_judge(lab: Lab) -> None:
    site(lab, '[benchmarks.dlrm]\naudits = ["test01"]')
    ids = lab.run(AUDIT, "--collect-only", "-q", k="test05").text
    assert "bert_server-test05" in ids
    assert "dlrm" not in ids
    said = usage_error(lab.run(AUDIT, "--main-benchmark=bert,dlrm"))
    assert "--main-action: the harness of suite site does not support TEST05" in said
    assert "for dlrm: it says so, judges nothing and exits with code 0" in said
    assert "dlrm_server-test01" in (
        lab.run("--main-action=run_audit_test01", "--collect-only", "-q").text
    )


def test_a_config_ver_that_the_harness_does_not_have(lab: Lab) -> None:
    site(
        lab,
        """
        [benchmarks.bert]
        config_ver_scenarios = { default = ["server"], high = [] }
        """,
    )
    every = lab.run("--main-scenario=all", "--collect-only", "-q", k="test_run").text
    assert "[bert_server]" in every
    assert "bert_singlestream" not in every
    assert "bert_offline" not in every
    named = ("--main-benchmark=bert", "--main-scenario=singlestream")
    said = usage_error(lab.run(*named))
    assert "has no configuration --config_ver=default of bert_singlestream" in said
    other = lab.run(*named, "--config-ver=lab", "--collect-only", "-q", k="bert").text
    assert "[bert_singlestream]" in other
    assert "has no configuration --config_ver=high of bert_offline" in usage_error(
        lab.run("--config-ver=high", "--main-benchmark=dlrm,bert")
    )


def test_a_background_that_the_harness_does_not_have_is_left_out(lab: Lab) -> None:
    site(lab, "[benchmarks.bert]\nconfig_ver_scenarios = { default = ['server'] }")
    report = lab.run()
    report.result.assert_outcomes(passed=1, warnings=1)
    facts = report.case.properties
    assert facts["backgrounds"] == "resnet50"
    assert (
        "no configuration --config_ver=default of bert_offline"
        in (facts["backgrounds_left_out"])
    )


def test_a_background_that_was_named_and_is_not_there(lab: Lab) -> None:
    site(lab, "[benchmarks.bert]\nconfig_ver_scenarios = { default = ['server'] }")
    said = usage_error(lab.run("--background-benchmarks=bert"))
    assert "--config_ver=default of bert_offline. Choose others" in said


def test_the_profile_of_listed_devices(slow: Lab) -> None:
    report = slow.run(PROFILE, *PLANNED)
    facts = report.case.properties
    assert facts["device_profile"] == "1g.10gb"
    assert facts["background_duration_by"] == "loadgen"
    assert "listed by --mig-devices (3 MIG devices, 1 x 1g.10gb)" in report.text


def test_rotation_goes_with_it(lab: Lab) -> None:
    report = lab.run(PROFILE, "--mig-rotate=2")
    (main,) = report.launches()
    assert main["environ"]["CUDA_VISIBLE_DEVICES"] == UUIDS[2]
    assert report.case.properties["device_profile"] == "1g.10gb"


def test_a_bound_pair_whose_audit_is_not_judged_is_skipped(lab: Lab) -> None:
    site(lab, 'benchmarks.bert.audits = ["test01"]')
    lab.pytester.makepyfile(
        test_run="""
        import pytest

        @pytest.mark.mighetero("bert_offline", "resnet50_offline")
        def test_bound(background, main):
            main.run()
        """
    )
    report = lab.run("--main-action=run_audit_test04", k="test_bound")
    report.result.assert_outcomes(passed=1, skipped=1)
    bert = report.junit[0]
    assert "does not support TEST04 for bert" in bert.problems["skipped"]
