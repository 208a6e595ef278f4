"""Routes of runs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, patch, post
from litestar.connection import ASGIConnection
from litestar.params import QueryParameter

from zaffre.contract.errors import Invalid
from zaffre.contract.reason import Reason
from zaffre.contract.run import Run, RunError, RunRequest, RunState
from zaffre.server.access import Caller
from zaffre.server.http.answer import Encoded
from zaffre.server.http.request import Request, given_fields
from zaffre.server.store.store import Store
from zaffre.server.usecases import run as usecase
from zaffre.server.usecases import why as why_usecase

#: Longest time that a waiting request is held open, seconds.
HOLD_MAX_S = 60.0


@dataclass(frozen=True)
class Runs:
    """Runs in their order, and the cursor of the page behind them, if there is one."""

    items: list[Run]
    next: str | None = None


@dataclass(frozen=True)
class RunRequests:
    """Runs to be made in one transaction."""

    items: list[RunRequest]


class RunChange(msgspec.Struct, forbid_unknown_fields=True):
    """What can change of a run; what is not given stays."""

    display_name: str | msgspec.UnsetType | None = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    set_tags: dict[str, str | None] = msgspec.field(default_factory=dict)
    remove_tags: list[str] = msgspec.field(default_factory=list)
    add_properties: dict[str, str] = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """Why a run is marked as failed."""

    error: RunError
    reason: Reason | None = None


@dataclass(frozen=True)
class Lease:
    """Until when an interactive run counts as alive, and how long that is from now on, seconds."""

    lease_until: datetime
    lease_s: float


async def may_change(connection: ASGIConnection[Any, Any, Any, Any], _: object) -> None:
    """Refuse a change before its body is looked at: a guard for routes that take one."""
    caller: Caller = connection.scope["user"]
    run_id = str(connection.path_params["run_id"])
    if not caller.is_owner and caller.run_id != run_id:
        store: Store = connection.scope["litestar_app"].state.store
        await asyncio.to_thread(usecase.require_may_change, run_id, caller=caller, store=store)


@post("/api/v1/experiments/{experiment_id:str}/runs", status_code=201, sync_to_thread=True)
def create(experiment_id: str, data: RunRequest, request: Request) -> Response[Run]:
    """Record a run. 200 if this very request has recorded it before."""
    made = usecase.create(
        experiment_id,
        [data],
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )
    return Encoded(made.runs[0], status_code=201 if made.created else 200)


@post("/api/v1/experiments/{experiment_id:str}/runs/batch", status_code=201, sync_to_thread=True)
def create_batch(experiment_id: str, data: RunRequests, request: Request) -> Runs:
    """Record several runs, all or none."""
    made = usecase.create(
        experiment_id,
        data.items,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )
    return Runs(made.runs)


@get("/api/v1/runs/{run_id:str}", sync_to_thread=True, opt={"small": True})
def get_one(run_id: str, request: Request) -> Run:
    """Return one run with its spec."""
    return usecase.get(run_id, caller=request.caller, store=request.store)


@patch("/api/v1/runs/{run_id:str}", guards=[may_change], sync_to_thread=True)
def change(run_id: str, data: RunChange, request: Request) -> Run:
    """Change texts and tags, add properties."""
    given = given_fields(data)
    texts = {name: given[name] for name in ("display_name", "description") if name in given}
    changes = usecase.Change(
        texts=texts,  # pyright: ignore[reportArgumentType]
        set_tags=data.set_tags,
        remove_tags=data.remove_tags,
        add_properties=data.add_properties,
    )
    return usecase.change(
        run_id, changes, caller=request.caller, store=request.store, now=datetime.now(UTC)
    )


@get("/api/v1/runs/{run_id:str}/wait")
async def wait(
    run_id: str,
    request: Request,
    known_states: Annotated[list[str] | None, QueryParameter(name="state")] = None,
    attempt: int | None = None,
    timeout_s: float = 20.0,
) -> Run:
    """Answer the run once its state is none of those given (or its attempt another), or in time.

    Who waits for a run's end gives all states that are not final, and is not woken by the rest.
    """
    known = {state_named(name) for name in known_states or ()}
    if not 0 <= timeout_s <= HOLD_MAX_S:
        raise Invalid("timeout_s", f"must be from 0 to {HOLD_MAX_S:.0f}")
    deadline = time.monotonic() + timeout_s
    with request.store.hub.watch(f"run:{run_id}") as watch:
        while True:
            run = await asyncio.to_thread(
                usecase.get, run_id, caller=request.caller, store=request.store
            )
            differs = run.state not in known or attempt not in (None, run.attempt)
            left = deadline - time.monotonic()
            if differs or left <= 0 or request.store.hub.closing:
                return run
            await watch.wait(left)


@post("/api/v1/runs/{run_id:str}/start", status_code=200, sync_to_thread=True)
def start(run_id: str, request: Request) -> Run:
    """Let an interactive run begin."""
    return usecase.start(run_id, caller=request.caller, store=request.store, now=datetime.now(UTC))


@post("/api/v1/runs/{run_id:str}/complete", status_code=200, sync_to_thread=True)
def complete(run_id: str, request: Request) -> Run:
    """End an interactive run well."""
    return usecase.complete(
        run_id, caller=request.caller, store=request.store, now=datetime.now(UTC)
    )


@post(
    "/api/v1/runs/{run_id:str}/fail",
    status_code=200,
    guards=[may_change],
    sync_to_thread=True,
)
def fail(run_id: str, data: Failure, request: Request) -> Run:
    """Mark a run as failed: by its own script for when that ends, from outside at once."""
    return usecase.fail(
        run_id,
        data.error,
        data.reason,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )


@post("/api/v1/runs/{run_id:str}/cancel", status_code=202, sync_to_thread=True)
def cancel(run_id: str, request: Request) -> Run:
    """Ask a run to stop. Asking again changes nothing; a run that has ended otherwise: 409."""
    return usecase.cancel(run_id, caller=request.caller, store=request.store, now=datetime.now(UTC))


@post("/api/v1/runs/{run_id:str}/renew", status_code=200, sync_to_thread=True)
def renew(run_id: str, request: Request) -> Lease:
    """Extend an interactive run's lease."""
    until = usecase.renew(run_id, caller=request.caller, store=request.store, now=datetime.now(UTC))
    return Lease(datetime.fromtimestamp(until, UTC), request.store.settings.lease_s)


@get("/api/v1/runs/{run_id:str}/why", sync_to_thread=True)
def why(run_id: str, request: Request) -> why_usecase.Why:
    """Say why a run waits or failed, what happened to it, and where its time went."""
    return why_usecase.why(
        run_id, caller=request.caller, store=request.store, now=datetime.now(UTC)
    )


def state_named(name: str) -> RunState:
    """Return the state of that name."""
    try:
        return RunState(name)
    except ValueError:
        states = ", ".join(state.value for state in RunState)
        raise Invalid("state", f"must be one of {states}") from None


HANDLERS = [
    create,
    create_batch,
    get_one,
    change,
    wait,
    start,
    complete,
    fail,
    cancel,
    renew,
    why,
]
