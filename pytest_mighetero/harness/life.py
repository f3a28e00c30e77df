"""The life of a harness that was launched, as far as it is known."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_mighetero.terms.clock import Stamp


@dataclass(frozen=True)
class Life:
    """The stamps of one harness; None for what has not come yet.

    Attributes:
        launched: when its guard's child became the harness, by the child's own clock
            just before.
        started, finished: when it printed its markers.
        stopped: when it was told to stop.
        exited: when the last of its processes was gone.
        seen: when all that was looked at.
    """

    launched: Stamp
    started: Stamp | None
    finished: Stamp | None
    stopped: Stamp | None
    exited: Stamp | None
    seen: Stamp = field(default_factory=Stamp)

    @property
    def last(self) -> Stamp:
        """When it exited; as long as it runs, when it was seen to."""
        return self.exited or self.seen

    @property
    def worked(self) -> Stamp:
        """Until when it may have issued queries."""
        return self.finished or self.stopped or self.last

    @property
    def ended(self) -> Stamp:
        """When its test was over: it had finished that, or exited."""
        return self.finished or self.last
