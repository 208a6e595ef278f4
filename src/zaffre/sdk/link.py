"""Links of a workspace as the server keeps them: what v1's three kinds of them share."""

from __future__ import annotations

from zaffre.sdk import session
from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.workspace import Workspace

LINKED_SERVICE = "linked_service"
PRIVATE_ENDPOINT = "private_endpoint"
CONNECTION = "connection"


def put(
    workspace: Workspace, kind: str, name: object, facts: dict[str, str], secret: str | None = None
) -> dict[str, Any]:
    """Store a link; one of that kind and name is replaced."""
    return session.current().request(
        "PUT", _path(workspace, kind, name), json={"facts": facts, "secret": secret}
    )


def find_all(workspace: Workspace, kind: str) -> list[dict[str, Any]]:
    """Return the links of a kind by name, without credentials."""
    return session.current().request("GET", _folder(workspace, kind))["items"]


def get(workspace: Workspace, kind: str, name: object) -> dict[str, Any]:
    """Return one link. Raises ServiceException (404) if there is none."""
    return session.current().request("GET", _path(workspace, kind, name))


def remove(workspace: Workspace, kind: str, name: object) -> None:
    """Remove a link; one that is not there is no error."""
    session.current().request("DELETE", _path(workspace, kind, name))


def _folder(workspace: Workspace, kind: str) -> str:
    return f"/workspaces/{workspace.workspace_id}/links/{kind}"


def _path(workspace: Workspace, kind: str, name: object) -> str:
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return f"{_folder(workspace, kind)}/{names.link_name(name)}"
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem
