"""The scenarios: each one object, and what differs between them nowhere else."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Scenario(NamedTuple):
    """A way in which queries are issued.

    Attributes:
        name: as options, suites, test ids and markers have it.
        spelled: as MLPerf spells it, in the names of its folders.
        figure: what its result is: the ``throughput`` of what it was given at once, the
            ``rate`` that was answered, or the ``latency`` of a stream's queries.
        flags: how the flags of RUN_ARGS begin that are for it alone.
        target_flag: says its target QPS; None where it has no target.
        bounded: whether limits on its latency decide what is VALID, so that runs are
            compared at one target, and the highest target is what a device is worth.
        one_query: whether all samples are one query, of which min_duration and target
            make the size.
        keeps_count: whether min_query_count is taken as it is said.
        fast: whether ``--fast`` of v1.0's harness is for it.
        runs_as: the scenario that it is for LoadGen, where that has none of its own.
    """

    name: str
    spelled: str
    figure: Literal["throughput", "rate", "latency"]
    flags: str
    target_flag: str | None = None
    bounded: bool = False
    one_query: bool = False
    keeps_count: bool = False
    fast: bool = False
    runs_as: str | None = None

    @property
    def logged(self) -> str:
        """As LoadGen's log calls it."""
        return self.runs_as or self.spelled


SCENARIOS = {
    each.name: each
    for each in (
        Scenario(
            *("offline", "Offline", "throughput", "offline_", "offline_expected_qps"),
            one_query=True,
            fast=True,
        ),
        Scenario(
            *("server", "Server", "rate", "server_", "server_target_qps"),
            bounded=True,
            keeps_count=True,
        ),
        # Server with tighter limits (MLPerf v5.0 on): the folder's name and the limits
        # alone tell them apart (LoadGen up to 6.0).
        Scenario(
            *("interactive", "Interactive", "rate", "server_", "server_target_qps"),
            bounded=True,
            keeps_count=True,
            runs_as="Server",
        ),
        Scenario("singlestream", "SingleStream", "latency", "single_stream_"),
        Scenario(
            *("multistream", "MultiStream", "latency", "multi_stream_"),
            keeps_count=True,
            fast=True,
        ),
    )
}


def scenario_of(name: str | None) -> Scenario:
    """Return the scenario of a name, ours or MLPerf's; a plain one of another name."""
    text = name or ""
    plain = Scenario(text, text, "latency", "")
    return SCENARIOS.get(text.lower(), plain)


def is_bounded(name: str | None) -> bool:
    """Tell whether limits on latency decide what is VALID in the scenario *name*."""
    return scenario_of(name).bounded


def is_of_another(flag: str, name: str) -> bool:
    """Tell whether a flag of RUN_ARGS is for other scenarios than *name* alone."""
    of = [each.flags for each in SCENARIOS.values() if flag.startswith(each.flags)]
    return bool(of) and scenario_of(name).flags not in of
