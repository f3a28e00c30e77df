"""``mighetero doctor`` on folders that this user may not look into, or write to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.looked import BOUND, LISTED, look, may_bind


@pytest.fixture
def here(tmp_path: Path) -> Path:
    may_bind()
    may_bind()
    return tmp_path


HIDDEN = pytest.mark.parametrize("mode", [0o600, 0])
COMMAND = """devices = "cpu"
[harness]
command = ["true"]
folder = "theirs/inner"
reader = "json"
result = { tool = "x", unit = "ops/s", value = "a", issuing = "x" }
[benchmarks]
own = { scenarios = ["offline"] }
"""


@HIDDEN
@pytest.mark.parametrize(
    ("hidden", "about"),
    [
        ("site", ["harness", "LoadGen"]),
        ("site/closed", ["harness", "LoadGen"]),
        ("site/closed/build", ["LoadGen"]),
        ("site/closed/build/inference/loadgen", ["LoadGen"]),
    ],
)
def test_a_tree_that_this_user_may_not_look_into(
    here: Path, hidden: str, about: list[str], mode: int
) -> None:
    loadgen = here / "site" / "closed" / "build" / "inference" / "loadgen"
    loadgen.mkdir(parents=True)
    (loadgen / "VERSION.txt").write_text("4.1.2")
    (here / "site" / "closed" / "Makefile").write_text("run_harness:\n")
    folder = here / "site" / "closed"
    suite = f'extends = "v2.0"\n[harness]\nfolder = "{folder}"\n'
    (here / "own.toml").write_text(suite)
    (here / hidden).chmod(mode)
    words = ["--mig-suite=own.toml", LISTED[1], "--mig-lease-dir=leases"]
    code, found = look(here, *words, before=["setpriv", BOUND])
    assert code == 1
    assert [name for name in ("harness", "LoadGen") if found[name][0][0] == "bad"] == (
        about
    )
    for name in about:
        assert f"{here / hidden}" in found[name][0][1]
        assert (
            " cannot be looked into: Permission denied; run as a" in found[name][0][1]
        )


@HIDDEN
def test_a_commands_folder_that_is_hidden(here: Path, mode: int) -> None:
    (here / "theirs" / "inner").mkdir(parents=True)
    (here / "own.toml").write_text(COMMAND)
    (here / "theirs").chmod(mode)
    words = ["--mig-suite=own.toml", "--background-benchmarks=none"]
    code, found = look(here, *words, before=["setpriv", BOUND])
    said = f"{here}/own.toml: harness.folder: {here}/theirs/inner cannot be looked into"
    remedy = ": Permission denied; run as a user who may"
    assert (code, found["harness"][-1]) == (1, ("bad", said + remedy))


def test_what_this_user_may_not_touch(here: Path) -> None:
    for name, mode in (("closed", 0o555), ("kept", 0o555), ("theirs", 0o000)):
        (here / name).mkdir()
        (here / name / "Makefile").touch()
        (here / name).chmod(mode)
    where = {"results-dir": "kept/results", "mig-lease-dir": "theirs/leases"}
    words = [f"--{name}={here / folder}" for name, folder in where.items()]
    before = ["setpriv", BOUND]
    code, found = look(
        here, *LISTED, *words, f"--mig-harness-dir={here / 'closed'}", before=before
    )
    assert code == 1
    for about, says in (
        ("harness", "cannot be written to, and the harness does that; run as a user"),
        ("disk", "/kept/results cannot be written to; name another folder"),
        ("leases", "theirs/leases cannot be opened: Permission denied; have all who"),
    ):
        assert [(state, says in said) for state, said in found[about]] == [
            ("bad", True)
        ]
