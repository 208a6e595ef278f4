"""Stage 3: while the script runs, its metrics and its log go to the server.

A thread of its own ships every spool and the script's output, each FAST_S while they grow, up to
SLOW_S when they do not; an idle pass asks the disk only. While no server answers everything stays
on the disk, and the script does not notice.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial

from zaffre.client import interactive
from zaffre.client.shipping import Shipper
from zaffre.client.spool import spool_files
from zaffre.contract.attempt import Report
from zaffre.contract.errors import Refused, ServerUnreachable
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
        self._folder = folder.path
        self._shipper = Shipper(attempt.client, attempt.run_id, str(folder.spool))
        self._log = GrowingFile(attempt.client, attempt.run_id, LOG_NAME, folder.log, log_max_bytes)
        self._noted: set[str] = set()
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

        What the server never takes stays in the folder, with a warning; the rest is shipped.
        Raises Stopped when `stop` is set, Superseded.
        """
        patience = self._attempt.patience(stop)
        problems: list[str] = []
        try:
            spools = spool_files(self._shipper.folder)
        except OSError as problem:
            spools = []
            problems.append(f"{problem}.")
        for spool_id, path in spools:
            problem = self._settle(patience, partial(self._ship_whole_spool, spool_id, path))
            if problem is not None:
                problems.append(problem)
        if problems:
            more = f" ({len(problems)} of its spools)" if len(problems) > 1 else ""
            self.warnings.append(
                f"Some of the run's metrics could not be stored{more}: {problems[0]} They are kept "
                f"in {self._shipper.folder}; 'zaffre sync' tries again."
            )
            # Where that cannot be written, 'zaffre sync' does not find it, but the warning does.
            with contextlib.suppress(OSError):
                interactive.describe(str(self._folder), self._attempt.run_id, server=None)
        if problem := self._settle(patience, self._ship_whole_log):
            self.warnings.append(
                f"Some of the run's log could not be stored: {problem} It is kept in "
                f"{self._log.path}."
            )

    def _ship_whole_spool(self, spool_id: str, path: str) -> str | None:
        return self._shipper.ship_one(spool_id, path).problem

    def _ship_whole_log(self) -> None:
        self._log.ship(ended=True)

    def _settle(self, patience: Patience, ship: Callable[[], str | None]) -> str | None:
        """Ship until it is done; return why something cannot be, None if all is."""
        try:
            return patience.call(ship)
        except Refused as problem:
            if attempts.is_superseded(problem):
                raise Superseded from problem
            return problem.message
        except Rewritten:
            return "The script has rewritten it."
        except OSError as problem:
            return f"{problem}."

    def _run(self) -> None:
        try:
            self._report_running()
        except Stopped:
            return
        except Superseded:
            self._lease.set_demand(Demand.SUPERSEDED)
            return
        pause_s = FAST_S
        while not self._stop.wait(pause_s):
            shipped, refused = self._pass()
            if refused:
                pause_s = min(pause_s * 2, attempts.LONGEST_PAUSE_S)
            else:
                pause_s = FAST_S if shipped else min(pause_s * 1.25, SLOW_S)

    def _report_running(self) -> None:
        report = Report(RunState.RUNNING)
        try:
            patience = self._attempt.patience(self._stop)
            state = patience.call(lambda: self._attempt.report(report))
        except Refused as problem:
            note("stream.running_refused", code=problem.code, problem=problem.message)
            return
        self.is_running_reported = self._log.is_listed = True
        self._lease.heed(state)

    def _pass(self) -> tuple[bool, bool]:
        """Ship what is new, once; return whether anything was, and whether anything was refused.

        Each part by itself: what the server does not take of one, or what the script has done to
        one, holds up no other. What is left is tried again, at last by `finish`, which says so.
        """
        parts: list[tuple[str, Callable[[], int]]] = []
        if self._log.has_news():
            parts.append((LOG_NAME, lambda: self._log.ship(ended=False)))
        try:
            for spool_id, path in self._shipper.find_grown():
                parts.append((path, partial(self._ship_spool, spool_id, path)))
        except OSError as problem:
            self._note_once("spools", "unreadable", repr(problem))
        shipped, refused = False, False
        for name, ship in parts:
            try:
                shipped = ship() > 0 or shipped
                self._noted.discard(name)
            except (ServerUnreachable, Refused) as problem:
                # What a lease that is over means is for the lease to believe.
                refused = True
                self._note_once(name, problem.code, problem.message)
            except (OSError, Rewritten) as problem:
                self._note_once(name, "unreadable", repr(problem))
        return shipped, refused

    def _ship_spool(self, spool_id: str, path: str) -> int:
        result = self._shipper.ship_one(spool_id, path)
        if result.problem is not None:
            self._note_once(path, "unreadable", result.problem)
        return result.bytes

    def _note_once(self, name: str, code: str, problem: str) -> None:
        """Note why a part is not shipped, once until it is."""
        if name not in self._noted:
            self._noted.add(name)
            note("stream.held_up", part=name, code=code, problem=problem)
