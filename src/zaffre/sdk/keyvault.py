"""The workspace's secrets: encrypted at rest on the server, given to the workspace's runs."""

from __future__ import annotations

from zaffre.contract import names
from zaffre.contract.errors import Invalid
from zaffre.contract.secret import NO_CONTENT_TYPE
from zaffre.sdk import session
from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from zaffre.sdk.workspace import Workspace


class Keyvault:
    """The secrets of a workspace, name to text. A name has 1 to 127 letters, digits and '-'.

    A submitted script may read them, and not change them. Raises UserErrorException for a name or
    a value that cannot be.
    """

    def __init__(self, workspace: Workspace) -> None:
        from zaffre.sdk.workspace import Workspace

        if not isinstance(workspace, Workspace):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UserErrorException(
                f"workspace: must be a Workspace, not {type(workspace).__name__}."
            )
        self.workspace = workspace

    def set_secret(self, name: str, value: str, content_type: Any = NO_CONTENT_TYPE) -> None:
        """Store a secret of at most 25,000 bytes; one of that name is replaced."""
        kind = getattr(content_type, "value", content_type)
        self._put([_secret(name, value, kind or NO_CONTENT_TYPE)])

    def set_secrets(self, secrets_batch: dict[str, str]) -> None:
        """Store all of a dict name to value, or none of them."""
        if not isinstance(secrets_batch, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UserErrorException(
                "secrets_batch: must be a dict such as {'name': 'value'}, "
                f"not {type(secrets_batch).__name__}."
            )
        self._put([_secret(name, value, NO_CONTENT_TYPE) for name, value in secrets_batch.items()])

    def _put(self, items: list[dict[str, str]]) -> None:
        session.current().request("POST", self._path, json={"items": items})

    def get_secret(self, name: str) -> str | None:
        """Return a secret's value, None if there is none of that name."""
        return self.get_secrets([name])[name]

    def get_secrets(self, secrets: Sequence[str]) -> dict[str, Any]:
        """Return name to value for the names asked for, None for those that are not there."""
        wanted = _names(secrets)
        held = {one["name"]: one["value"] for one in self._read(wanted)}
        return {name: held.get(name) for name in wanted}

    def get_secret_content_type(self, name: str) -> str | None:
        """Return what `set_secret` said of the value, None if there is no such secret."""
        found = self._read(_names([name]))
        return found[0]["content_type"] if found else None

    def _read(self, wanted: list[str]) -> list[dict[str, Any]]:
        if not wanted:
            return []
        answer = session.current().request("GET", f"{self._path}/values", query={"name": wanted})
        return answer["items"]

    def list_secrets(self) -> list[dict[str, str]]:
        """Return a dict with the key `name` for each secret, sorted, without values."""
        items = session.current().request("GET", self._path)["items"]
        return [{"name": item["name"]} for item in items]

    def delete_secret(self, name: str) -> None:
        """Remove a secret; one that is not there is no error."""
        self.delete_secrets([name])

    def delete_secrets(self, secrets: Sequence[str]) -> None:
        """Remove secrets; those that are not there are no error."""
        unwanted = _names(secrets)
        if unwanted:
            session.current().request("DELETE", self._path, query={"name": unwanted})

    @property
    def _path(self) -> str:
        return f"/workspaces/{self.workspace.workspace_id}/secrets"


def _secret(name: object, value: object, content_type: object) -> dict[str, str]:
    if not isinstance(value, str):
        raise UserErrorException(f"value: must be text, not {type(value).__name__}.")
    if not isinstance(content_type, str):
        raise UserErrorException(
            f"content_type: must be text such as 'text/plain', not {type(content_type).__name__}."
        )
    return {"name": _name(name), "value": value, "content_type": content_type}


def _name(value: object) -> str:
    try:
        return names.secret_name(value)
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem


def _names(values: object) -> list[str]:
    if isinstance(values, (list, tuple, set)):
        return [_name(value) for value in values]
    raise UserErrorException(f"secrets: must be a list of names, not {type(values).__name__}.")
