"""What a run starts: plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mighetero.devices.gpu import Gpu, MigDevice
from pytest_mighetero.harness.command import Command
from pytest_mighetero.harness.marker import Markers
from pytest_mighetero.plan.asked import asked_of
from pytest_mighetero.readers.first_query import Sign
from pytest_mighetero.readers.reader import Asked, Reader
from pytest_mighetero.spec.limits import NO_LIMITS, Limits
from pytest_mighetero.terms.pair import Pair, audit_of, run_name
from pytest_mighetero.terms.run_args import RunArgs


@dataclass(frozen=True)
class Tool:
    """How the tool of a workload shows what it does.

    Attributes:
        reader: reads what it writes.
        markers: what it prints at the start and the end of its timed test; there may
            be none.
        live: whether the reader's sign tells, while it runs, that it issues queries.
        idle_limit: the seconds for which it may use no CPU time at all; 0 for any.
        whole_targets: whether it takes whole Server targets alone.
    """

    reader: Reader
    markers: Markers
    live: bool = True
    idle_limit: float = 0.0
    whole_targets: bool = False

    @property
    def sign(self) -> Sign | None:
        """What tells that it issues queries, where that is promised."""
        return self.reader.sign if self.live else None


@dataclass(frozen=True)
class ServerLaunch:
    """One server to start, on the device of what loads it.

    Attributes:
        identity: its command, folder and variables, and the files that they name,
            without the folder that its first client has: two launches with one
            identity can be served by one server.
        port: that it is told to listen on.
        output: the file with everything it prints.
        ready_url: answers with a success once it is ready; "" for none.
        ready_line: what it prints then; "" for none. With neither its port answers.
        timeout: the seconds that this may take from its launch.
    """

    identity: tuple[str, ...]
    command: Command
    port: int
    output: Path
    ready_url: str
    ready_line: str
    timeout: float


@dataclass(frozen=True)
class Launch:
    """One harness to start.

    Attributes:
        action: its make target.
        device: it has this to itself.
        min_duration: ``--min_duration`` in seconds.
        folder: a folder of its own, for its output and LOG_DIR.
        audit_folder: where an audit leaves its verdict files.
        tool: how its tool shows what it does.
        told: what a command asks of its tool; none for make, whose RUN_ARGS say it.
        rate: the target QPS that its command was given; None for none.
        limits: what it may come to.
        files: by its path what is in a file that is written before it starts.
        server: what it loads, where that is started for it.
    """

    pair: Pair
    action: str
    device: MigDevice
    min_duration: float
    run_args: RunArgs
    folder: Path
    command: Command
    audit_folder: Path
    tool: Tool
    told: tuple[Asked, ...] = ()
    rate: float | None = None
    limits: Limits = NO_LIMITS
    files: Mapping[Path, str] = field(default_factory=dict, repr=False)
    server: ServerLaunch | None = None

    @property
    def reader(self) -> Reader:
        """Reads what its tool writes."""
        return self.tool.reader

    @property
    def harness_dir(self) -> str | None:
        """The Makefile's folder; a command has none."""
        return None if self.told else str(self.command.cwd)

    @property
    def name(self) -> str:
        """Benchmark, scenario, and the audit if it is one."""
        return run_name(self.pair, self.action)

    @property
    def audit(self) -> str | None:
        """The audit in MLPerf's spelling, ``TEST01``, or None."""
        audit = audit_of(self.action)
        return audit and audit.upper()

    @property
    def asked(self) -> tuple[Asked, ...]:
        """What it asks of its tool."""
        settings, limits = self.reader.settings, self.limits.latencies
        made = asked_of(self.pair, self.action, self.run_args, settings, limits)
        return self.told or made

    @property
    def log_dir(self) -> Path:
        """Its LOG_DIR: shared ones race."""
        return self.folder / "logs"

    @property
    def output(self) -> Path:
        """The file with everything it prints."""
        return self.folder / "output.log"


@dataclass(frozen=True)
class RunPlan:
    """One run: main, and the backgrounds in launch order."""

    gpu: Gpu
    main: Launch
    backgrounds: tuple[Launch, ...]
