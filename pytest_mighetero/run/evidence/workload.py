"""What workloads have left behind, up to one moment: all that is read of it, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mighetero.harness.life import Life
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.readers.result import Result
from pytest_mighetero.run.evidence.metadata import accuracy_summary
from pytest_mighetero.run.evidence.overlap import OverlapReport
from pytest_mighetero.run.evidence.proof import background_proof, main_proof
from pytest_mighetero.run.evidence.shortfall import shortfalls
from pytest_mighetero.run.evidence.traces import (
    AuditSettings,
    audit_settings,
    audit_verdicts,
    exit_of,
    keep_audit,
    loaded_nothing,
    ran_otherwise,
    result_of,
    tail_of,
)
from pytest_mighetero.terms.clock import Clock
from pytest_mighetero.terms.window import TimedWindow

NO_AUDIT = AuditSettings((), (), {})


@dataclass(frozen=True)
class Evidence:
    """What one background has left behind, so far or in the end.

    Attributes:
        exit_code: None while it runs.
        exit: the same in words, those of make where it said any.
        tail: the last lines that it printed, as the end of a message.
        windows: in which it issued queries; none where nothing is proved.
        doubts: why its logs prove nothing, a sentence each.
        otherwise: where it ran with something else than it was asked for, or loaded
            nothing since its requests failed.
    """

    launch: Launch
    life: Life
    exit_code: int | None
    exit: str
    tail: str
    windows: tuple[TimedWindow, ...]
    doubts: tuple[str, ...]
    otherwise: tuple[str, ...]

    @property
    def name(self) -> str:
        """Benchmark and scenario, and the audit if it is one."""
        return self.launch.name

    @property
    def crashed(self) -> bool:
        """Whether it exited with a code other than 0, which is not that of a stop."""
        return bool(self.exit_code) and not self.life.stopped


@dataclass(frozen=True)
class MainEvidence(Evidence):
    """What main has left behind in the end.

    Attributes:
        result: what it came to; None where it left none of its own, and of an audit.
        accuracy: ``accuracy_summary.json``, where it left one.
        audit: what an audit's own runs had.
        verdicts: the texts of an audit's own verdicts, by file.
    """

    result: Result | None = None
    accuracy: Mapping[str, Any] | None = None
    audit: AuditSettings = NO_AUDIT
    verdicts: Mapping[Path, str] | None = None

    @property
    def window(self) -> TimedWindow:
        """Its timed window; the life of its process where no log of its own says it."""
        return self.windows[0]


@dataclass(frozen=True)
class Break:
    """How the overlap broke before main's end.

    Attributes:
        problem: in a sentence, and the last lines of who broke it.
        ended: the backgrounds that had ended; none where one did not load its device.
        about: the outputs of who broke it.
    """

    problem: str
    ended: frozenset[str] = frozenset()
    about: tuple[Path, ...] = ()

    @property
    def summary(self) -> str:
        """The sentence alone."""
        return self.problem.partition("\n")[0]


@dataclass(frozen=True)
class Measured:
    """What a try has come to at main's end.

    Attributes:
        beside: what the backgrounds have left behind so far, in launch order.
        overlap: how they lay around main so far.
        broken: how the overlap broke while main ran on, or None.
        telemetry: what the GPU did in main's window, as far as NVML was asked.
        activity: by the name of its folder, what each workload was seen to do in it;
            its server by ``server_of``.
    """

    main: MainEvidence
    beside: tuple[Evidence, ...]
    overlap: OverlapReport
    broken: Break | None
    telemetry: Mapping[str, Any]
    activity: Mapping[str, Mapping[str, Any] | None]

    @property
    def unloaded(self) -> bool:
        """Whether a background ran and did not load its device."""
        return self.broken is not None and not self.broken.ended


def server_of(launch: Launch) -> str:
    """Return how ``activity`` calls the server of a workload."""
    return f"{launch.folder.name}'s server"


def background_evidence(
    launch: Launch, harness: HarnessProcess, clock: Clock, issuing: float | None
) -> Evidence:
    """Read what a background that was started has left behind up to now.

    A log was seen to have a first query at *issuing*, by ``time.monotonic()``.
    """
    proof = background_proof(launch, harness, clock, issuing)
    otherwise = *ran_otherwise(launch), *loaded_nothing(launch, harness)
    return Evidence(*_told(launch, harness), proof.windows, proof.doubts, otherwise)


def main_evidence(
    launch: Launch, harness: HarnessProcess, clock: Clock
) -> MainEvidence:
    """Read what main has left behind, once it has ended.

    An audit's files are copied first: nobody else launches in its folder yet.
    It must have left its tool's logs if its harness writes any.
    """
    proof = main_proof(launch, harness, clock)
    told = *_told(launch, harness), proof.windows, proof.doubts
    if launch.audit is None:
        result = None if proof.doubts else result_of(launch)
        accuracy = accuracy_summary(launch.log_dir)
        otherwise = ran_otherwise(launch)
        if result is not None and not otherwise:
            otherwise += shortfalls(launch, result, proof.windows[0].seconds)
        return MainEvidence(*told, tuple(otherwise), result, accuracy)
    since = harness.life.launched.wall
    kept = keep_audit(launch, since)
    settings = audit_settings(launch, kept, since, logged=launch.tool.live)
    verdicts = audit_verdicts(launch.audit, kept, since)
    return MainEvidence(*told, settings.problems, audit=settings, verdicts=verdicts)


def _told(
    launch: Launch, harness: HarnessProcess
) -> tuple[Launch, Life, int | None, str, str]:
    """Return what is known without its tool's files."""
    said = exit_of(harness), tail_of(harness)
    return launch, harness.life, harness.exit_code, *said
