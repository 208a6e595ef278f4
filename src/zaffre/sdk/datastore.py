"""Datastores: finding and registering them."""

from __future__ import annotations

from zaffre.sdk import datastore_kinds, session
from zaffre.sdk.datastore_kinds import AbstractDatastore, file_store
from zaffre.sdk.unbuilt import method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.data.stores.file_store import FileStore
    from zaffre.sdk.workspace import Workspace

__all__ = ["Datastore", "file_store", "find_all", "set_default", "stores"]


class Datastore:
    """A look-up: `Datastore(ws, "name")` is the datastore of that name, without one the default.

    What comes is an object of its kind's class, such as AzureBlobDatastore. Raises
    UserErrorException if there is none.
    """

    def __new__(cls, workspace: Workspace, name: str | None = None) -> Any:
        """Return the datastore."""
        return cls.get_default(workspace) if name is None else cls.get(workspace, name)

    register_azure_blob_container = method("Datastore.register_azure_blob_container")
    register_azure_data_lake = method("Datastore.register_azure_data_lake")
    register_azure_data_lake_gen2 = method("Datastore.register_azure_data_lake_gen2")
    register_azure_file_share = method("Datastore.register_azure_file_share")
    register_azure_my_sql = method("Datastore.register_azure_my_sql")
    register_azure_postgre_sql = method("Datastore.register_azure_postgre_sql")
    register_azure_sql_database = method("Datastore.register_azure_sql_database")
    register_dbfs = method("Datastore.register_dbfs")
    register_hdfs = method("Datastore.register_hdfs")

    @staticmethod
    def get(workspace: Workspace, datastore_name: str) -> AbstractDatastore:
        """Return a datastore by name, upper and lower case alike.

        Raises UserErrorException if there is none.
        """
        return _of(workspace, _request(workspace, "GET", f"datastores/{_name(datastore_name)}"))

    @staticmethod
    def get_default(workspace: Workspace) -> AbstractDatastore:
        """Return the workspace's default datastore: workspaceblobstore until one is chosen."""
        return _of(workspace, _request(workspace, "GET", "default_datastore"))


def find_all(workspace: Workspace) -> dict[str, AbstractDatastore]:
    """Return name to datastore, the built-in ones first."""
    found = _request(workspace, "GET", "datastores")["items"]
    return {record["name"]: _of(workspace, record) for record in found}


def set_default(workspace: Workspace, name: str) -> None:
    """Choose a workspace's default datastore. Raises UserErrorException if there is none."""
    _request(workspace, "PUT", "default_datastore", {"name": _name(name)})


def stores(workspace: Workspace) -> Any:
    """Return a function from a datastore's name to its store of files, for the engine."""
    known: dict[str, FileStore] = {}

    def store(name: str) -> FileStore:
        if name not in known:
            known[name] = file_store(Datastore.get(workspace, name))
        return known[name]

    return store


def _of(workspace: Workspace, record: dict[str, Any]) -> AbstractDatastore:
    return datastore_kinds.of_record(workspace, record)


def _name(value: object) -> str:
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid
    from zaffre.sdk.exceptions import UserErrorException

    try:
        return names.datastore_name(value)
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem


def _request(workspace: Workspace, method: str, path: str, json: object = None) -> Any:
    return session.current().request(
        method, f"/workspaces/{workspace.workspace_id}/{path}", json=json
    )
