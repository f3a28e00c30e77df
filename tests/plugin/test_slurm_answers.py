"""What Slurm answers, as values."""

from __future__ import annotations

import pytest

from pytest_mighetero.plugin.slurm import answers

# As ``scontrol show job --details`` has it, but for the lines between.
ARRAY = """\
JobId=15 ArrayJobId=14 ArrayTaskId=0 JobName=nightly
     Nodes=n1 CPU_IDs=0 Mem=0 GRES={}

JobId=14 ArrayJobId=14 ArrayTaskId=1 JobName=nightly
     Nodes=n1 CPU_IDs=1 Mem=0 GRES={}

"""


@pytest.mark.parametrize(
    "gres",
    [
        "gpu:1g.10gb:1(IDX:0)",
        "gpu:a100_3g.20gb:1(IDX:0)",
        "gpu:A100_1G.5GB:2(IDX:0-1)",
        "gpu:nvidia_h100_80gb_hbm3_1g.20gb:1(IDX:3)",
        "lustre:1,gpu:1c.3g.20gb:1(IDX:0)",
    ],
)
def test_mig_devices_are_known_by_their_type(gres: str) -> None:
    whole = "gpu:a100:1(IDX:0)"
    assert answers.has_mig(ARRAY.format(whole, gres), "14")
    assert not answers.has_mig(ARRAY.format(gres, whole), "14")
    assert answers.has_mig(ARRAY.format(gres, whole), "15")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("salloc: error: Job submit: no\nsalloc: error: Job submit: no\n", "no"),
        ("", "salloc does not say why"),
        ("salloc: \nUsage of it\n", "salloc does not say why"),
    ],
)
def test_a_refusal_has_a_reason(text: str, reason: str) -> None:
    assert answers.refusal(text).removeprefix("Job submit: ") == reason


def test_a_job_of_which_nothing_is_known_is_on_no_node() -> None:
    assert str(answers.gone("14")) == "job 14"
    assert answers.gone("14").fate == "the job ended (Slurm: GONE)"
