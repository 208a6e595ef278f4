"""The lease of an attempt: renewed by a request that the server holds open.

The answer comes when the hold is over, or as soon as the run is to end: so a cancel is heard at
once, without polling. While no server answers, the script goes on. A server that does not know
the attempt any more may be one that is being restored, so its no counts only when repeated.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum

from zaffre.contract.attempt import LEASE_S, RENEW_HOLD_S
from zaffre.contract.errors import Refused, ServerUnreachable
from zaffre.contract.run import FINAL, RunState
from zaffre.runner.attempt import FIRST_PAUSE_S, LONGEST_PAUSE_S, Attempt, is_superseded

#: When the first renewal goes out after the claim, which has extended the lease itself: the
#: server's time until then belongs to what the start waits for.
FIRST_RENEWAL_S = 0.05
#: How long "no such token" or "no such run" must be the answer before it is believed, seconds.
DISBELIEF_S = LEASE_S


class Demand(Enum):
    """What the server asks of the runner, and what the runner's own end asks."""

    CANCEL = "cancel"
    #: The run ended on the server's side, such as by `run.fail()` from elsewhere.
    END = "end"
    #: Another attempt has the run, or nobody: this one must not touch it any more.
    SUPERSEDED = "superseded"
    #: Someone sent this runner SIGTERM.
    TERMINATED = "terminated"


class Lease:
    """Renews on a thread of its own; calls `tell` (from that thread) when `demand` is set.

    demanded is set with every demand; given_up with those after which the outputs do not matter
    any more (all but TERMINATED).
    """

    def __init__(self, attempt: Attempt, tell: Callable[[], None]) -> None:
        self.demand: Demand | None = None
        self.demanded = threading.Event()
        self.given_up = threading.Event()
        self._attempt = attempt
        self._tell = tell
        self._ended = threading.Event()
        self._turn = threading.Lock()

    @property
    def is_superseded(self) -> bool:
        """Whether this attempt does not count any more."""
        return self.demand is Demand.SUPERSEDED

    def start(self) -> None:
        """Begin to renew."""
        threading.Thread(target=self._run, name="lease", daemon=True).start()

    def stop(self) -> None:
        """Renew no more. The request that is held open ends by itself."""
        self._ended.set()

    def set_demand(self, demand: Demand) -> None:
        """Ask the runner to end; SUPERSEDED beats the others, else the first one counts."""
        with self._turn:
            if self.demand is None or demand is Demand.SUPERSEDED:
                self.demand = demand
        if demand is not Demand.TERMINATED:
            self.given_up.set()
        self.demanded.set()
        self._tell()

    def heed(self, state: RunState) -> None:
        """Take a run's state from any of the server's answers."""
        if state is RunState.CANCEL_REQUESTED or state is RunState.CANCELED:
            self.set_demand(Demand.CANCEL)
        elif state in FINAL:
            self.set_demand(Demand.END)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        disbelieved_since: float | None = None
        self._ended.wait(FIRST_RENEWAL_S)
        while not self._ended.is_set() and not self.is_superseded:
            try:
                # After a cancel there is nothing more to hear, only the lease to keep.
                hold_s = 0.0 if self.demand is not None else RENEW_HOLD_S
                state, lease_s = self._attempt.renew(hold_s=hold_s)
            except (ServerUnreachable, Refused) as problem:
                if isinstance(problem, Refused) and is_superseded(problem):
                    now = time.monotonic()
                    disbelieved_since = disbelieved_since or now
                    sure = problem.code == "attempt.superseded"
                    if not self._ended.is_set() and (sure or now - disbelieved_since > DISBELIEF_S):
                        self.set_demand(Demand.SUPERSEDED)
                        return
                self._ended.wait(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                pause_s = FIRST_PAUSE_S
                disbelieved_since = None
                if not self._ended.is_set():
                    self.heed(state)
                if self.demand is not None:
                    self._ended.wait(lease_s / 3)
