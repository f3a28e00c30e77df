"""Names of a suite file against real make and its shell: refused, or they arrive."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab.driver import FAKE, Lab

BASE = f"extends = '{FAKE / 'fake.toml'}'\n"
HARNESS = "[harness]\nmake_variables = { LOG_DIR = '{log_dir}', PYTHON = '{python}'"


def site(lab: Lab, text: str) -> None:
    path = lab.folder / "site.toml"
    path.write_text(BASE + text)
    lab.suite = str(path)


@pytest.mark.parametrize(
    "text",
    [
        "[benchmarks.'x;touch pwned']\nscenarios = ['offline']",
        "[benchmarks.'$(touch${IFS}pwned)']\nscenarios = ['offline']",
        "[harness]\nconfig_ver = 'x;touch pwned'",
        "[benchmarks.bert]\nconfig_ver = 'x;touch pwned'",
        "[targets.'1g.10gb'.'x;touch pwned'.bert]\noffline = 1",
        f"{HARNESS}, X = 'x;touch pwned' }}",
        f"{HARNESS}, X = '$(shell touch pwned)' }}",
        f"{HARNESS}, '--eval' = '$(shell touch pwned)' }}",
        "[groups]\n'x;touch pwned' = ['bert']",
        "[defaults]\nmain-benchmark-runargs = '--x=a;touch pwned'",
        "[defaults]\nresults-dir = 'x;touch pwned'",
    ],
)
def test_what_a_shell_would_run_never_reaches_make(lab: Lab, text: str) -> None:
    site(lab, text)
    lab.harness = lab.folder
    (lab.folder / "Makefile").write_text(
        "run_harness:\n\t@touch made; echo $(RUN_ARGS) $(X) $(LOG_DIR)\n"
    )
    report = lab.run("--background-benchmarks=none", k="offline", devices=1)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert re.search(r"(site\.toml: |\[defaults\] of suite site: )", report.text)
    assert not list(lab.folder.rglob("pwned*"))
    assert not (lab.folder / "made").exists()


@pytest.mark.parametrize("name", ["..", "../../x", "/tmp/x", ""])
def test_no_name_leads_out_of_the_results_folder(lab: Lab, name: str) -> None:
    site(lab, f"[benchmarks.'{name}']\nscenarios = ['offline']")
    before = set(lab.folder.parent.rglob("*"))
    report = lab.run("--background-benchmarks=none", k="offline", devices=1)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "benchmarks: expected a name of at most 64 letters" in report.text
    left = {path.name for path in set(lab.folder.parent.rglob("*")) - before}
    assert not left & {"main", "record.json", "output.log"}


@pytest.mark.parametrize(
    "name", ["llama2_70b-99.9", "a_server", "BERT-large", "x" * 64]
)
def test_an_accepted_name_arrives_as_it_is(lab: Lab, name: str) -> None:
    site(lab, f"[benchmarks.{name!r}]\nscenarios = ['offline']\nconfig_ver = 'a_1'")
    lab.fake()
    options = [f"--main-benchmark={name}", "--background-benchmarks=bert"]
    report = lab.run(*options, k="offline")
    report.result.assert_outcomes(passed=1)
    assert report.run_args()[:3] == [
        f"--benchmarks={name}",
        "--scenarios=offline",
        "--config_ver=a_1",
    ]
    assert report.case.name == f"test_heterogeneous[{name}_offline]"
    assert Path(report.record["facts"]["log_dir"]).is_relative_to(lab.folder)


def test_a_variable_of_several_words_arrives(lab: Lab) -> None:
    site(lab, f"{HARNESS}, EXTRA = 'podman run -v /a:/b' }}")
    lab.harness = lab.folder
    (lab.folder / "Makefile").write_text(
        "run_harness:\n\t@printf '<%s>' $(EXTRA); exit 3\n"
    )
    report = lab.run("--background-benchmarks=none", devices=1)
    assert "<podman><run><-v></a:/b>" in report.case.problems["failure"]
