"""No secret of a suite, of options or of the environment is printed or written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.driver import FAKE, Lab, Report, config_of

HUB, MAKE, ARG, PREFIX, OWN = (f"{name}-0123-secret" for name in "hmapo")
MARKED = "rosebud7"
SUITE = f"""
extends = "{FAKE / "fake.toml"}"
[harness]
secrets = ["WORD"]
environment = {{ HF_TOKEN = "{HUB}", WORD = "{MARKED}", HF_HOME = "/models" }}
make_variables = {{ X_API_KEY = "{MAKE}" }}
"""
OPTIONS = (
    f"--main-benchmark-runargs=--x_token={ARG}",
    f"--main-benchmark-cmd-prefix=env DB_PASSWORD={PREFIX}",
    "--background-benchmarks=bert",
)
# What a harness prints at its end, and the exit code of make's recipe.
ECHOES = """
export LOG_DIR
run_harness:
\t@{python} {fake} $@ $(RUN_ARGS); {then}
"""
ALL = "echo hub $$HF_TOKEN marked $$WORD make $(X_API_KEY) $(RUN_ARGS)"


@pytest.fixture
def site(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    path = lab.folder / "site.toml"
    path.write_text(SUITE)
    lab.suite = str(path)
    monkeypatch.setenv("OWN_TOKEN", OWN)
    return lab


def echoing(lab: Lab, then: str) -> None:
    lab.harness = lab.folder
    python = "$(PYTHON)"
    text = ECHOES.format(python=python, fake=FAKE / "harness.py", then=then)
    (lab.folder / "Makefile").write_text(text)


def everything(report: Report) -> str:
    """Return all that people see: terminal, junit, records, pictures; no own logs."""
    names = ("report.xml", "record.json", "timeline.svg")
    files = (path for name in names for path in report.folder.rglob(name))
    return "\n".join([report.text, *map(Path.read_text, files)])


def check_hidden(report: Report) -> None:
    text = everything(report)
    for secret in (HUB, MARKED, MAKE, ARG, PREFIX, OWN):
        assert secret not in text


def test_a_good_run(site: Lab) -> None:
    report = site.run(*OPTIONS)
    report.result.assert_outcomes(passed=1)
    check_hidden(report)
    assert "--x_token is no known flag" in report.text
    facts = report.case.properties
    assert "HF_TOKEN=***" in facts["command"]
    assert "HF_HOME=/models" in facts["command"]
    assert facts["run_args"].endswith("--x_token=***")
    # They reach the harness all the same.
    (launch,) = report.launches()
    assert launch["argv"][-1] == f"--x_token={ARG}"
    assert launch["environ"]["HF_TOKEN"] == HUB
    assert launch["environ"]["DB_PASSWORD"] == PREFIX


def test_a_later_run_finds_the_history_of_a_masked_one(site: Lab) -> None:
    planned = [*OPTIONS, "--background-benchmark-duration=planned"]
    site.run(*planned, "--start-time-buffer=2s").result.assert_outcomes(passed=1)
    report = site.run(*planned, "--start-time-buffer=2s")
    assert report.case.properties["background_duration_by"] == "history"


@pytest.mark.parametrize("role", ["main", "background"])
def test_what_a_harness_prints_before_it_fails(site: Lab, role: str) -> None:
    who = "dlrm" if role == "main" else "bert"
    own = "$$OWN_TOKEN $$DB_PASSWORD"
    echoing(site, f'case "$(RUN_ARGS)" in *{who}*) {ALL} {own}; exit 3;; esac')
    site.fake(bert={"die": ["start", 3]} if role == "background" else {})
    report = site.run(*OPTIONS)
    (problem,) = report.case.problems.values()
    assert "hub *** marked *** make ***" in problem
    check_hidden(report)


def test_a_command_that_cannot_be_launched(site: Lab) -> None:
    site.run(*OPTIONS)
    missing = f"--main-benchmark-cmd-prefix=/no/such X_TOKEN={PREFIX}"
    report = site.run(*OPTIONS[::2], missing)
    assert report.result.ret == pytest.ExitCode.TESTS_FAILED
    check_hidden(report)


def test_the_settings_of_a_run_as_a_debugger_shows_them(site: Lab) -> None:
    config = config_of(
        site.folder,
        mig_suite=site.suite,
        main_benchmark_runargs=f"--x_token={ARG}",
        main_benchmark_cmd_prefix=f"env DB_PASSWORD={PREFIX}",
    )
    for secret in (HUB, MARKED, MAKE, ARG, PREFIX, OWN):
        assert secret not in repr(config)


def test_a_dry_run(site: Lab) -> None:
    report = site.run(*OPTIONS, "--dryrun")
    check_hidden(report)
    assert 'HF_TOKEN="${HF_TOKEN:?is not printed}"' in report.text


@pytest.mark.parametrize("option", ["--mig-list", "--collect-only"])
def test_lists(site: Lab, option: str) -> None:
    check_hidden(site.run(*OPTIONS, option))


@pytest.mark.parametrize(
    "option",
    [
        f"--main-benchmark-runargs=--x_token={ARG};",
        f"--main-benchmark-cmd-prefix=env X_TOKEN='{ARG}",
        f"--main-benchmark-runargs=WORD={MARKED}",
        f"--main-benchmark-runargs=--x_token {ARG};",
    ],
)
def test_usage_errors(site: Lab, option: str) -> None:
    report = site.run(option)
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    check_hidden(report)


def test_the_invocation_in_the_record(
    site: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["pytest", *OPTIONS])
    report = site.run(*OPTIONS)
    invocation = report.record["invocation"]
    assert "--main-benchmark-runargs=--x_token=***" in invocation
    assert ARG not in invocation
    assert PREFIX not in invocation


def test_a_password_that_is_a_benchmarks_name_takes_no_name_away(site: Lab) -> None:
    path = Path(site.suite)
    path.write_text(SUITE.replace(HUB, "resnet50"))
    site.suite = str(path)
    report = site.run(k="resnet50_offline")
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["benchmark"] == "resnet50"
    assert "HF_TOKEN=***" in report.case.properties["command"]


@pytest.mark.parametrize(
    "variables",
    ["environment = { PIN = 1029384756 }", 'make_variables.PIN = "1;0293847"'],
)
def test_a_suite_file_whose_base_marks_a_secret(site: Lab, variables: str) -> None:
    base = Path(site.suite)
    base.write_text(SUITE.replace('["WORD"]', '["WORD", "PIN"]'))
    path = base.with_name("child.toml")
    path.write_text(f'extends = "{base}"\n[harness]\n{variables}\n')
    site.suite = str(path)
    report = site.run()
    assert report.result.ret == pytest.ExitCode.USAGE_ERROR
    assert ": expected " in report.text
    assert "0293847" not in report.text
