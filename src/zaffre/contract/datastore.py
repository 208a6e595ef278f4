"""Datastores: where data is, and what is needed to reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class DatastoreKind(Enum):
    """What a datastore is: v1's `datastore_type`, then those beyond v1."""

    AZURE_BLOB = "AzureBlob"
    AZURE_FILE = "AzureFile"
    AZURE_DATA_LAKE = "AzureDataLake"
    AZURE_DATA_LAKE_GEN2 = "AzureDataLakeGen2"
    AZURE_SQL_DATABASE = "AzureSqlDatabase"
    AZURE_POSTGRE_SQL = "AzurePostgreSql"
    AZURE_MY_SQL = "AzureMySql"
    DBFS = "DBFS"
    HDFS = "Hdfs"
    LOCAL_FOLDER = "LocalFolder"
    S3 = "S3"
    SFTP = "Sftp"
    HTTP = "Http"


#: The datastores that every workspace has, by v1's names, and what they were in v1.
BUILT_IN = {
    "workspaceblobstore": DatastoreKind.AZURE_BLOB,
    "workspacefilestore": DatastoreKind.AZURE_FILE,
    "workspaceartifactstore": DatastoreKind.AZURE_BLOB,
    "workspaceworkingdirectory": DatastoreKind.AZURE_FILE,
    "azureml_globaldatasets": DatastoreKind.AZURE_BLOB,
}
#: Which of them is the default until another one is chosen, and which cannot be written to.
FIRST_DEFAULT = "workspaceblobstore"
READ_ONLY = "azureml_globaldatasets"


@dataclass(frozen=True)
class Datastore:
    """A datastore of a workspace.

    settings: v1's attributes of its kind (account_name, container_name, endpoint ...), never a
    secret. `root` of them: the folder on this machine that holds its files, for the built-in ones
    and for local folders. credentials: by v1's names, in the answer to who asks for them only;
    `repr` leaves them out.
    """

    workspace_id: str
    name: str
    kind: DatastoreKind
    settings: dict[str, str | int | bool | None]
    created_at: datetime
    is_default: bool = False
    is_built_in: bool = False
    has_credentials: bool = False
    credentials: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class DatastoreRequest:
    """The body of a request that registers a datastore. overwrite: replace one of its name."""

    kind: DatastoreKind
    settings: dict[str, str | int | bool | None]
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    overwrite: bool = False
