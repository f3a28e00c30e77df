"""The markers of run tests."""

from __future__ import annotations

from pytest_mighetero.terms.scenario import SCENARIOS

BINDING = "mighetero"  # what binds a test to pairs
NEEDS = "mig_needs"  # what a test has to have of a GPU

MARKERS = {
    **{
        each.name: f"a run measured in MLPerf's {each.spelled} scenario"
        for each in SCENARIOS.values()
    },
    "isolated": "a run with nothing beside it, for --mig-isolated and -m isolated",
    BINDING: 'the pairs, such as ("dlrm_server", "bert_offline"), that a test, a class '
    "or a module is bound to; --main-benchmark and --main-scenario select among them",
    NEEDS: 'gpu="H100", profile="3g.40gb": a run on a GPU with that in its name alone, '
    "or with main on a device of that profile; either may be left out",
}
