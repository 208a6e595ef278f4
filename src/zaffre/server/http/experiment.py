"""Routes of experiments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from litestar import delete, get, patch, post

from zaffre.contract.errors import Invalid
from zaffre.contract.workspace import Experiment, View
from zaffre.server.http.request import Request
from zaffre.server.usecases import experiment as usecase


@dataclass(frozen=True)
class Experiments:
    """A list of experiments."""

    items: list[Experiment]


@dataclass(frozen=True)
class ExperimentRequest:
    """The body of a request that opens an experiment."""

    name: str


@dataclass(frozen=True)
class ExperimentChange:
    """Tags to set and to remove."""

    set_tags: dict[str, str | None] = field(default_factory=dict)
    remove_tags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Removal:
    """Whether all that was to go has gone; it is hidden in any case."""

    done: bool


@post("/api/v1/workspaces/{workspace_id:str}/experiments", status_code=200, sync_to_thread=True)
def open_named(workspace_id: str, data: ExperimentRequest, request: Request) -> Experiment:
    """Return the workspace's experiment of that name, made if there was none."""
    return usecase.open_named(
        workspace_id,
        data.name,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )


@get("/api/v1/workspaces/{workspace_id:str}/experiments", sync_to_thread=True)
def find(
    workspace_id: str,
    request: Request,
    name: str | None = None,
    view: str = View.ACTIVE.value,
) -> Experiments:
    """List a workspace's experiments by name. view: ActiveOnly, ArchivedOnly or All."""
    return Experiments(
        usecase.find(
            workspace_id,
            caller=request.caller,
            store=request.store,
            name=name,
            view=_view(view),
        )
    )


@get("/api/v1/experiments", sync_to_thread=True)
def find_everywhere(
    request: Request,
    limit: int = 100,
    after: str | None = None,
    view: str = View.ACTIVE.value,
) -> Experiments:
    """List all experiments by name. The owner's token only."""
    return Experiments(
        usecase.find_everywhere(
            caller=request.caller, store=request.store, limit=limit, after=after, view=_view(view)
        )
    )


@get("/api/v1/experiments/{experiment_id:str}", sync_to_thread=True, opt={"small": True})
def get_one(experiment_id: str, request: Request) -> Experiment:
    """Return one experiment."""
    return usecase.get(experiment_id, caller=request.caller, store=request.store)


@patch("/api/v1/experiments/{experiment_id:str}", sync_to_thread=True)
def change(experiment_id: str, data: ExperimentChange, request: Request) -> Experiment:
    """Set and remove tags."""
    return usecase.change_tags(
        experiment_id,
        set_tags=data.set_tags,
        remove_tags=data.remove_tags,
        caller=request.caller,
        store=request.store,
    )


@post("/api/v1/experiments/{experiment_id:str}/archive", status_code=200, sync_to_thread=True)
def archive(experiment_id: str, request: Request) -> Experiment:
    """Hide an experiment from lists and free its name. Asking again changes nothing."""
    return usecase.archive(
        experiment_id, caller=request.caller, store=request.store, now=datetime.now(UTC)
    )


@post("/api/v1/experiments/{experiment_id:str}/reactivate", status_code=200, sync_to_thread=True)
def reactivate(experiment_id: str, request: Request) -> Experiment:
    """Show an archived experiment again; 409 if an active one has its name."""
    return usecase.reactivate(experiment_id, caller=request.caller, store=request.store)


@delete("/api/v1/experiments/{experiment_id:str}", status_code=200, sync_to_thread=True)
def remove(experiment_id: str, request: Request) -> Removal:
    """Delete an experiment with its runs; ask again until `done`. 409 while a run goes on."""
    return Removal(
        usecase.delete(
            experiment_id, caller=request.caller, store=request.store, now=datetime.now(UTC)
        )
    )


def _view(name: str) -> View:
    try:
        return View(name)
    except ValueError:
        raise Invalid("view", f"must be one of {', '.join(v.value for v in View)}") from None


HANDLERS = [
    open_named,
    find,
    find_everywhere,
    get_one,
    change,
    archive,
    reactivate,
    remove,
]
