"""From a planned launch to its process, and the end of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_mighetero.config import RunConfig
from pytest_mighetero.errors import HarnessError
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.harness.pump import Pump
from pytest_mighetero.planning import Launch

# Told about once a second what a run is doing, in a few words.
Tick = Callable[[str], None]


def process_of(config: RunConfig, launch: Launch) -> HarnessProcess:
    """Return the process of *launch*, with its folders made, not started.

    Raises:
        HarnessError: its folders cannot be made.
    """
    try:
        launch.log_dir.mkdir(parents=True)
    except OSError as error:
        raise HarnessError(
            f"{launch.log_dir} cannot be made: {error.strerror}; free some space or "
            f"choose another --results-dir."
        ) from error
    markers = config.suite.harness.start_markers, config.suite.harness.finish_markers
    return HarnessProcess(launch.name, launch.command, launch.output, *markers)


def stop(pump: Pump, harnesses: Sequence[HarnessProcess]) -> None:
    """Stop those of *harnesses* that still run, all at once.

    Raises:
        HarnessError: something survived SIGKILL.
    """
    if survivors := pump.stop(harnesses):
        raise HarnessError(
            f"{len(survivors)} harnesses could not be stopped: "
            + ", ".join(f"{h.name} (session {h.pid})" for h in survivors)
        )
