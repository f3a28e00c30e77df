"""What --mig-slurm may say: options of salloc, and nothing that it would start."""

from __future__ import annotations

import shlex
import sys
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


def test_a_blank_has_no_options(tmp_path: Path) -> None:
    assert config_of(tmp_path, mig_slurm=" ").slurm == ()


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
        ("-vN2 -Hp -N", "-vN2", "-vN2"),
        ("-pN2 -wn1 -On4 --nodelist=n1", "", "-On4"),
        ("--node=2 --ex", "--node=2", "--node=2"),
    ],
)
def test_what_is_set_for_each_worker_is_found(
    words: str, in_job: str, in_steps: str
) -> None:
    for outer, word in {"": in_job, "15": in_steps}.items():
        said = request.problem(words.split(), outer, {})
        assert (said or "").partition(" is set for each worker")[0] == word


@pytest.mark.parametrize(
    ("words", "in_job", "in_steps"),
    [
        ("-Q --gres=gpu:1", "-Q", ""),
        ("--gres=gpu:1 --he", "--he", "--he"),
        ("-sHV", "-sHV", "-sHV"),
        ("--label", "", "--label"),
        ("-vp a100", "", "-vp"),
        ("-pty -oout", "", "-oout"),
        ("--gres=gpu:1 --pty", "", "--pty"),
        ("--error=none --error-is-no-option", "", "--error=none"),
    ],
)
def test_what_would_have_the_session_hear_nothing_is_refused(
    words: str, in_job: str, in_steps: str
) -> None:
    for outer, word in {"": in_job, "15": in_steps}.items():
        said = request.problem(words.split(), outer, {})
        assert (said or "").partition(" would keep from this session")[0] == word


@pytest.mark.parametrize(
    ("words", "environment", "in_job", "in_steps"),
    [
        ("--clusters=b", {}, "--clusters=b", "--clusters=b"),
        ("-OMb", {"SLURM_CLUSTERS": "b"}, "-OMb", "-OMb"),
        ("--cluster-constraint=x", {"SALLOC_CLUSTERS": "b"}, "SALLOC_CLUSTERS", ""),
        ("", {"SLURM_CLUSTERS": "", "SLURM_CLUSTER_NAME": "b"}, "", ""),
    ],
)
def test_jobs_of_another_cluster_are_refused(
    words: str, environment: dict[str, str], in_job: str, in_steps: str
) -> None:
    for outer, word in {"": in_job, "15": in_steps}.items():
        said = request.problem(words.split(), outer, environment)
        assert (said or "").partition(" asks for jobs of another")[0] == word


@pytest.mark.parametrize(
    ("words", "memory", "said"),
    [
        ("--gres=gpu:1 --mem-bind=local", "800", True),
        ("--gres=gpu:1 --mem=400", "800", False),
        ("--mem-per-gpu 400", "800", False),
        ("--gres=gpu:1", "", False),
    ],
)
def test_a_step_takes_all_memory_unless_told(
    words: str, memory: str, said: bool
) -> None:
    found = request.taken(words.split(), {"SLURM_MEM_PER_NODE": memory})
    assert ("SLURM_MEM_PER_NODE=800" in found) is said


def test_slurms_programs_have_nothing_of_a_users_defaults() -> None:
    kept = {"SLURM_CONF": "slurm.conf", "SLURM_JWT": "x", "SALLOC_PARTITION": "a100"}
    people = {"SQUEUE_STATES": "all", "SCANCEL_USER": "x", "SCONTROL_ALL": "1"}
    protocol = {"SLURM_LABELIO": "1", "SLURM_STDOUTMODE": "out", "SLURM_CLUSTERS": "b"}
    protocol |= {"SRUN_OUTPUT": "out"}
    assert request.environment({**kept, **people, **protocol}) == kept
    words = shlex.split(request.step("15", [], sys.executable, "name"))
    before = words[: words.index("srun")]
    assert before[0] == "env"
    assert {f"--unset={name}" for name in protocol} <= set(before)


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
