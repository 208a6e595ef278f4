"""What the `Datastore.register_...` methods share: checks, and the request."""

from __future__ import annotations

from zaffre.sdk import argument, datastore_kinds, session
from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from zaffre.sdk.datastore_kinds import AbstractDatastore
    from zaffre.sdk.workspace import Workspace


def put(
    workspace: Workspace,
    name: object,
    kind: str,
    settings: Mapping[str, object],
    secrets: Mapping[str, str | None],
    *,
    overwrite: bool = False,
) -> AbstractDatastore:
    """Register a datastore. Raises UserErrorException for its name, or one that is taken."""
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        path = f"/workspaces/{workspace.workspace_id}/datastores/{names.datastore_name(name)}"
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem
    body: dict[str, Any] = {
        "kind": kind,
        "settings": dict(settings),
        "credentials": {key: value for key, value in secrets.items() if value},
        "overwrite": bool(overwrite),
    }
    answer = session.current().request("PUT", path, json=body)
    return datastore_kinds.of_record(workspace, answer)


def storage(
    workspace: Workspace,
    name: object,
    kind: str,
    settings: Mapping[str, object],
    *,
    protocol: str | None,
    endpoint: str | None,
    account_key: str | None,
    sas_token: str | None,
    overwrite: bool,
    create: bool,
) -> AbstractDatastore:
    """Register a container or a share of a storage account; make it first if asked to."""
    argument.text(settings["container_name"], "container_name")
    argument.text(settings["account_name"], "account_name")
    credential_type = "Sas" if sas_token else "AccountKey" if account_key else None
    all_settings = {
        **settings,
        "protocol": protocol or "https",
        "endpoint": endpoint or "core.windows.net",
        "credential_type": credential_type,
    }
    secrets = {"sas_token": sas_token} if sas_token else {"account_key": account_key}
    if create:
        _make(name, kind, all_settings, secrets)
    return put(workspace, name, kind, all_settings, secrets, overwrite=overwrite)


def _make(
    name: object, kind: str, settings: dict[str, Any], secrets: Mapping[str, str | None]
) -> None:
    """Make the container of a store that is about to be registered, unless it is there."""
    from datetime import datetime, timezone

    from zaffre.contract.datastore import Datastore, DatastoreKind
    from zaffre.contract.errors import ZaffreError
    from zaffre.data.stores import reach
    from zaffre.sdk.exceptions import from_refusal

    given = {key: value for key, value in secrets.items() if value}
    now = datetime.now(timezone.utc)
    record = Datastore("", str(name), DatastoreKind(kind), settings, now, credentials=given)
    try:
        reach.make(record)
    except ZaffreError as problem:
        raise from_refusal(problem) from problem


def check_identity(tenant_id: object, client_id: object, client_secret: object) -> None:
    """Raise UserErrorException unless all three or none are given."""
    given = [bool(one) for one in (tenant_id, client_id, client_secret)]
    if any(given) and not all(given):
        raise UserErrorException(
            "tenant_id, client_id and client_secret have to be defined together, or none of them."
        )


def port(value: Any, default: int) -> int:
    """Return a port, `default` for None. Raises UserErrorException."""
    if value is None:
        return default
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if not 0 < number < 65_536:
        raise UserErrorException(f"port_number: must be from 1 to 65535, not {value!r}.")
    return number


def content(path: Any) -> str | None:
    """Return a file's content in base64; None without a path. Raises FileNotFoundError."""
    import base64

    if not path:
        return None
    with open(argument.path(path, "path"), "rb") as file:
        return base64.b64encode(file.read()).decode()
