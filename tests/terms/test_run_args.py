"""RUN_ARGS are read and written in one place, in each form that argparse takes."""

from __future__ import annotations

import pytest

from pytest_mighetero.terms.run_args import RunArgs


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("--server_target_qps=150", 150.0),
        ("--server_target_qps 150", 150.0),
        ("--server_target_qps=100 --server_target_qps 150", 150.0),
        ("--server_target_qps=0", None),
        ("--server_target_qps=many", None),
        ("--server_target_qps_adj_factor=2", None),
        ("", None),
    ],
)
def test_a_number(text: str, number: float | None) -> None:
    assert RunArgs.read(text).number("server_target_qps") == number


def test_a_flag_alone_is_true() -> None:
    assert RunArgs.read("--fast --verbose").text("fast") == "true"


@pytest.mark.parametrize("said", ["--a=1 --b 2 --c", "stray --a", "--a 1 2"])
def test_the_text_comes_back_as_it_was(said: str) -> None:
    assert str(RunArgs.read(said)) == said


def test_another_value_takes_the_place_of_every_form() -> None:
    told = RunArgs.read("--a 1 --b --a=2").having(a="3")
    assert str(told) == "--b --a=3"
    assert str(told.without("a")) == "--b"
