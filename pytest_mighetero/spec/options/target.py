"""How a target QPS is found that main can hold."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Option
from pytest_mighetero.spec.options.kinds import PERCENT, TIMES

TARGET = (
    Option(
        "mig-tune",
        "search the highest VALID target QPS of each Server pair, isolated, then "
        "heterogeneous",
        in_suite=False,
    ),
    Option(
        "mig-tune-resolution",
        "how close the search comes to a target that is INVALID",
        PERCENT,
        "1%",
    ),
    Option(
        "target-qps-backoff",
        "when main is INVALID for latency (Server) or length (Offline), run it again "
        "with its target changed by this much, 7% for example",
        PERCENT,
        None,
        fills="target_backoff",
        unsaid="no back-off",
    ),
    Option(
        "target-qps-backoffs",
        "how many times --target-qps-backoff may change the target",
        TIMES,
        "3",
        fills="target_backoffs",
    ),
)
