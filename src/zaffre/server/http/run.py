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
from zaffre.server.store.run import Filter
from zaffre.server.store.store import Store
from zaffre.server.usecases import run as usecase
from zaffre.server.usecases import why as why_usecase

#: Longest time that a waiting request is held open, seconds.
HOLD_MAX_S = 60.0


@dataclass(frozen=True)
class Runs:
    """A page of runs, newest first. next: the cursor of the page after it."""

    items: list[Run]
    next: int | None = None


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


@get("/api/v1/runs", sync_to_thread=True)
def find(
    request: Request,
    workspace_id: str | None = None,
    experiment_id: str | None = None,
    parent_run_id: str | None = None,
    root_run_id: str | None = None,
    top_level: Annotated[bool, QueryParameter()] = False,  # noqa: FBT002
    kind: Annotated[str | None, QueryParameter(name="type")] = None,
    target: str | None = None,
    states: Annotated[list[str] | None, QueryParameter(name="state")] = None,
    tags: Annotated[list[str] | None, QueryParameter(name="tag")] = None,
    properties: Annotated[list[str] | None, QueryParameter(name="property")] = None,
    limit: int = 100,
    before: int | None = None,
) -> Response[Runs]:
    """List runs without their specs, newest first. tag and property: `key` or `key=value`."""
    wanted = Filter(
        workspace_id=workspace_id,
        experiment_id=experiment_id,
        parent_run_id=parent_run_id,
        root_run_id=root_run_id,
        top_level=top_level,
        type=kind,
        target=target,
        states=[_state(name) for name in states or ()],
        tags=[_label(text) for text in tags or ()],
        properties=[_label(text) for text in properties or ()],
    )
    if before is not None and not 0 <= before < 2**63:
        raise Invalid("before", "is not a cursor of this list")
    items, cursor = usecase.find_page(
        wanted, limit=limit, before=before, caller=request.caller, store=request.store
    )
    # The same JSON as of a `Runs`.
    return Encoded({"items": items, "next": cursor})


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
    known = {_state(name) for name in known_states or ()}
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


def _state(name: str) -> RunState:
    try:
        return RunState(name)
    except ValueError:
        states = ", ".join(state.value for state in RunState)
        raise Invalid("state", f"must be one of {states}") from None


def _label(text: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    return key, value if equals else None


HANDLERS = [
    create,
    create_batch,
    find,
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
