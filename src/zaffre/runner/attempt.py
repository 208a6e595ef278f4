"""One attempt, as its runner speaks of it to the server: claim, report, renew.

The server may be away at any moment, for a restart or for long. Nothing here waits for it by
itself: `Patience` is where the runner waits, and whoever waits can be told to stop.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from zaffre.client import process
from zaffre.client.connection import RunServer
from zaffre.client.http import Client
from zaffre.contract import wire
from zaffre.contract.attempt import Claim, Report, StartOrder
from zaffre.contract.errors import Refused, ServerUnreachable
from zaffre.contract.run import RunState

T = TypeVar("T")

#: How long a runner that has not claimed yet tries to; the dispatcher starts another one anyway.
CLAIM_PATIENCE_S = 120.0
#: Longest pause between two tries to reach the server, seconds.
LONGEST_PAUSE_S = 2.0
FIRST_PAUSE_S = 0.05
#: So many times in a row a request may meet a fault of the server's own, while the server takes
#: what else it is sent: then it will never take this. After one such, others are tried less often.
FAULTS_MAX, FURTHER_FAULTS_MAX = 8, 2
#: The same for a run's last report, whose loss would make a failed run of a good one: 3 minutes.
REPORT_FAULTS_MAX = 100
#: How long an answer other than a held one may take, seconds.
ANSWER_TIMEOUT_S = 60.0


class Superseded(Exception):
    """The run has another attempt, or none any more: this runner is to end its script."""


class Stopped(Exception):
    """Whoever waited was told to stop."""


def is_passing(problem: Refused) -> bool:
    """Say whether a refusal is the server's own trouble (full disk, overload), not ours."""
    return problem.status >= 500 or problem.status in (408, 425, 429)


def is_superseded(problem: Refused) -> bool:
    """Say whether a refusal means that this attempt, or its token, does not count any more."""
    return problem.code in ("attempt.superseded", "run.not_found") or problem.status == 401


class Patience:
    """Tries a request until the server has answered it, or until told to stop.

    gives_up: asked when the server has failed `faults_max` times in a row to answer a request;
    if it says so, that request is given up, for what it carries must not hold up the rest.
    """

    def __init__(
        self,
        stop: threading.Event,
        *,
        limit_s: float | None = None,
        gives_up: Callable[[], bool] = lambda: False,
        faults_max: int = FAULTS_MAX,
    ) -> None:
        self._stop = stop
        self._gives_up = gives_up
        self._faults_max = faults_max
        self._until = None if limit_s is None else time.monotonic() + limit_s
        self._pause_s = FIRST_PAUSE_S

    def call(self, request: Callable[[], T]) -> T:
        """Return what `request` returns.

        Raises Stopped, ServerUnreachable after limit_s, and Refused for what waiting cannot mend.
        """
        faults = 0
        while True:
            try:
                answer = request()
            except (ServerUnreachable, Refused, ConnectionError, TimeoutError) as problem:
                if isinstance(problem, Refused) and not is_passing(problem):
                    raise
                is_fault = isinstance(problem, Refused) and problem.status == 500
                faults = faults + 1 if is_fault else 0
                if faults >= self._faults_max:
                    if self._gives_up():
                        self._faults_max = min(self._faults_max, FURTHER_FAULTS_MAX)
                        raise
                    faults = 0
                if self._until is not None and time.monotonic() > self._until:
                    raise
            else:
                self._pause_s = FIRST_PAUSE_S
                return answer
            if self._stop.wait(self._pause_s):
                raise Stopped
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)


class Attempt:
    """The requests of one attempt. Each is one try (two if a kept connection had died)."""

    def __init__(self, order: StartOrder) -> None:
        self.run_id = order.run_id
        self.number = order.attempt
        self.claim_id = secrets.token_hex(16)
        self.client = client(order)
        self._faults_max = FAULTS_MAX
        self._path = f"/runs/{order.run_id}/attempts/{order.attempt}"

    def claim(self) -> Any:
        """Claim the attempt. Raises Superseded if it is someone else's."""
        mine = process.start_time(os.getpid())
        claim = Claim(self.claim_id, os.getpid(), mine, process.boot_id())
        patience = Patience(threading.Event(), limit_s=CLAIM_PATIENCE_S)
        try:
            return patience.call(lambda: self._post("/claim", wire.encode(claim)))
        except Refused as problem:
            raise Superseded from problem

    def report(self, report: Report) -> RunState:
        """Report a state once; return the run's. Raises Superseded, ServerUnreachable, Refused."""
        try:
            answer = self._post("/report", _without_none(wire.encode(report)))
        except Refused as problem:
            if is_superseded(problem):
                raise Superseded from problem
            raise
        return RunState(answer["state"])

    def patience(self, stop: threading.Event, *, faults_max: int | None = None) -> Patience:
        """Return what tries this attempt's requests until `stop`, but for what is never taken."""
        return Patience(stop, gives_up=self._gives_up, faults_max=faults_max or self._faults_max)

    def _gives_up(self) -> bool:
        """Say whether the server takes another request of this attempt's just now."""
        try:
            self.renew(hold_s=0.0)
        except (ServerUnreachable, Refused):
            return False
        self._faults_max = FURTHER_FAULTS_MAX
        return True

    def renew(self, *, hold_s: float) -> tuple[RunState, float]:
        """Extend the lease; the server holds the answer back until something is to be told.

        Return the run's state, and for how many seconds the lease is from now on.
        Raises Refused, ServerUnreachable.
        """
        answer = self.client.request(
            "POST",
            f"{self._path}/renew",
            query={"claim_id": self.claim_id, "hold_s": hold_s},
            timeout_s=hold_s + 20.0,
        )
        return RunState(answer["state"]), float(answer["lease_s"])

    def _post(self, what: str, json: Any) -> Any:
        return self.client.request(
            "POST",
            self._path + what,
            json=json,
            query={"claim_id": self.claim_id},
            timeout_s=ANSWER_TIMEOUT_S,
        )


def client(order: StartOrder) -> Client:
    """Return a client for the run's token that tries each request once."""
    environment = {"ZAFFRE_RUN_TOKEN": order.token, "ZAFFRE_URL": order.url}
    if order.address_file is not None:
        environment["ZAFFRE_ADDRESS_FILE"] = order.address_file
    if order.socket_path is not None:
        environment["ZAFFRE_SOCKET"] = order.socket_path
    return Client(RunServer(environment), retry_s=0.0)


def _without_none(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not None}
