"""Connections of a workspace: addresses of other services, with a credential each."""

from __future__ import annotations

from zaffre.sdk import argument, link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.workspace import Workspace


def put(
    workspace: Workspace, name: str, *, category: str, target: str, auth_type: str, value: str
) -> None:
    """Store a connection; one of that name is replaced."""
    facts = {
        "category": argument.text(category, "category"),
        "target": argument.text(target, "target"),
        "authType": argument.text(auth_type, "authType"),
    }
    link.put(workspace, link.CONNECTION, name, facts, argument.text(value, "value"))


def find_all(
    workspace: Workspace, *, category: str | None, target: str | None
) -> list[dict[str, Any]]:
    """Return the connections that match, by name, without their values."""
    wanted = {
        "category": argument.optional_text(category, "category"),
        "target": argument.optional_text(target, "target"),
    }
    return [
        _shown(workspace, record)
        for record in link.find_all(workspace, link.CONNECTION)
        if all(value in (None, record["facts"][key]) for key, value in wanted.items())
    ]


def get(workspace: Workspace, name: str) -> dict[str, Any]:
    """Return a connection with its value. Raises ServiceException (404)."""
    return _shown(workspace, link.get(workspace, link.CONNECTION, name))


def remove(workspace: Workspace, name: str) -> None:
    """Remove a connection; one that is not there is no error."""
    link.remove(workspace, link.CONNECTION, name)


def _shown(workspace: Workspace, record: dict[str, Any]) -> dict[str, Any]:
    properties = dict(record["facts"])
    if record.get("secret") is not None:
        properties["value"] = record["secret"]
    return {
        "id": f"{workspace.scope}/connections/{record['name']}",
        "name": record["name"],
        "type": "Microsoft.MachineLearningServices/workspaces/connections",
        "properties": properties,
    }
