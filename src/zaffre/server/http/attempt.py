"""Routes of runners: claim an attempt, report, renew.

Each takes that attempt's token alone, and of a report and a renewal the claim's id as well.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import post

from zaffre.contract.attempt import Claim, Report
from zaffre.contract.errors import Invalid
from zaffre.contract.run import FINAL, RunState
from zaffre.server.http.request import Request
from zaffre.server.usecases import attempt as usecase

#: Longest time that a renewal is held open, seconds.
HOLD_MAX_S = 30.0
_STOP = frozenset({*FINAL, RunState.CANCEL_REQUESTED})


@dataclass(frozen=True)
class Reported:
    """The run's state after a report."""

    state: RunState


@dataclass(frozen=True)
class Renewed:
    """The run's state, and for how long the runner counts as alive from now on."""

    state: RunState
    lease_s: float


@post("/api/v1/runs/{run_id:str}/attempts/{number:int}/claim", status_code=200, sync_to_thread=True)
def claim(run_id: str, number: int, data: Claim, request: Request) -> usecase.Claimed:
    """Give an attempt to the runner that asks first; 409 for any other."""
    return usecase.claim(
        run_id,
        number,
        data,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )


@post(
    "/api/v1/runs/{run_id:str}/attempts/{number:int}/report",
    status_code=200,
    sync_to_thread=True,
)
def report(run_id: str, number: int, claim_id: str, data: Report, request: Request) -> Reported:
    """Take what the runner reports. A final state ends attempt, run and token."""
    return Reported(
        usecase.report(
            run_id,
            number,
            data,
            claim_id=claim_id,
            caller=request.caller,
            store=request.store,
            now=datetime.now(UTC),
        )
    )


@post("/api/v1/runs/{run_id:str}/attempts/{number:int}/renew", status_code=200)
async def renew(
    run_id: str, number: int, claim_id: str, request: Request, hold_s: float = 0.0
) -> Renewed:
    """Extend the lease now, and again when answering: when the run is to stop, or in time."""
    store = request.store
    if not 0 <= hold_s <= HOLD_MAX_S:
        raise Invalid("hold_s", f"must be from 0 to {HOLD_MAX_S:.0f}")
    # A lease must not pass while its renewal is held open.
    settings = store.settings
    deadline = time.monotonic() + min(hold_s, settings.renew_hold_s, settings.lease_s / 3)
    with store.hub.watch(f"run:{run_id}") as watch:
        state = await _renew(run_id, number, claim_id, request)
        while state not in _STOP:
            left = deadline - time.monotonic()
            if left <= 0 or store.hub.closing:
                if hold_s:
                    state = await _renew(run_id, number, claim_id, request)
                break
            if await watch.wait(left):
                state = await asyncio.to_thread(usecase.state_of, run_id, number, store=store)
    return Renewed(state, store.settings.lease_s)


async def _renew(run_id: str, number: int, claim_id: str, request: Request) -> RunState:
    return await asyncio.to_thread(
        usecase.renew,
        run_id,
        number,
        claim_id=claim_id,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )


HANDLERS = [claim, report, renew]
