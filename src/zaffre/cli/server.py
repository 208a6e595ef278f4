"""The server that the command line talks to, and answers that come page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zaffre.contract.errors import NotFound

if TYPE_CHECKING:
    from zaffre.client.http import Client

_PAGE = 1000


def connect() -> Client:
    """Return a client of the server in use; one on this machine is started if none runs."""
    from zaffre.client import connection

    return connection.connect()


def every_item(
    client: Client, path: str, query: dict[str, Any], *, limit: int
) -> list[dict[str, Any]]:
    """Return up to `limit` items of a list that the server gives page by page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(items) < limit:
        page = {**query, "limit": min(_PAGE, limit - len(items)), "cursor": cursor}
        answer = client.request("GET", path, query=page)
        items += answer["items"]
        cursor = answer.get("next")
        if cursor is None:
            break
    return items


def every_experiment(client: Client) -> list[dict[str, Any]]:
    """Return all experiments of the server, by name."""
    items: list[dict[str, Any]] = []
    while True:
        query = {"limit": _PAGE, "after": items[-1]["experiment_id"] if items else None}
        page = client.request("GET", "/experiments", query=query)["items"]
        items += page
        if len(page) < _PAGE:
            return items


def workspaces(client: Client) -> list[dict[str, Any]]:
    """Return all workspaces of the server."""
    found: list[dict[str, Any]] = client.request("GET", "/workspaces")["items"]
    return found


def workspace_names(client: Client) -> dict[str, str]:
    """Return the name of each workspace, by its id."""
    return {one["workspace_id"]: one["name"] for one in workspaces(client)}


def workspace_ids(client: Client, name: str | None) -> list[str]:
    """Return the ids of the workspaces called `name`, or of all. Raises NotFound."""
    ids = [w["workspace_id"] for w in workspaces(client) if name in (None, w["name"])]
    if name is not None and not ids:
        raise NotFound("workspace", name)
    return ids


def experiment_ids(client: Client, *, name: str | None, workspace: str | None) -> list[str]:
    """Return the ids of the experiments called `name` in the workspaces called `workspace`.

    Raises NotFound.
    """
    ids: list[str] = []
    for workspace_id in workspace_ids(client, workspace):
        answer = client.request(
            "GET", f"/workspaces/{workspace_id}/experiments", query={"name": name}
        )
        ids += [experiment["experiment_id"] for experiment in answer["items"]]
    if name is not None and not ids:
        raise NotFound("experiment", name)
    return ids
