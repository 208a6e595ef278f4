"""Stage 3: while the script runs, its metrics and its log go to the server.

A thread of its own ships every spool and the script's output, each FAST_S while they grow, up to
SLOW_S when they do not; an idle pass asks the disk only. While no server answers everything stays
on the disk, and the script does not notice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from zaffre.client.shipping import Shipper
from zaffre.contract.attempt import Report
from zaffre.contract.errors import Refused
from zaffre.contract.run import RunState
from zaffre.runner import attempt as attempts
from zaffre.runner.attempt import Attempt, Patience, Stopped, Superseded
from zaffre.runner.folder import LOG_NAME, RunFolder
from zaffre.runner.growing_file import GrowingFile, Rewritten
from zaffre.runner.lease import Demand, Lease
from zaffre.runner.notes import note

#: Pause between two passes, seconds: after one that shipped something, and at most.
FAST_S, SLOW_S = 0.1, 0.2


class Stream:
    """Ships spools and log; `start` on a thread, then `finish` from the runner's main thread."""

    def __init__(
        self, attempt: Attempt, folder: RunFolder, lease: Lease, *, log_max_bytes: int
    ) -> None:
        self.is_running_reported = False
        self.warnings: list[str] = []
        self._attempt = attempt
        self._lease = lease
        self._shipper = Shipper(attempt.client, attempt.run_id, str(folder.spool))
        self._log = GrowingFile(attempt.client, attempt.run_id, LOG_NAME, folder.log, log_max_bytes)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)

    def start(self) -> None:
        """Report Running, then ship until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a request that is under way is waited for."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def finish(self, stop: threading.Event) -> None:
        """Ship all that is there, for as long as it takes; the tree is gone, nothing grows.

        Raises Stopped when `stop` is set, Superseded.
        """
        patience = Patience(stop)

        def ship_spools() -> None:
            if problem := self._shipper.ship().problem:
                self.warnings.append(problem)

        self._settle(patience, ship_spools, "metrics")
        self._settle(patience, lambda: self._log.ship(ended=True), "log")

    def _settle(self, patience: Patience, ship: Callable[[], object], what: str) -> None:
        """Ship until it is done; what cannot be stored becomes a warning."""
        try:
            patience.call(ship)
        except Refused as problem:
            if attempts.is_superseded(problem):
                raise Superseded from problem
            self.warnings.append(f"Some of the run's {what} could not be stored: {problem.message}")
        except (OSError, Rewritten) as problem:
            self.warnings.append(f"Some of the run's {what} could not be stored: {problem}")

    def _run(self) -> None:
        patience = Patience(self._stop)
        try:
            self._report_running(patience)
            pause_s = FAST_S
            while not self._stop.wait(pause_s):
                shipped = patience.call(self._pass)
                pause_s = FAST_S if shipped else min(pause_s * 1.25, SLOW_S)
        except Stopped:
            return
        except Superseded:
            self._lease.set_demand(Demand.SUPERSEDED)
        except (OSError, Rewritten) as problem:
            # What cannot be read now is tried again by `finish`, which says so.
            note("stream.failed", problem=repr(problem))

    def _report_running(self, patience: Patience) -> None:
        try:
            state = patience.call(lambda: self._attempt.report(Report(RunState.RUNNING)))
        except Refused as problem:
            note("stream.running_refused", code=problem.code, problem=problem.message)
            return
        self.is_running_reported = self._log.is_listed = True
        self._lease.heed(state)

    def _pass(self) -> bool:
        """Ship what is new, once; return whether anything was."""
        shipped = False
        try:
            if self._log.has_news():
                shipped = self._log.ship(ended=False) > 0
            if self._shipper.has_news():
                shipped = self._shipper.ship().bytes > 0 or shipped
        except Refused as problem:
            if attempts.is_superseded(problem):
                self._stop.wait(1.0)  # the lease decides what to believe
            elif attempts.is_passing(problem):
                raise
            else:
                note("stream.refused", code=problem.code, problem=problem.message)
                self._stop.wait(attempts.LONGEST_PAUSE_S)
        return shipped
