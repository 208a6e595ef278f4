"""How a runner gets started somewhere: one protocol, one file a driver beside this one.

A driver starts processes and tells when they end; what becomes of the run is the server's to say.
`start` may be repeated (the dispatcher repeats it when it died before it knew): two runners then
ask for one attempt, the second claim is refused, and that runner ends with EXIT_REFUSED, which a
driver does not report. So what stands in `died` is the end of a runner that had, or may have had,
the attempt; whoever reads it compares `Exit.pid` with the claim where it has both.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from zaffre.contract.attempt import StartOrder

#: Exit status of a runner whose claim was refused; it has touched nothing.
EXIT_REFUSED = 3


@dataclass(frozen=True)
class Exit:
    """How a runner ended. code and signal are both None where nobody could ask the kernel
    (the process that had forked it was gone).
    """

    pid: int
    start_time: int
    code: int | None = None
    signal: int | None = None

    @property
    def how(self) -> str:
        """Words that follow "was killed or crashed": ' by signal 9', ' with exit code 1' or ''."""
        if self.signal is not None:
            return f" by signal {self.signal}"
        return "" if self.code is None else f" with exit code {self.code}"


Died = tuple[str, int, Exit]


class DriverFailed(Exception):
    """A runner could not be started; `problem` completes "The runner could not be started: "."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Driver(Protocol):
    """Starts runners on one compute target and watches them. Used on one event loop."""

    async def open(self) -> None:
        """Make ready what starting needs, so that the first run does not wait for it."""
        ...

    async def start(self, order: StartOrder) -> None:
        """Start a runner for `order`; return when its process exists. Raises DriverFailed."""
        ...

    def died(self) -> asyncio.Queue[Died]:
        """Return the queue of (run_id, attempt, how) of runners that ended, reported or not."""
        ...

    async def find(
        self, pid: int, start_time: int, boot_id: str, *, run_id: str = "", attempt: int = 0
    ) -> bool:
        """Say whether that very process is alive here, and if so watch it from now on.

        For runners that an earlier server started. Its end arrives in `died` as
        (run_id, attempt, how). Asking again changes nothing.
        """
        ...

    async def kill(self, run_id: str, attempt: int) -> None:
        """Kill the runner of that attempt, and so its script; nothing if none is known."""
        ...

    async def close(self) -> None:
        """Stop watching. Runners go on without us."""
        ...
