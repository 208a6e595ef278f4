"""The thread that ships interactive runs and renews their leases.

One daemon thread a process looks twice a second whether a spool has grown. The user's code never
waits for it: it takes no lock that logging takes, never starts a server, and when none answers it
tries again after longer and longer pauses while the records stay on disk. At the interpreter's
end what is left is shipped within EXIT_S; the rest waits for `zaffre sync`. A forked child has
no thread until it logs.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from zaffre.client.connection import without_starting
from zaffre.contract.errors import Refused, ZaffreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from zaffre.client.http import Client
    from zaffre.client.shipping import Shipper

#: How often the thread looks for new records, seconds.
TICK_S = 0.5
#: How long the interpreter's end may be held up by the last records, seconds.
EXIT_S = 5.0
_LONGEST_PAUSE_S = 15.0
_ANSWER_S = 10.0


class _Watched:
    """One interactive run that is shipped in the background."""

    def __init__(self, shipper: Shipper) -> None:
        self.shipper = shipper
        self.client: Client = without_starting(shipper.client)
        self.renew_at = 0.0
        self.refused: str | None = None
        from zaffre.contract.attempt import LEASE_S

        self.renew_every_s = LEASE_S / 3

    def serve(self) -> bool:
        """Ship and renew what is due; say whether the server took it."""
        try:
            if self.refused is None and self.shipper.has_news():
                self.shipper.ship(client=self.client, patience_s=_ANSWER_S)
            now = time.monotonic()
            if now >= self.renew_at:
                self._renew()
                self.renew_at = now + self.renew_every_s
        except Refused as refusal:
            if refusal.status in (401, 403, 404):
                self.refused = refusal.message
            return False
        except ZaffreError:
            return False
        except FileNotFoundError:
            return True  # a sync has removed the folder: all of it was shipped
        except OSError:
            return False  # the folder's file system is away: the thread must outlive that
        return True

    def _renew(self) -> None:
        try:
            answer = self.client.request(
                "POST", f"/runs/{self.shipper.run_id}/renew", timeout_s=_ANSWER_S, retry_s=0.0
            )
            # A server of an earlier release does not say for how long.
            self.renew_every_s = answer.get("lease_s", 3 * self.renew_every_s) / 3
        except Refused as refusal:
            if refusal.status >= 500:
                raise
            self.renew_at = float("inf")  # the run has ended or is gone: it needs no lease
            return


class Background:
    """Ships the runs that it is told to watch. `background` is this process's own."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._at_exit = False
        os.register_at_fork(after_in_child=self._after_fork)

    def watch(self, shipper: Shipper) -> None:
        """Ship this folder and renew its run's lease from now on."""
        with self._guard:
            if shipper.folder not in self._watched:
                self._watched[shipper.folder] = _Watched(shipper)
        self.ensure_running()

    def forget(self, shipper: Shipper) -> None:
        """Leave this folder alone, as after its run has ended."""
        with self._guard:
            self._watched.pop(shipper.folder, None)
            if not self._watched:
                self._wake.set()

    def ensure_running(self) -> None:
        """Start the thread if it is not there, as in a forked child. Costs next to nothing."""
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._guard:
            if self._thread is not None or not self._watched:
                return
            if not self._at_exit:
                import atexit

                atexit.register(self._ship_the_last)
                self._at_exit = True
            thread = threading.Thread(target=self._run, name="zaffre-shipping", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return  # the interpreter is ending; the last records are shipped by _ship_the_last
            self._thread = thread

    def _run(self) -> None:
        pause_s = TICK_S
        while True:
            self._wake.wait(pause_s)
            self._wake.clear()
            with self._guard:
                if not self._watched:
                    self._thread = None
                    return
                runs = list(self._watched.values())
            refused_count = sum(not run.serve() for run in runs)
            longest_s = min([_LONGEST_PAUSE_S, *(run.renew_every_s for run in runs)])
            pause_s = min(pause_s * 2, longest_s) if refused_count else TICK_S

    def _ship_the_last(self) -> None:
        deadline = time.monotonic() + EXIT_S
        with self._guard:
            runs = list(self._watched.values())
        for run in runs:
            problem = run.refused
            try:
                left_s = max(0.0, deadline - time.monotonic())
                if run.shipper.has_news():
                    result = run.shipper.ship(client=run.client, patience_s=left_s)
                    problem = result.problem or problem
            except (ZaffreError, OSError) as failure:
                problem = str(failure)
            if problem:
                sys.stderr.write(
                    f"zaffre: not all that run {run.shipper.run_id} logged is at the server yet "
                    f"({problem.rstrip('.')}). It is kept in {run.shipper.folder}; "
                    "'zaffre sync' ships it.\n"
                )

    def _after_fork(self) -> None:
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._thread = None


background = Background()
