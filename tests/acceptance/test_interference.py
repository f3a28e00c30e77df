"""The interference matrix: every victim alone, and beside every aggressor."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from pytest_mighetero.cli.__main__ import main
from tests.lab.driver import Lab, Report

MATRIX = "--mig-interference=dlrm_offline,bert_offline"
LONG = "--background-benchmark-duration=20s"
ALONE = ["test_isolated[bert_offline]", "test_isolated[dlrm_offline]"]
CELLS = [
    "test_heterogeneous[bert_offline-beside-bert_offline]",
    "test_heterogeneous[dlrm_offline-beside-bert_offline]",
    "test_heterogeneous[bert_offline-beside-dlrm_offline]",
    "test_heterogeneous[dlrm_offline-beside-dlrm_offline]",
]


@pytest.fixture
def lab(lab: Lab) -> Lab:
    lab.isolated()
    return lab


def run(
    lab: Lab, *options: str, k: str = "offline", devices: int = 3, of: str = MATRIX
) -> Report:
    return lab.run(of, LONG, *options, k=k, devices=devices)


def collected(lab: Lab, *options: str, k: str = "offline") -> list[str]:
    report = lab.run("--collect-only", "-q", *options, k=k)
    found = [line.partition("::")[2] for line in report.result.outlines]
    return [name for name in found if name]


def matrix(lab: Lab) -> dict[str, Any]:
    text = (lab.folder / "results" / "interference.json").read_text()
    document: dict[str, Any] = json.loads(text)
    return document


def cell(lab: Lab, victim: str, aggressor: str) -> dict[str, Any]:
    (found,) = (
        each
        for each in matrix(lab)["cells"]
        if (each["victim"], each["aggressor"]) == (victim, aggressor)
    )
    return dict(found)


def names(report: Report) -> list[str]:
    return [case.name for case in report.junit]


def refusal(lab: Lab, *options: str, k: str = "offline") -> str:
    report = lab.run(*options, k=k)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    return report.text


def test_every_victim_alone_then_beside_one_aggressor_after_another(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 320, 400]}, bert={"rate": [200, 190, 250]})
    report = run(lab)
    report.result.assert_outcomes(passed=6)
    assert names(report) == [*ALONE, *CELLS]
    properties = report.junit[3].properties
    assert properties["victim"] == "dlrm_offline"
    assert properties["aggressor"] == "bert_offline"
    assert properties["backgrounds"] == "bert,bert"
    assert properties["aggressor_count"] == "2"
    assert properties["slowdown"] == "1.2500"
    assert properties["slowdown_within_noise"] == "unknown: single runs"
    assert "interference" not in properties
    assert "victim" not in report.junit[0].properties
    assert cell(lab, "dlrm_offline", "bert_offline") == {
        "victim": "dlrm_offline",
        "aggressor": "bert_offline",
        "count": 2,
        "alone": 400.0,
        "beside": 320.0,
        "unit": "samples/s",
        "figure": "samples/s",
        "slowdown": 1.25,
        "noise": None,
        "failed": False,
        "problem": "",
        "base": "",
        "excused": False,
    }
    report.result.stdout.re_match_lines(
        [
            r"=+ interference =+",
            r"suite: +fake",
            r"each aggressor: +on 2 devices",
            r"times as slow as alone, beside, in offline",
            r"victim +alone +bert +dlrm",
            r"bert_offline +200 samples/s +1\.05\? +0\.80\?",
            r"dlrm_offline +400 samples/s +1\.25\? +1\.00\?",
            r"  \? of single runs: their noise is not known",
        ]
    )


def test_one_set_of_an_aggressor_serves_all_victims(lab: Lab) -> None:
    run(lab).result.assert_outcomes(passed=6)
    sets = sorted(lab.folder.glob("results/*-backgrounds*/set-*"))
    assert len(sets) == 2
    beside = [path.name for path in sorted(sets[0].glob("background-*"))]
    assert beside == ["background-1-bert", "background-2-bert"]
    folders = sorted(lab.folder.glob("results/*-beside-*"))
    assert len(folders) == 4


def test_every_cell_may_have_a_set_of_its_own(lab: Lab) -> None:
    run(lab, "--background-scope=test").result.assert_outcomes(passed=6)
    assert not list(lab.folder.glob("results/*-backgrounds*"))
    own = lab.folder.glob("results/*-beside-*/background-*")
    assert len(list(own)) == 8


@pytest.mark.parametrize("option", ["--mig-interference", "--mig_interference=all"])
def test_all_is_every_selected_pair(lab: Lab, option: str) -> None:
    found = collected(lab, option, k="isolated or heterogeneous")
    alone = [name for name in found if name.startswith("test_isolated")]
    # 3 aggressors beside 5 pairs
    assert (len(alone), len(found)) == (5, 5 + 15)
    assert "test_heterogeneous[dlrm_server-beside-dlrm_offline]" in found


def test_an_ini_file_may_ask_for_it(lab: Lab) -> None:
    lab.ini("mig_interference = dlrm_offline, bert_offline")
    assert collected(lab) == [*ALONE, *CELLS]
    lab.ini("mig_interference = all", "background_benchmarks = resnet50")
    found = collected(lab, "--mig-interference=dlrm", k="server or isolated")
    assert "test_heterogeneous[dlrm_server-beside-resnet50_offline]" in found


def test_what_selects_selects_cells(lab: Lab) -> None:
    one = "dlrm_offline-beside-bert_offline"
    assert collected(lab, MATRIX, k=f"{one}") == [f"test_heterogeneous[{one}]"]
    assert collected(lab, MATRIX, "-m", "isolated") == ALONE
    server = collected(lab, "--mig-interference=dlrm", "-m", "server", k="beside")
    assert server == ["test_heterogeneous[dlrm_server-beside-dlrm_offline]"]
    repeated = collected(lab, MATRIX, "--mig-repeat=2", k=f"{one}")
    runs = [f"test_heterogeneous[{one}-run{number}]" for number in (1, 2)]
    assert repeated == runs


def test_a_cell_by_its_id(lab: Lab) -> None:
    name = "dlrm_offline-beside-bert_offline"
    lab.run_apart(MATRIX, LONG, k="isolated").result.assert_outcomes(passed=2)
    arguments = lab.arguments(MATRIX, LONG, f"test_run.py::test_heterogeneous[{name}]")
    report = lab.apart(*arguments)
    report.result.assert_outcomes(passed=1)
    # Its victim was measured alone by an earlier session.
    assert report.case.properties["slowdown"] == "1.0000"
    assert cell(lab, "dlrm_offline", "bert_offline")["slowdown"] == 1


def test_the_nearest_cells_are_named(lab: Lab) -> None:
    missing = "test_run.py::test_heterogeneous[dlrm_offline-beside-brt_offline]"
    report = lab.apart(*lab.arguments(MATRIX, missing))
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "[dlrm_offline-beside-bert_offline]" in report.text
    hint = lab.run(MATRIX, k="dlrm_offline-beside-brt_offline").text
    assert "the nearest: dlrm_offline-beside-bert_offline" in hint


def test_a_marker_binds_victims(lab: Lab) -> None:
    lab.pytester.makepyfile(
        test_bound="import pytest\n"
        '@pytest.mark.mighetero("dlrm_offline")\n'
        "def test_bound(background, main):\n    main.run()\n"
    )
    assert collected(lab, MATRIX, k="bound") == [
        "test_bound[dlrm_offline-beside-bert_offline]",
        "test_bound[dlrm_offline-beside-dlrm_offline]",
    ]


def test_backgrounds_that_are_named_are_the_aggressors(lab: Lab) -> None:
    found = collected(lab, MATRIX, "--background-benchmarks=resnet50", k="beside")
    assert found == [
        "test_heterogeneous[bert_offline-beside-resnet50_offline]",
        "test_heterogeneous[dlrm_offline-beside-resnet50_offline]",
    ]


def test_so_many_aggressors(lab: Lab) -> None:
    report = run(lab, "--mig-aggressor-count=1", k=CELLS[1][19:-1], devices=4)
    properties = report.case.properties
    assert properties["backgrounds"] == "bert"
    assert properties["aggressor_count"] == properties["aggressor_limit"] == "1"
    assert len(report.launches("background")) == 1


def test_more_aggressors_than_there_are_devices(lab: Lab) -> None:
    report = run(lab, "--mig-aggressor-count=3", k=CELLS[1][19:-1])
    report.result.assert_outcomes(errors=1)
    (problem,) = report.case.problems.values()
    assert "4 MIG devices are needed on one GPU (one for main, " in problem
    assert "3 by --mig-aggressor-count), found 3" in problem
    assert (
        "MIG devices are needed" in cell(lab, "dlrm_offline", "bert_offline")["problem"]
    )


def test_a_gpu_of_one_device_has_no_neighbours(lab: Lab) -> None:
    report = run(lab, devices=1)
    report.result.assert_outcomes(passed=2, errors=4)
    (problem,) = report.junit[2].problems.values()
    assert "2 MIG devices are needed on one GPU" in problem
    assert "dlrm_offline beside dlrm_offline and 3 more" not in report.text
    assert "bert_offline beside bert_offline and 3 more: 2 MIG devices" in report.text


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--mig-interference=dlm", "unknown 'dlm': did you mean dlrm"),
        ("--mig-interference=dlrm_singlestream", "did you mean"),
        ("--mig-interference=dlrm,", "unknown ''"),
        ("--mig-interference=test_run.py", "before a path write =all, too"),
        ("--mig-interference=\x1b[31m", "expected a text without control characters"),
    ],
)
def test_names_that_are_none(lab: Lab, option: str, said: str) -> None:
    text = refusal(lab, option)
    assert "--mig-interference: " in text
    assert said in text
    assert "\x1b[31m" not in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mig-resume",), "--mig-resume: there is no interference matrix"),
        (("--mig-max-slowdown=10%",), "--mig-max-slowdown: there is no interference"),
        (("--mig-aggressor-count=2",), "say --mig-interference, too"),
        ((MATRIX, "--mig-max-slowdown=0%"), "expected a percentage such as 10%"),
        ((MATRIX, "--mig-aggressor-count=0"), "expected 1, 2, 3"),
        ((MATRIX, "--main-action=run_audit_test01"), "an audit (run_audit_test01)"),
        ((MATRIX, "--background-benchmarks=none"), "does not run any"),
        ((MATRIX, "--background-scenario=server"), "does not run resnet50_server"),
    ],
)
def test_what_cannot_be_meant(lab: Lab, options: tuple[str, ...], said: str) -> None:
    if "--background-scenario=server" in options:
        options = (*options, "--background-benchmarks=resnet50")
    assert said in refusal(lab, *options)


def test_there_are_tests_for_it(lab: Lab) -> None:
    (lab.folder / "test_solo.py").unlink()
    assert "no test is marked isolated. Add one:" in refusal(lab, MATRIX)
    lab.isolated()
    (lab.folder / "test_run.py").unlink()
    assert "no test has backgrounds beside its main. Add one:" in refusal(lab, MATRIX)
    lab.ini("mig_interference = all")
    assert "mig_interference in tox.ini: no test has backgrounds" in refusal(lab)


def test_a_dry_run_prints_every_cell(lab: Lab) -> None:
    report = run(lab, "--dryrun")
    report.result.assert_outcomes(skipped=6)
    assert report.text.count("# background 2 of 2: bert_offline") == 2
    assert not (lab.folder / "results").exists()


def test_the_list_of_devices_tells_the_cells(lab: Lab) -> None:
    report = lab.run("--mig-list", MATRIX)
    assert (
        "interference: 2 victims alone, and beside 2 aggressors: 4 cells" in report.text
    )
    assert "  dlrm_offline-beside-bert_offline" in report.text
    report = lab.run("--mig-list", "--mig-interference=dlrm_offline")
    assert "interference: 1 victim alone, and beside 1 aggressor: 1 cell" in report.text


def test_what_failed_and_what_is_missing_is_said(lab: Lab) -> None:
    lab.fake(dlrm={"validity": "INVALID"})
    report = run(lab, k="offline and not bert_offline-beside-dlrm")
    outcomes = report.result.parseoutcomes()
    assert outcomes["failed"] == 3
    missing = cell(lab, "bert_offline", "dlrm_offline")
    assert missing["problem"] == "it was not run"
    failed = cell(lab, "dlrm_offline", "bert_offline")
    assert failed["slowdown"] is None
    assert "call failed: " in failed["problem"]
    report.result.stdout.re_match_lines(
        [r"  - no figure", r".*bert_offline beside dlrm_offline: it was not run"]
    )


def test_a_victim_without_a_good_run_alone_has_no_slowdown(lab: Lab) -> None:
    lab.fake(dlrm={"capacity": [300, 400, 400]})
    report = run(lab, of="--mig-interference=dlrm_server,bert_offline", k="dlrm_server")
    assert report.result.parseoutcomes()["failed"] == 1
    alone = cell(lab, "dlrm_server", "bert_offline")
    assert alone["slowdown"] is None
    assert "dlrm_server has no good run alone: call failed" in alone["problem"]


def test_repeats_tell_noise(lab: Lab) -> None:
    lab.fake(dlrm={"rate": [400, 410, 300, 310, 405, 402]})
    report = run(lab, "--mig-repeat=2", k="dlrm_offline and not bert")
    report.result.assert_outcomes(passed=4)
    known = cell(lab, "dlrm_offline", "dlrm_offline")
    assert (known["alone"], known["beside"], known["noise"]) == (405, 305, False)
    for case in report.junit[2:]:
        assert case.properties["slowdown"] == "1.3279"
        assert case.properties["slowdown_within_noise"] == "no"
    records = [record["facts"].get("slowdown") for record in report.records[2:]]
    assert records[-2:] == ["1.3279", "1.3279"]


def test_the_matrix_as_csv(lab: Lab) -> None:
    run(lab)
    text = (lab.folder / "results" / "interference.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["victim"] for row in rows] == ["bert_offline", "bert_offline"] + [
        "dlrm_offline"
    ] * 2
    assert rows[1]["aggressor"] == "dlrm_offline"
    assert (rows[1]["slowdown"], rows[1]["noise"]) == ("1.0", "")
    assert (rows[1]["failed"], rows[1]["count"]) == ("no", "2")
    assert not list((lab.folder / "results").glob("interference*.partial"))


def test_two_workers(lab: Lab) -> None:
    report = lab.run_apart("-n2", MATRIX, LONG, "--mig-lease-timeout=60s", k="offline")
    report.result.assert_outcomes(passed=6)
    assert sorted(names(report)) == sorted([*ALONE, *CELLS])
    assert {each["slowdown"] for each in matrix(lab)["cells"]} == {1}
    assert matrix(lab)["victims"] == ["bert_offline", "dlrm_offline"]
    for case in report.junit:
        assert ("slowdown" in case.properties) == ("beside" in case.name)
    assert "times as slow as alone, beside, in offline" in report.text


def test_cells_are_no_history_for_runs_beside_others(lab: Lab) -> None:
    run(lab).result.assert_outcomes(passed=6)
    facts = lab.run("-m", "isolated", k="dlrm_offline").junit[0].properties
    assert "interference" not in facts
    report = lab.run("--mig-compare=last", k="dlrm_offline")
    assert "there is no earlier good run like dlrm_offline" in report.text


def test_two_matrices_are_compared_cell_by_cell(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    run(lab).result.assert_outcomes(passed=6)
    results = str(lab.folder / "results")
    capsys.readouterr()
    kinds = ["--runs-a=heterogeneous", "--runs-b=heterogeneous"]
    assert main(["compare", results, results, *kinds]) == 0
    assert "offline beside bert_offline" in capsys.readouterr().out


def test_cells_are_no_references(lab: Lab) -> None:
    run(lab, "--mig-save-reference", "--mig-references=references")
    texts = [path.read_text() for path in (lab.folder / "references").iterdir()]
    assert 'run = "isolated"' in "".join(texts)
    assert 'run = "heterogeneous"' not in "".join(texts)


def test_the_files_do_not_make_a_folder_of_tests_of_the_results(lab: Lab) -> None:
    run(lab)
    (lab.folder / "results" / "20260722-101500-x").mkdir()
    strange = lab.folder / "results" / "20260722-101500-x" / "test_x.py"
    strange.write_text("raise SystemExit\n")
    assert collected(lab, MATRIX) == [*ALONE, *CELLS]
