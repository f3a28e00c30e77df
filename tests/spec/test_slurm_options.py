"""What --mig-slurm may say: options of salloc, and nothing that it would start."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.plugin.slurm import request
from tests.lab.driver import config_of


@pytest.mark.parametrize(
    "text",
    [
        "--partition=a100 --gres=gpu:1",
        "-p a100 --gres gpu:1",
        "-pa100 --exclusive",
        "--comment='two words' -n 4",
        "--exclusive=user --time 10",
    ],
)
def test_options_and_their_values(tmp_path: Path, text: str) -> None:
    assert config_of(tmp_path, mig_slurm=text).slurm is not None


@pytest.mark.parametrize(
    ("words", "in_job", "in_steps"),
    [
        ("--gres=gpu:1 -p a100 --nodelist=n1 --ntasks-per-node=2", "", ""),
        ("--gres=gpu:1 --nodes=2", "--nodes=2", "--nodes=2"),
        ("-N 2", "-N", "-N"),
        ("-J mine", "-J", "-J"),
        ("--job-na=mine", "--job-na=mine", "--job-na=mine"),
        ("--no-shell", "--no-shell", ""),
        ("-n 4 --exclusive", "", "-n"),
        ("--exclusive --jobid=7", "", "--jobid=7"),
        ("--overcommit --overlap", "", "--overlap"),
    ],
)
def test_what_is_set_for_each_worker_is_found(
    words: str, in_job: str, in_steps: str
) -> None:
    assert request.own(words.split(), "") == in_job
    assert request.own(words.split(), "15") == in_steps


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a100", "a100"),
        ("gpu:1 --partition=a100", "gpu:1"),
        ("--partition=a100 gpu:1", "gpu:1"),
        ("-pa100 gpu:1", "gpu:1"),
        ("-p a100 gpu:1", "gpu:1"),
        ("--exclusive gpu:1", "gpu:1"),
        ("-O a100", "a100"),
        ("--gres=gpu:1 -- hostname", "--"),
    ],
)
def test_a_word_that_is_no_option_is_refused(
    tmp_path: Path, text: str, word: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(tmp_path, mig_slurm=text)
    assert str(caught.value) == (
        f"--mig-slurm: expected options of salloc, as --partition=a100 --gres=gpu:1, "
        f"found {word!r}, which is none"
    )
