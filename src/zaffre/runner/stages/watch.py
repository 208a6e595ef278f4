"""Stage 3, on the main thread: wait for the script's end, and bring it about when that is asked.

Asked by the server (the lease's demand) or by the run's own limit: SIGTERM to the script's process
group, CANCEL_GRACE_S later SIGKILL to the whole tree. An attempt that is superseded has no grace,
since another may be running already.
"""

from __future__ import annotations

import os
import select
import socket
import time

from zaffre.contract.attempt import CANCEL_GRACE_S
from zaffre.contract.reason import Reason, ReasonKind
from zaffre.runner.lease import Demand, Lease
from zaffre.runner.notes import note
from zaffre.runner.reaper import LEFTOVER_GRACE_S
from zaffre.runner.script_tree import Ended, ScriptTree
from zaffre.runner.stages.finish import Broken, Canceled, Ending, OfScript

#: How long the reaper may take to end what an ended script left running, seconds.
LEFTOVER_LIMIT_S = 2 * LEFTOVER_GRACE_S
#: How long a killed tree may take to go before the run ends without it, seconds.
GONE_LIMIT_S = 30.0
# poll() counts milliseconds in 32 bits, 24 days; v1's limit of a run is 30.
_LONGEST_WAIT_S = 3600.0


class Watch:
    """Watches one launched script. wake: readable when the lease has a new demand."""

    def __init__(
        self, tree: ScriptTree, lease: Lease, wake: socket.socket, *, limit_s: int | None
    ) -> None:
        self._tree = tree
        self._lease = lease
        self._wake = wake
        self._limit_s = limit_s
        self._ending: Ending | None = None
        self._passes_at = None if limit_s is None else time.monotonic() + limit_s
        self._kill_at: float | None = None
        self._give_up_at: float | None = None

    def run(self) -> Ending:
        """Return how the script ended, once nothing of its tree is left."""
        poll = select.poll()
        poll.register(self._tree, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll(self._timeout_ms())}
            if self._wake.fileno() in ready:
                self._wake.recv(4096)
            if self._tree.fileno() in ready:
                event = self._tree.next_event()
                if not isinstance(event, Ended):
                    return self._ending or lost()
                self._passes_at = None
                self._ending = self._ending or OfScript(event.status)
                if self._give_up_at is None:
                    # The reaper ends what the script left; the run's end must not hang on that.
                    due = time.monotonic() + LEFTOVER_LIMIT_S
                    self._kill_at = due if self._kill_at is None else min(self._kill_at, due)
            now = time.monotonic()
            self._heed(now)
            if _is_over(self._kill_at, now):
                self._tree.kill()
                self._kill_at, self._give_up_at = None, now + GONE_LIMIT_S
            if _is_over(self._give_up_at, now):
                note("tree.not_gone", limit_s=GONE_LIMIT_S)
                return self._ending or lost()

    def _heed(self, now: float) -> None:
        """Begin to end the script, or hasten its end, if that is asked for."""
        if self._ending is None:
            if self._lease.demand is not None:
                self._ending = ending_of(self._lease.demand)
            elif _is_over(self._passes_at, now):
                self._ending = Canceled(self._limit_s)
            else:
                return
            self._passes_at = None
            self._tree.terminate()
            self._kill_at = now + CANCEL_GRACE_S
        if self._lease.is_superseded and self._give_up_at is None:
            self._kill_at = now

    def _timeout_ms(self) -> int | None:
        moments = (self._passes_at, self._kill_at, self._give_up_at)
        until = min((moment for moment in moments if moment is not None), default=None)
        if until is None:
            return None
        left_s = min(max(0.0, until - time.monotonic()), _LONGEST_WAIT_S)
        return int(left_s * 1000) + 1


def ending_of(demand: Demand) -> Ending:
    """Return how a run ends on `demand`; what is superseded is reported by nobody."""
    if demand is Demand.TERMINATED:
        facts: dict[str, object] = {"pid": os.getpid(), "how": " by SIGTERM"}
        return Broken(Reason(ReasonKind.RUNNER_DIED, facts))
    return Canceled()


def lost() -> Ending:
    """Return the end of a script whose reaper was killed, and it with that."""
    problem = "the process that watches the script was killed"
    return Broken(Reason(ReasonKind.RUNNER_FAILED, {"stage": "watch", "problem": problem}))


def _is_over(moment: float | None, now: float) -> bool:
    return moment is not None and now >= moment
