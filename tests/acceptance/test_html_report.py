"""``--mig-report``: one page of a session's runs, however the session ends."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pexpect
import pytest

from pytest_mighetero.cli.__main__ import main
from tests.lab.driver import Lab

OPTION = "--mig-report=out/report.html"
AT_600 = "--main-benchmark-runargs=--offline_expected_qps=600"
SVG = "{http://www.w3.org/2000/svg}"
HTML = "{http://www.w3.org/1999/xhtml}"


def page_of(folder: Path) -> Element:
    """Return the page, which a strict parser takes."""
    text = (folder / "out/report.html").read_bytes()
    parser = html5lib.HTMLParser(strict=True)
    page: Element = parser.parse(text, transport_encoding="utf-8")
    return page


def text_of(page: Element, *tags: str) -> list[str]:
    """Return the texts of all elements of these names, in order."""
    names = {HTML + tag for tag in tags}
    return ["".join(each.itertext()) for each in page.iter() if each.tag in names]


def said(page: Element) -> dict[str, str]:
    """Return what stands beside the headings of rows."""
    rows = (list(each) for each in page.iter(f"{HTML}tr"))
    return {
        "".join(row[0].itertext()): "".join(row[1].itertext())
        for row in rows
        if row[0].get("scope") == "row"
    }


def headline(page: Element) -> str:
    (text,) = text_of(page, "h1")
    return text.partition(" ")[2]


def test_a_session_that_passed_and_one_that_failed(lab: Lab) -> None:
    report = lab.run(OPTION)
    report.result.assert_outcomes(passed=1)
    assert f"report in {lab.folder / 'out/report.html'}" in report.text
    page = page_of(lab.folder)
    assert headline(page) == "1 run passed"
    known = said(page)
    assert known["pytest"] == pytest.__version__
    assert "exit code 0" in known["pytest ended with"]
    assert known["suite"] == "fake"
    assert known["figure"].endswith("samples/s VALID")
    lab.fake(dlrm={"validity": "INVALID", "p99": 612.5}, bert={"exit": 3})
    lab.run(OPTION).result.assert_outcomes(failed=1)
    page = page_of(lab.folder)
    # It is of the second session alone.
    assert headline(page) == "1 of 1 run is red"
    assert "INVALID" in text_of(page, "li")[0]
    assert any("last lines of main" in each for each in text_of(page, "summary"))


@pytest.mark.parametrize(
    ("tolerance", "compare", "passes"),
    [("5%", True, False), ("15%", True, True), ("5%", False, True)],
)
def test_it_judges_over_time_as_the_session_did(
    lab: Lab, tolerance: str, compare: bool, passes: bool
) -> None:
    lab.fake(dlrm={"rate": [500, 450], "p99": 1})
    alone = ("--background-benchmarks=none", AT_600)
    lab.run(*alone, k="dlrm_offline").result.assert_outcomes(passed=1)
    judged = (f"--mig-tolerance={tolerance}", *["--mig-compare=last"] * compare)
    report = lab.run(OPTION, *alone, *judged, k="dlrm_offline")
    report.result.assert_outcomes(passed=int(passes), failed=int(not passes))
    page = page_of(lab.folder)
    (heading,) = (each for each in page.iter(f"{HTML}h3"))
    assert heading.get("class") == ("green" if passes else "red")
    compared = "-10.0% samples/s (500 -> 450 samples/s, higher is better)"
    assert said(page).get("earlier runs", "").startswith(compared if compare else "")
    assert ("earlier runs" in said(page)) is compare
    sentence = "10.0% worse than the 500 of"
    assert (sentence in "".join(text_of(page, "li"))) is not passes
    assert headline(page) == ("1 run passed" if passes else "1 of 1 run is red")
    # Of all runs, the change that stands out is the one that the session failed.
    assert main(["report", "results", "-o", "out/report.html"]) == 0
    titles = [each.text or "" for each in page_of(lab.folder).iter(f"{SVG}title")]
    assert any(sentence in title for title in titles)


def test_repeats_of_a_session_are_not_judged_by_each_other(lab: Lab) -> None:
    """On the page of a session are its own runs alone, of one sample."""
    lab.fake(dlrm={"rate": [500, 450], "p99": 1})
    repeated = ("--mig-repeat=2", "--mig-compare=last", AT_600)
    lab.run(OPTION, *repeated, k="dlrm_offline").result.assert_outcomes(passed=2)
    page = page_of(lab.folder)
    assert headline(page) == "2 runs passed"
    assert "Over time" in text_of(page, "h2")
    titles = [each.text or "" for each in page.iter(f"{SVG}title")]
    assert any("450 samples/s" in title for title in titles)
    assert not any("worse than" in title for title in titles)


def test_a_test_that_has_no_record_is_on_the_page(lab: Lab) -> None:
    lab.pytester.makepyfile(test_other="def test_dlrm_server():\n    assert 1 > 2\n")
    report = lab.run(OPTION, devices=0)  # nor is there any device for a run
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    assert not (lab.folder / "results").exists()
    page = page_of(lab.folder)
    assert headline(page) == "2 of 2 runs are red"
    assert any("assert 1 > 2" in each for each in text_of(page, "pre"))


def test_a_folder_of_tests_that_cannot_be_collected(lab: Lab) -> None:
    lab.pytester.makepyfile(test_bad="import nothing_of_that_name\n")
    report = lab.run(OPTION)
    assert report.result.ret == pytest.ExitCode.INTERRUPTED
    assert "nothing_of_that_name" in "".join(text_of(page_of(lab.folder), "pre"))


def test_no_test_at_all_and_a_dry_run(lab: Lab) -> None:
    report = lab.run(OPTION, k="no_test_has_that_name")
    assert report.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    page = page_of(lab.folder)
    assert headline(page) == "no run"
    assert "no tests collected" in said(page)["pytest ended with"]
    lab.run(OPTION, "--dryrun").result.assert_outcomes(skipped=1)
    page = page_of(lab.folder)
    assert headline(page) == "nothing was measured in 1 run"
    assert any("dry run: nothing was started" in x for x in text_of(page, "pre"))


def test_the_workers_of_xdist(lab: Lab) -> None:
    lab.run("-n2", k="dlrm_server")  # another session, whose record is there
    lab.fake(bert={"die": ["start", 7]})
    options = (OPTION, "-n2", "--background-benchmarks=bert")
    report = lab.run_apart(*options, k="dlrm_server or dlrm_offline")
    report.result.assert_outcomes(errors=2)
    page = page_of(lab.folder)
    assert headline(page) == "2 of 2 runs are red"
    assert "-n2" in said(page)["run as"]


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "xdist"])
def test_after_ctrl_c(
    lab: Lab, workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    lab.fake(**{"*": {"test": 300}})
    arguments = lab.arguments("-k", "dlrm_server", OPTION, *workers)
    command = ["-mpytest", *arguments]
    child = pexpect.spawn(sys.executable, command, cwd=str(lab.folder), timeout=60)
    main = "results/*/main/logs/fake_system"
    while not any(lab.folder.glob(main)):
        child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=0.1)
    child.kill(signal.SIGINT)
    child.expect(pexpect.EOF)
    page = page_of(lab.folder)
    assert headline(page) == "1 of 1 run is red"
    assert "exit code 2, interrupted" in said(page)["pytest ended with"]


def test_a_page_that_cannot_be_written_is_refused_at_the_start(lab: Lab) -> None:
    (lab.folder / "file").write_text("")
    for path in ("file/report.html", "."):
        report = lab.run(f"--mig-report={path}")
        assert report.result.ret == pytest.ExitCode.USAGE_ERROR
        assert "--mig-report" in report.text
        assert "cannot be written" in report.text
    assert not (lab.folder / "results").exists()


def test_one_that_cannot_be_written_in_the_end_does_not_stay_green(lab: Lab) -> None:
    lab.pytester.makeconftest(
        """
        import shutil

        def pytest_sessionfinish():
            shutil.rmtree("out")
            open("out", "w").close()
        """
    )
    report = lab.run(OPTION)
    report.result.assert_outcomes(passed=1)
    assert report.result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert re.search(r"ERROR: --mig-report: \S+ cannot be written: ", report.text)


def test_without_jinja2_it_is_said_before_anything_runs(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    report = lab.run(OPTION)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "pip install 'pytest-mighetero[report]'" in report.text


def test_an_ini_file_and_collect_only(lab: Lab) -> None:
    lab.ini("mig_report = out/report.html")
    lab.run("--collect-only")
    assert not (lab.folder / "out").exists()
    lab.run()
    assert headline(page_of(lab.folder)) == "1 run passed"


HOSTILE = "\x1b[2J</pre></script><script>x</script>\u202e\u200f\x08 & <b style=x>"
SHOWN = "</pre></script><script>x</script>\\u202e\\u200f\\x08 & <b style=x>"


def test_what_harnesses_print_is_text(lab: Lab) -> None:
    lab.fake(dlrm={"marker": HOSTILE, "die": ["marker", 3]})
    lab.run(OPTION).result.assert_outcomes(failed=1)
    page = page_of(lab.folder)
    tags = {str(each.tag).rpartition("}")[2] for each in page.iter()}
    assert not tags & {"script", "b", "link", "img", "iframe"}
    failure, last = text_of(page, "pre")[:2]
    assert f"  \\x1b[2J{SHOWN}" in failure
    assert SHOWN in last.splitlines()


def test_secrets_that_harnesses_print_are_masked(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = lab.folder / "site.toml"
    suite.write_text(
        f'extends = "{lab.suite}"\n[harness]\nsecrets = ["WORD"]\n'
        'environment = { WORD = "rosebud7" }\n'
    )
    lab.suite = str(suite)
    monkeypatch.setenv("OWN_TOKEN", "own-0123-secret")
    lab.fake(dlrm={"marker": "rosebud7 own-0123-secret", "die": ["marker", 3]})
    lab.run(OPTION).result.assert_outcomes(failed=1)
    arguments = ["report", "results", "-o", "again.html"]
    monkeypatch.delenv("OWN_TOKEN")  # who writes it from records knows no secret
    assert main(arguments) == 0
    for name in ("out/report.html", "again.html"):
        text = (lab.folder / name).read_text()
        assert "*** ***" in text
        assert "rosebud7" not in text
        assert "own-0123-secret" not in text
