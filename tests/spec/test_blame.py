"""Of several files of a suite, the one that has the value at fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plan.run_plan import check_tools
from tests.lab.driver import config_of

COMMAND = 'command = ["tool", "{x}", "{port}"]\nreader = "json"\n'
SERVER = 'server = { command = ["server", "{port}"] }\n'
PATH = 'result = { path = "x.json", value = "qps" }\nstart_markers = ["go"]\n'
WHOLE = f'[harness]\n{COMMAND}{SERVER}{PATH}values = {{ x = "1" }}\n'
# What the child says beside it, so that the table is its own, too.
OWN = '[harness]\nidle_limit = "5s"\n'


def refusal(folder: Path, parent: str, child: str = "", base: str = "v1.0") -> str:
    """Return what is said of a child whose parent has the value at fault."""
    head = f'extends = "{base}"\n' if base else 'devices = "cpu"\n'
    (folder / "parent.toml").write_text(head + parent)
    (folder / "child.toml").write_text(f'extends = "parent.toml"\n{child}')
    with pytest.raises(ConfigError) as error:
        check_tools(config_of(folder, mig_suite="child.toml"))
    return str(error.value)


def test_a_suite_that_is_not_there_names_who_extends_it(tmp_path: Path) -> None:
    said = refusal(tmp_path, "", base="gone")
    assert said.startswith(f"{tmp_path}/parent.toml: extends: no suite 'gone': ")
    (tmp_path / "child.toml").write_text('extends = "gone"')
    with pytest.raises(ConfigError) as error:
        config_of(tmp_path, mig_suite="child.toml")
    said = str(error.value)
    assert said.startswith(f"{tmp_path}/child.toml: extends: no suite 'gone': ")


def test_so_does_one_that_is_extended_by_itself(tmp_path: Path) -> None:
    said = refusal(tmp_path, "", base="child.toml")
    assert said == f"{tmp_path}/parent.toml: extends: this suite extends itself"


@pytest.mark.parametrize(
    ("parent", "child", "message"),
    [
        (
            "[groups]\nBERT = ['dlrm']",
            "[groups]\nmine = ['dlrm']",
            "groups.BERT: expected another name, since benchmarks.bert is taken",
        ),
        (
            "[profiles.'1g.5gb']\nberta = ['offline']",
            "[profiles.'1g.5gb']\nbert = ['offline']",
            "profiles.1g.5gb.berta: unknown benchmark 'berta'",
        ),
        (
            "[profiles.'1g.5gb']\ndlrm = ['multistream']",
            "[profiles.'1g.5gb']\nbert = ['offline']",
            "profiles.1g.5gb.dlrm: dlrm_multistream: not among",
        ),
        (
            "[targets.'1g.5gb'.default]\nberta = { offline = 1 }",
            "[targets.'1g.5gb'.default]\nbert = { offline = 1 }",
            "targets.1g.5gb.default.berta: unknown benchmark 'berta'",
        ),
        (
            "[harness]\nvalues = { x = '1' }",
            OWN,
            "[harness]: values: expected command beside it",
        ),
        (
            "[harness]\nreader = 'nope'",
            OWN,
            "harness.reader: no reader 'nope'",
        ),
    ],
)
def test_the_parent_is_named(
    tmp_path: Path, parent: str, child: str, message: str
) -> None:
    said = refusal(tmp_path, parent, child)
    assert said.startswith(f"{tmp_path}/parent.toml: {message}")


@pytest.mark.parametrize(
    ("has", "instead", "message"),
    [
        ('"{x}"', '"{y}"', "harness.command: no placeholder {y}"),
        ('"{x}"', '"{x"', "harness.command: expected {NAME} for a placeholder"),
        ('x = "1"', 'x = "{y}"', "harness.values.x: no placeholder {y}"),
        ('x = "1"', 'x = "1", port = "2"', "harness.values.port: expected another"),
        (', "{port}"]\nreader', "]\nreader", "harness.command: expected {port} in it"),
        (
            SERVER,
            f"{SERVER[:-2]}, ready_url = 'x' }}\n",
            "[harness].server.ready_url: expected a URL such as",
        ),
        (
            SERVER,
            f"{SERVER}make_variables = {{ A = 'b' }}\n",
            "[harness]: make_variables: expected no such key beside command",
        ),
        (
            'value = "qps"',
            'valeu = "qps"',
            "harness.result.path: no such key: accepted: ",
        ),
    ],
)
def test_so_it_is_of_a_command(
    tmp_path: Path, has: str, instead: str, message: str
) -> None:
    benchmark = '[benchmarks.alpha]\nscenarios = ["offline"]\n'
    assert WHOLE.count(has) == 1
    text = WHOLE.replace(has, instead) + benchmark
    said = refusal(tmp_path, text, OWN, base="")
    assert said.startswith(f"{tmp_path}/parent.toml: {message}")


def test_of_two_names_that_clash_the_one_added_last_is_at_fault(tmp_path: Path) -> None:
    own = "[benchmarks.Mine]\nscenarios = ['offline']\n[benchmarks.bert]\naudits = []"
    said = refusal(tmp_path, "[groups]\nmine = ['dlrm']", own)
    assert said.startswith(f"{tmp_path}/child.toml: benchmarks.Mine: expected another")
