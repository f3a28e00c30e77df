"""When a run fails, and what it is compared with."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Kind, Option
from pytest_mighetero.spec.options.kinds import FOLDER, PERCENT

VERDICT = (
    Option(
        "lenient", "a failed overlap is a warning; a bad main, and a crash, still fail"
    ),
    Option(
        "mig-max-slowdown",
        "fail a cell of the matrix that is so much slower than alone, 10% for example",
        Kind("PERCENT", "excess"),
        None,
        in_suite=False,
        gate=True,
        unsaid="none fails for it",
    ),
    Option(
        "mig-references",
        "folder of the reference values that runs are checked against",
        FOLDER,
        "runs/references",
    ),
    Option(
        "mig-compare",
        "fail a run that is worse than its last earlier one, or than those in a "
        "results folder or record",
        Kind("last|PATH"),
        "",
        in_suite=False,
        gate=True,
        unsaid="no comparison",
    ),
    Option("mig-save-reference", "write results to --mig-references", in_suite=False),
    Option(
        "mig-tolerance",
        "how much worse --mig-compare lets a run be, and the bounds that "
        "--mig-save-reference writes",
        PERCENT,
        "5%",
    ),
    Option(
        "mig-background-tolerance",
        "fail a run beside a background whose own figure is so much worse than in "
        "earlier runs, 10% for example (20% worse is a warning)",
        PERCENT,
        None,
        gate=True,
        unsaid="none fails for it",
    ),
)
