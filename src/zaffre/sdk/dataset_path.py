"""What v1 takes as `path` of a dataset: paths of datastores, web addresses, lists of them."""

from __future__ import annotations

from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.section import as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.contract.dataset import Source
    from zaffre.sdk.datastore_kinds import AbstractDatastore
    from zaffre.sdk.workspace import Workspace

_FORMS = (
    "Valid forms are (datastore, 'path'), datastore.path('path'), DataPath(datastore, 'path'), an "
    "http or https address, and lists of these. Upload local files first, by "
    "datastore.upload_files or Dataset.File.upload_directory."
)


def sources(path: Any) -> tuple[list[Source], Workspace | None]:
    """Return the sources that `path` names and the workspace of their datastores.

    None: web addresses alone. Raises UserErrorException that lists the valid forms.
    """
    given = as_list(path) if isinstance(path, list) else [path]
    if not given:
        raise UserErrorException(f"path: the list is empty. {_FORMS}")
    found: list[Source] = []
    workspace: Workspace | None = None
    for one in given:
        source, datastore = _source(one)
        found.append(source)
        if datastore is None:
            continue
        if workspace is not None and workspace.workspace_id != datastore.workspace.workspace_id:
            raise UserErrorException("path: the datastores belong to different workspaces.")
        workspace = workspace or datastore.workspace
    return found, workspace


def target(value: Any, *, what: str = "target") -> tuple[AbstractDatastore, str]:
    """Return the datastore and path that something is written to."""
    from zaffre.sdk.datastore_kinds import AbstractDatastore

    if isinstance(value, AbstractDatastore):
        return value, ""
    found = _datastore_path(value)
    if found is None:
        raise UserErrorException(
            f"{what}: must be a datastore, (datastore, 'path') or a DataPath, not {value!r}."
        )
    return found[0], found[1].strip("/")


def _source(one: Any) -> tuple[Source, AbstractDatastore | None]:
    from zaffre.contract.dataset import Source

    found = _datastore_path(one)
    if found is not None:
        return Source(datastore=found[0].name, path=found[1]), found[0]
    if isinstance(one, tuple):
        raise UserErrorException(f"Invalid tuple for path: {one!r}. {_FORMS}")
    if isinstance(one, str) and one.startswith(("http://", "https://")):
        return Source(url=one), None
    raise UserErrorException(f"path: {one!r} cannot be used. {_FORMS}")


def _datastore_path(value: Any) -> tuple[AbstractDatastore, str] | None:
    from zaffre.sdk.data_reference import DataPath, DataReference
    from zaffre.sdk.datastore_kinds import AbstractDatastore

    if isinstance(value, (DataPath, DataReference)):
        return value.datastore, value.path_on_datastore or ""
    if isinstance(value, tuple):
        parts = as_list(list(value))
        is_pair = len(parts) == 2 and isinstance(parts[1], str)
        if is_pair and isinstance(parts[0], AbstractDatastore):
            return parts[0], parts[1]
    return None
