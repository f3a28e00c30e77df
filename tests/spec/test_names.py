"""What a suite file may call things, and what no option's value may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.library import load_suite
from pytest_mighetero.spec.suite import Suite
from tests.lab.driver import config_of

SCENARIOS = "scenarios = ['offline']"


def site(folder: Path, text: str) -> Suite:
    (folder / "site.toml").write_text(f"extends = 'v1.0'\n{text}")
    return load_suite("site.toml", folder, device_kinds())


@pytest.mark.parametrize(
    "name",
    [
        "llama2-70b",
        "stable_diffusion_xl",
        "gptj-99.9",
        "3d-unet",
        "BERT-large",
        "x" * 64,
    ],
)
def test_names_of_the_field_are_accepted(tmp_path: Path, name: str) -> None:
    suite = site(tmp_path, f"[benchmarks.'{name}']\n{SCENARIOS}")
    assert name in suite.benchmarks


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../../x", "/x", "a/b", "-x", "--x", ".x", "x;touch y", "a b"),
        *("$(x)", "`x`", "a,b", "a=b", "x[1]", "a*", "a::b", "a'b", "x\\n", "x\\t"),
        *("naïve", "\\u0661", "x\\u0000", "x\\u001b[31m", "x" * 65),
    ],
)
def test_what_is_no_name_of_a_benchmark(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError) as error:
        site(tmp_path, f'[benchmarks."{name}"]\n{SCENARIOS}')
    text = str(error.value)
    assert text.startswith(f"{tmp_path / 'site.toml'}: benchmarks: expected a name of")
    assert text.isprintable()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[groups]\n'x;y' = ['bert']", "groups: expected a name of at most 64"),
        ("[groups]\n'7' = ['bert']", "a letter first: it is a pytest marker"),
        ("[groups]\nskip = ['bert']", "another marker of pytest, found 'skip'"),
        ("[groups]\nxfail = ['bert']", "another marker of pytest, found 'xfail'"),
        ("[groups]\nnot = ['bert']", "no word of -m"),
        ("[groups]\nisolated = ['bert']", "another marker of pytest"),
        ("[groups]\nall = ['bert']", "another marker of pytest, found 'all'"),
        (
            "[groups]\nbert = ['bert']",
            "groups.bert: expected another name, since bench",
        ),
        (
            "[groups]\nServer = ['bert']",
            "groups.Server: expected another name, since g",
        ),
        (f"[benchmarks.Bert]\n{SCENARIOS}", "expected another name, since benchmarks."),
        (f"[benchmarks.none]\n{SCENARIOS}", "since the word 'none' is taken"),
        (f"[benchmarks.edge]\n{SCENARIOS}", "benchmarks.edge: expected another name"),
        ("[harness]\nconfig_ver = 'a;b'", "harness.config_ver: expected one name such"),
        ("[harness]\nconfig_ver = 'all'", "one run has one result), found 'all'"),
        ("[harness]\nconfig_ver = 'a,b'", "one run has one result), found 'a,b'"),
        (
            "[benchmarks.bert]\nconfig_ver = '$x'",
            "benchmarks.bert.config_ver: expected",
        ),
        (
            "[targets.'1g.10gb'.'a b'.bert]\noffline = 1",
            "targets.1g.10gb: expected one",
        ),
        ("[targets.'1g.10'.hetero.bert]\noffline = 1", "expected a profile such as"),
        (
            "[latencies_ms.'1g.10'.hetero.bert]\nsinglestream = 1",
            "expected a profile such as",
        ),
        (
            "[latencies_ms.'1g.10gb'.'a b'.bert]\nsinglestream = 1",
            "latencies_ms.1g.10gb: expected one",
        ),
        ("[profiles]\n'1g' = 'all'", "profiles: expected a profile such as 1g.10gb"),
        ('[harness]\nfolder = "a\\nb"', "harness.folder: expected a path without"),
        ("[harness]\naudit_folder = '../x'", "harness.audit_folder: expected a folder"),
        ("[harness]\naudit_folder = '/x/../y'", "with no .. in it, found '/x/../y'"),
        ("[harness]\naudit_folder = '{log_dir}/../x'", "found '{log_dir}/../x'"),
        ("[harness]\naudit_folder = 'x/{log_dir}'", "or from {log_dir} on"),
        ("[harness]\nmake_variables = { '-n' = 'x' }", "name of a make variable"),
        ("[harness]\nmake_variables = { 'a b' = 'x' }", "name of a make variable"),
        ("[harness]\nmake_variables = { RUN_ARGS = 'x' }", "variable than RUN_ARGS"),
        ("[harness]\nmake_variables = { MAKEFLAGS = '-n' }", "what make does, found"),
        ("[harness]\nmake_variables = { X = 'a;b' }", "so ';' would not arrive, found"),
        ("[harness]\nmake_variables = { X = '$(x)' }", "so '$' would not arrive"),
        ('[harness]\nmake_variables = { X = "a\\nb" }', "would not arrive"),
        ("[harness]\nmake_variables = { X = '{logs}' }", "so '{' would not arrive"),
        ("[harness]\nenvironment = { 'a=b' = 'x' }", "harness.environment: expected a"),
        ("[harness]\nenvironment = { '' = 'x' }", "a variable's name"),
        (
            "[harness]\nenvironment = { CUDA_VISIBLE_DEVICES = 'x' }",
            "another variable than CUDA_VISIBLE_DEVICES and MIGHETERO_FOLDER",
        ),
        (
            '[harness]\nenvironment = { A = "x\\u0000" }',
            "harness.environment.A: expected",
        ),
        ("[harness]\nsecrets = ['a b']", "harness.secrets: expected a variable's or a"),
        (
            '[harness]\nstart_markers = ["a\\u001b[0m"]',
            "start_markers: expected a text",
        ),
        ('description = "a\\nb"', "description: expected a text without control"),
        (
            '[defaults]\nmig-gpu = "0\\u0000"',
            "defaults.mig-gpu: expected a text without",
        ),
    ],
)
def test_what_cannot_be_meant_names_file_key_and_what_is_accepted(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        site(tmp_path, text)
    assert message in str(error.value)
    assert "site.toml" in str(error.value)
    assert str(error.value).isprintable()


def test_a_secret_value_that_is_refused_is_not_shown(tmp_path: Path) -> None:
    text = '[harness.environment]\nHF_TOKEN = "hf_\\u0000"'
    with pytest.raises(ConfigError, match=r"HF_TOKEN: expected .* found \*\*\*$"):
        site(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "[profiles]\n'1g.10gb+me' = 'all'\n'1c.3g.40gb' = 'all'\n'1g.24gb-me' = 'all'",
        "[harness]\nmake_variables = { DOCKER_CMD = 'podman run --rm -v /a:/b' }",
        "[harness]\nenvironment = { '.SHELLFLAGS' = '-ec', PS1 = \"a\\nb $x;\" }",
        "[harness]\nfolder = '/mlperf/closed/My Org'\naudit_folder = 'build/x..y'",
        "[harness]\nsecrets = ['HUB_LOGIN', '--hub-login']",
        "[harness]\naudit_folder = '/scratch/build/compliance_logs'",
        "[groups]\nlanguage = ['bert']\noffline = ['bert', 'dlrm']",
    ],
)
def test_what_sites_say_is_accepted(tmp_path: Path, text: str) -> None:
    site(tmp_path, text)


@pytest.mark.parametrize("name", ["a\nb.toml", "x" * 5000 + ".toml", "x\0.toml"])
def test_a_name_that_no_file_has(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="no suite"):
        load_suite(name, tmp_path, device_kinds())
    extends = name.replace("\n", "\\n").replace("\0", "\\u0000")
    (tmp_path / "site.toml").write_text(f'extends = "{extends}"')
    with pytest.raises(ConfigError, match=r"no suite|extends"):
        load_suite("site.toml", tmp_path, device_kinds())


def test_files_that_extend_each_other_by_a_ring_of_links(tmp_path: Path) -> None:
    (tmp_path / "a.toml").symlink_to(tmp_path / "b.toml")
    (tmp_path / "b.toml").symlink_to(tmp_path / "a.toml")
    with pytest.raises(ConfigError, match="no suite"):
        load_suite("a.toml", tmp_path, device_kinds())


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("config_ver", "hétéro", "--config-ver: expected one name such as hetero"),
        ("config_ver", "all", "one run has one result"),
        ("main_benchmark", "bert;x", "--main-benchmark: unknown 'bert;x'"),
        ("main_benchmark", "../bert", "unknown '../bert'"),
        ("background_benchmarks", "$(x)", "unknown '$(x)'"),
        ("main_action", "run_harness;x", "unknown 'run_harness;x'"),
        ("mig_gpu", "0\x1b[31m", "--mig-gpu: expected a text without control char"),
        ("main_benchmark_cmd_prefix", "x \x00", "expected a text without control"),
        ("mig_devices", "MIG-GPU-5c89852c-d268/\u0667/0", "expected MIG-<uuid> or"),
        ("results_dir", "a\nb", "--results-dir: expected a path without control"),
        ("results_dir", "x" * 5000, "--results-dir: "),
        ("results_dir", "a;b", "';' would not arrive"),
        ("mig_harness_dir", "x" * 5000, "--mig-harness-dir: "),
        ("mig_lease_dir", "x\x00", "--mig-lease-dir: expected a path"),
    ],
)
def test_options_that_cannot_be_meant(
    tmp_path: Path, option: str, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        config_of(tmp_path, **{option: text})
    assert message in str(error.value)


def test_benchmarks_are_found_in_any_case(tmp_path: Path) -> None:
    site(tmp_path, f"[benchmarks.BERT-Large]\n{SCENARIOS}")
    suite = str(tmp_path / "site.toml")
    said = {"mig_suite": suite, "main_benchmark": "bert-large"}
    (pair,) = config_of(tmp_path, **said).pairs
    assert str(pair) == "BERT-Large_offline"


def test_a_python_whose_path_a_shell_would_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/home/me/my venv/bin/python")
    with pytest.raises(
        ConfigError, match=r"is PYTHON for make, .* ' ' would not arrive"
    ):
        config_of(tmp_path)
