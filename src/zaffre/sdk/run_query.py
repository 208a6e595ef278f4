"""Lists of runs: asked for page by page as they are read, filtered by the server, newest first."""

from __future__ import annotations

from zaffre.sdk import argument, labels, session
from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from zaffre.sdk.experiment import Experiment
    from zaffre.sdk.run import Run
    from zaffre.sdk.workspace import Workspace

_PAGE = 100


def runs_of(
    experiment: Experiment,
    *,
    type: str | None = None,
    tags: Any = None,
    properties: Any = None,
    status: str | None = None,
    include_children: bool = False,
) -> Iterator[Run]:
    """Yield an experiment's runs; without `include_children` only those without a parent."""
    query: dict[str, Any] = {
        "experiment_id": experiment.id,
        "top_level": True if not include_children else None,
        **_filters(type, tags, properties, status),
    }
    return _runs(experiment.workspace, query, experiment)


def children_of(
    run: Run,
    *,
    recursive: bool = False,
    tags: Any = None,
    properties: Any = None,
    type: str | None = None,
    status: str | None = None,
) -> Iterator[Run]:
    """Yield a run's children; recursive: all runs below its root, as in v1."""
    query: dict[str, Any] = _filters(type, tags, properties, status)
    if recursive:
        query["root_run_id"] = run.root_run_id
    else:
        query["parent_run_id"] = run.id
    found = _runs(run.experiment.workspace, query, run.experiment)
    return (one for one in found if one.id != run.id and one.parent_run_id is not None)


def runs_on(
    workspace: Workspace,
    target: str,
    *,
    type: str | None = None,
    tags: Any = None,
    properties: Any = None,
    status: str | None = None,
) -> Iterator[Run]:
    """Yield the workspace's runs on a compute target."""
    query: dict[str, Any] = {
        "workspace_id": workspace.workspace_id,
        "target": target,
        **_filters(type, tags, properties, status),
    }
    return _runs(workspace, query, None)


def _filters(type: str | None, tags: Any, properties: Any, status: str | None) -> dict[str, Any]:
    """Return the query of v1's filters; what cannot be is refused now, not at the first item."""
    if status is not None:
        from zaffre.contract.run import RunState

        known = [state.value for state in RunState]
        if status not in known:
            raise UserErrorException(f"status: must be one of {', '.join(known)}, not {status!r}.")
    return {
        "type": argument.optional_text(type, "type"),
        "state": status,
        "tag": labels.as_filter(tags, "tags"),
        "property": labels.as_filter(properties, "properties"),
        "limit": _PAGE,
    }


def _runs(
    workspace: Workspace, query: dict[str, Any], experiment: Experiment | None
) -> Iterator[Run]:
    from zaffre.sdk.run import of_record

    for record in session.current().pages("/runs", query):
        yield of_record(workspace, record, experiment)
