"""Whoever said what a run cannot be with is named: a suite, the ini file, an option."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from pytest_mighetero.devices.lease import Lease, myself, take
from tests.lab.driver import UUIDS, Lab, Report, without
from tests.lab.web_suite import ONE, Web

GONE = "no suite 'gone': "
PROFILE = "there is no MIG device of profile 1g.5gb: "


def suite(lab: Lab, text: str) -> Path:
    """Have the lab's suite extend one that says *text*, and return that one's file."""
    parent, child = lab.folder / "parent.toml", lab.folder / "child.toml"
    parent.write_text(f'extends = "{lab.suite}"\n{text}\n')
    child.write_text('extends = "parent.toml"\n')
    lab.suite = str(child)
    return parent


def run(lab: Lab, *options: str, devices: int = 3, harness: bool = True) -> Report:
    """Run pytest where the suite may say what the lab's options do else."""
    words = ["-k", "dlrm_server", "--junitxml=report.xml", *without()]
    words += [f"--mig-suite={lab.suite}"]
    words += [f"--mig-harness-dir={lab.harness}"] if harness else []
    words += [f"--mig-devices={','.join(UUIDS[:devices])}"] if devices else []
    return Report(lab.folder, lab.pytester.runpytest_inprocess(*words, *options))


def error(report: Report) -> str:
    """Return the message of the only test, which was not run."""
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    return report.case.problems["error"]


def test_a_suite_that_is_not_there(lab: Lab) -> None:
    for options, ini, said_by in (
        (["--mig-suite=gone"], "", "--mig-suite"),
        (["-o", "mig_suite=gone"], "", "-o mig_suite"),
        ([], "mig_suite = gone", "mig_suite in tox.ini"),
        (["-o", "mig_suite=gone"], "mig_suite = cpu", "-o mig_suite"),
    ):
        lab.ini(*filter(None, [ini]))
        report = Report(lab.folder, lab.pytester.runpytest_inprocess(*options))
        assert report.result.ret == pytest.ExitCode.USAGE_ERROR
        assert f"ERROR: {said_by}: {GONE}" in report.text
    suite(lab, "").write_text('extends = "gone"')
    said = f"ERROR: {lab.folder}/parent.toml: extends: {GONE}"
    assert said in run(lab).text


def test_a_profile_that_no_device_has(lab: Lab) -> None:
    lab.suite = "cpu"
    parent = suite(lab, 'defaults.main-profile = "1g.5gb"')
    for options, said_by in (
        ([], f"{parent}: defaults.main-profile"),
        (["-o", "main_profile=1g.5gb"], "-o main_profile"),
        (["--main-profile=1g.5gb"], "--main-profile"),
    ):
        assert f"{said_by}: {PROFILE}" in error(run(lab, *options, devices=0))
    mark = '@pytest.mark.mig_needs(profile="1g.5gb")'
    test = "def test_heterogeneous(background, main): main.run()"
    lab.pytester.makepyfile(test_run=f"import pytest\n{mark}\n{test}")
    said = error(run(lab, "--main-profile=2g.10gb", devices=0))
    assert f"@pytest.mark.mig_needs: {PROFILE}" in said


@pytest.mark.parametrize("folder", ["/dev/null", "/proc/x"])
@pytest.mark.parametrize("option", ["results-dir", "mig-lease-dir"])
def test_a_folder_that_cannot_be(lab: Lab, option: str, folder: str) -> None:
    parent = suite(lab, f'defaults.{option} = "{folder}"')
    key = option.replace("-", "_")
    lost = folder if option == "results-dir" else f"The lease .*{folder}"
    for options, said_by in (
        ([], f"{parent}: defaults.{option}"),
        (["-o", f"{key}={folder}"], f"-o {key}"),
        ([f"--{option}={folder}"], f"--{option}"),
    ):
        said = error(run(lab, *options))
        assert re.search(f"{re.escape(said_by)}: {lost}", said)


def test_a_lease_that_does_not_become_free(lab: Lab) -> None:
    gpu = "listed by --mig-devices"
    suite(lab, 'defaults.mig-lease-timeout = "100ms"')
    names = [*UUIDS[:3]]
    lease = take(lab.folder / "leases", names, myself("another"))
    assert isinstance(lease, Lease)
    with closing(lease):
        said = error(run(lab, "--mig-lease-dir=leases"))
    timeout = f"{lab.folder}/parent.toml: defaults.mig-lease-timeout"
    assert f"No GPU became free within 0.1s ({timeout}): {gpu}" in said


@pytest.mark.parametrize("dry", [["--dryrun"], []])
@pytest.mark.parametrize("role", ["main", "background", "server"])
def test_a_folder_of_a_command_that_is_not_there(
    web: Web, role: str, dry: list[str]
) -> None:
    keys = "harnesses.web.folder"
    if role == "server":
        web.server(folder="/gone")
        keys = "harnesses.web.server.folder"
    else:
        web.harness(folder="/gone")
    if role == "background":
        web.change(
            harnesses={"other": {**web.said["harnesses"]["web"], "folder": "."}},
            benchmarks={"alpha": {"harness": "other"}},
        )
    parent = suite(web.lab, "")
    parent.write_text(web.path.read_text())
    report = web.run(ONE, *dry)
    said = f"{parent}: {keys}: /gone is no folder; expected one that is there, or"
    assert said in error(report)
    assert not report.launches()


def test_a_folder_without_a_makefile(lab: Lab) -> None:
    parent = suite(lab, '[harness]\nfolder = "/gone"')
    lost = ": no Makefile in /gone: expected"
    assert f"{parent}: harness.folder{lost}" in error(run(lab, harness=False))
    lab.suite = "v2.0"
    said = error(run(lab, harness=False))
    assert f"--mig-harness-dir: no Makefile in {lab.folder}: expected" in said
    assert "suites" not in said
    lab.ini("mig_harness_dir = /dev")
    said = error(run(lab, harness=False))
    assert "mig_harness_dir in tox.ini: no Makefile in /dev: expected" in said


def test_what_a_built_in_suite_lacks_is_not_to_be_written_into_it(lab: Lab) -> None:
    lab.suite = "endpoints"
    said = error(run(lab, "-k", "llama3.1-8b_server", "--dryrun", harness=False))
    where = 'say benchmarks.llama3.1-8b.rates.server in a suite that extends = "endpo'
    assert where in said
    assert "suites" not in said


def test_a_main_that_takes_too_long(lab: Lab) -> None:
    lab.suite = "cpu"
    parent = suite(lab, 'defaults.main-benchmark-duration = "400h"')
    said = run(lab, devices=0).text
    timeout = "suite cpu: defaults.background-benchmark-timeout"
    main = f"{parent}: defaults.main-benchmark-duration"
    assert f"ERROR: {main}, {timeout}: the backgrounds of " in said
    assert "; say --background-benchmark-timeout=481h, or shorten main (" in said


def test_a_timeout_that_a_main_needs_longer_than(lab: Lab) -> None:
    lab.fake(dlrm={"test": 60})
    parent = suite(lab, 'defaults.background-benchmark-timeout = "2s"')
    report = run(lab, "--background-benchmarks=none", "--mig-lease-dir=leases")
    said = f"({parent}: defaults.background-benchmark-timeout) and was stopped"
    assert said in report.case.problems["failure"]


def test_what_an_ini_file_asks_for(lab: Lab) -> None:
    lab.ini("mig_compare = last")
    report = lab.run()
    report.result.assert_outcomes(passed=1, warnings=1)
    said = "mig_compare in tox.ini: there is no earlier good run like dlrm_server"
    assert said in report.text
