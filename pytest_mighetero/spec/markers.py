"""The markers of run tests."""

from __future__ import annotations

BINDING = "mighetero"  # what binds a test to pairs

MARKERS = {
    "offline": "a run measured in LoadGen's Offline scenario",
    "server": "a run measured in LoadGen's Server scenario",
    "singlestream": "a run measured in LoadGen's SingleStream scenario",
    "multistream": "a run measured in LoadGen's MultiStream scenario",
    "isolated": "a run with nothing beside it, for --mig-isolated and -m isolated",
    BINDING: 'the pairs, such as ("dlrm_server", "bert_offline"), that a test, a class '
    "or a module is bound to; --main-benchmark and --main-scenario select among them",
}
