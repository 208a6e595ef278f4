"""From a datastore's record to its files."""

from __future__ import annotations

from zaffre.contract.datastore import Datastore, DatastoreKind
from zaffre.contract.errors import NotBuiltYet
from zaffre.data.errors import DataInvalid
from zaffre.data.stores.file_store import FileStore

_DATABASES = (
    DatastoreKind.AZURE_SQL_DATABASE,
    DatastoreKind.AZURE_POSTGRE_SQL,
    DatastoreKind.AZURE_MY_SQL,
)


def root_of(datastore: Datastore) -> str | None:
    """Return the folder of this machine that holds a datastore's files; None: another place."""
    root = datastore.settings.get("root")
    return root if isinstance(root, str) else None


def file_store(datastore: Datastore) -> FileStore:
    """Return the store of a datastore's files; nothing is reached before it is used.

    Raises DataInvalid for a database, NotBuiltYet for a kind that this release cannot reach.
    """
    root = root_of(datastore)
    if root is not None:
        from zaffre.data.stores.local import LocalStore

        return LocalStore(root)
    if datastore.kind in _DATABASES:
        raise DataInvalid(
            f"Datastore {datastore.name!r} is a database, it has no files. Read it by "
            "Dataset.Tabular.from_sql_query."
        )
    raise NotBuiltYet(f"Reaching a datastore of type {datastore.kind.value} ({datastore.name!r})")
