"""What `Datastore.get` returns: an object of v1's class for its kind, read from the server."""

from __future__ import annotations

from zaffre.sdk import session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.data.stores.file_store import FileStore
    from zaffre.sdk.data_reference import DataReference
    from zaffre.sdk.workspace import Workspace


class Setting:
    """An attribute that is read from the datastore's record; None where nothing was given."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, datastore: AbstractDatastore | None, owner: type) -> Any:
        """Return the value; of the class, this object."""
        return self if datastore is None else datastore.settings.get(self._name)


class Secret(Setting):
    """An attribute that is fetched from the server when it is read."""

    def __get__(self, datastore: AbstractDatastore | None, owner: type) -> Any:
        """Return the value; of the class, this object."""
        return self if datastore is None else datastore.credentials().get(self._name)


class AbstractDatastore:
    """A place for data that a workspace knows by name.

    Its attributes are what was given when it was registered; a secret one is fetched from the
    server when it is read.
    """

    #: The attributes that `repr` shows; empty: all that are no secret.
    _shown: tuple[str, ...] = ()

    def __init__(self, workspace: Workspace, record: dict[str, Any]) -> None:
        self.workspace = workspace
        self._record = record
        self._credentials: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """The name that it was registered under."""
        return self._record["name"]

    @property
    def datastore_type(self) -> str:
        """What it is: 'AzureBlob', 'AzureFile' ..., 'LocalFolder', 'S3', 'Sftp' or 'Http'."""
        return self._record["kind"]

    @property
    def is_default(self) -> bool:
        """Whether it was the workspace's default when it was fetched (not a name of v1's)."""
        return self._record["is_default"]

    @property
    def settings(self) -> dict[str, Any]:
        """What is known of it besides credentials (not a name of v1's)."""
        return dict(self._record["settings"])

    def set_as_default(self) -> None:
        """Make it the workspace's default datastore."""
        self.workspace.set_default_datastore(self.name)

    def unregister(self) -> None:
        """Forget it; the data stays where it is. Raises UserErrorException for a built-in one."""
        session.current().request(
            "DELETE", f"/workspaces/{self.workspace.workspace_id}/datastores/{self.name}"
        )

    def credentials(self) -> dict[str, str]:
        """Return its credentials by v1's names, fetched once (not a name of v1's)."""
        if not self._record["has_credentials"]:
            return {}
        if self._credentials is None:
            path = f"/workspaces/{self.workspace.workspace_id}/datastores/{self.name}"
            answer = session.current().request("GET", f"{path}/credentials")
            self._credentials = dict(answer["credentials"])
        return self._credentials

    def record(self) -> dict[str, Any]:
        """Return all that the server knows of it, with credentials (not a name of v1's)."""
        return {**self._record, "credentials": self.credentials()}

    def __repr__(self) -> str:
        """Return its name and settings as indented JSON, never a secret."""
        import json

        shown: dict[str, Any] = {"name": self.name}
        shown.update((key, getattr(self, key)) for key in self._shown or _settings(type(self)))
        return json.dumps(shown, indent=2)


def _settings(kind: type[AbstractDatastore]) -> list[str]:
    """Return the names of a class's settings, those of its base first."""
    return [
        name
        for one in reversed(kind.__mro__)
        for name, value in vars(one).items()
        if type(value) is Setting
    ]


class AbstractAzureStorageDatastore(AbstractDatastore):
    """A datastore that holds files and can be written to."""

    _shown = ("container_name", "account_name", "protocol", "endpoint")
    container_name = Setting()
    account_name = Setting()
    protocol = Setting()
    endpoint = Setting()
    credential_type = Setting()
    subscription_id = Setting()
    resource_group = Setting()
    account_key = Secret()
    sas_token = Secret()

    def path(
        self, path: str | None = None, data_reference_name: str | None = None
    ) -> DataReference:
        """Return a reference to a folder or file of it, without a path to all of it."""
        from zaffre.sdk.data_reference import DataReference

        return DataReference(self, data_reference_name, path)

    def as_download(self, path_on_compute: str | None = None) -> DataReference:
        """Return a reference to all of it that a script gets as a copy."""
        return self.path().as_download(path_on_compute)

    def as_upload(self, path_on_compute: str | None = None) -> DataReference:
        """Return a reference to it: what a script leaves in a folder is uploaded after the run."""
        return self.path().as_upload(path_on_compute)

    def as_mount(self) -> DataReference:
        """Return a reference to all of it that a script reads where it is."""
        return self.path().as_mount()

    def upload(
        self,
        src_dir: str,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Send all files below a folder to `target_path`; return a reference to that.

        overwrite: of files that are there; without it they are skipped, with a line. Each file is
        there whole or not at all. show_progress: print a line a file. Raises UserErrorException.
        """
        from zaffre.sdk import datastore_transfer

        return datastore_transfer.upload(
            self, src_dir, target_path, overwrite=overwrite, show_progress=show_progress
        )

    def upload_files(
        self,
        files: list[str],
        relative_root: str | None = None,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Send files to `target_path`; return a reference to that.

        relative_root: each file keeps its path below it; without one below the folder that all of
        them share. overwrite, show_progress: as for `upload`. Raises UserErrorException.
        """
        from zaffre.sdk import datastore_transfer

        return datastore_transfer.upload_files(
            self,
            files,
            relative_root,
            target_path,
            overwrite=overwrite,
            show_progress=show_progress,
        )

    def download(
        self,
        target_path: str,
        prefix: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> int:
        """Fetch the files whose path begins with `prefix`; return how many came.

        target_path: a folder, made if need be; files keep their whole path below it. overwrite:
        of files that are there; without it they are skipped, with a line. Raises
        UserErrorException.
        """
        from zaffre.sdk import datastore_transfer

        return datastore_transfer.download(
            self, target_path, prefix, overwrite=overwrite, show_progress=show_progress
        )

    @property
    def is_sas(self) -> bool:
        """Whether a shared access signature was given for it."""
        return self._record["settings"].get("credential_type") == "Sas"


class AzureBlobDatastore(AbstractAzureStorageDatastore):
    """A container of blobs; the built-in ones are folders of the server's home."""

    blob_cache_timeout = Setting()


class AzureFileDatastore(AbstractAzureStorageDatastore):
    """A file share; the built-in ones are folders of the server's home."""


class AbstractADLSDatastore(AbstractDatastore):
    """A data lake."""

    tenant_id = Setting()
    client_id = Setting()
    resource_url = Setting()
    authority_url = Setting()
    service_data_access_auth_identity = Setting()
    client_secret = Secret()


class AzureDataLakeDatastore(AbstractADLSDatastore):
    """A data lake of the first generation."""

    store_name = Setting()
    subscription_id = Setting()
    resource_group = Setting()


class AzureDataLakeGen2Datastore(AbstractADLSDatastore):
    """A file system of a data lake of the second generation."""

    container_name = Setting()
    account_name = Setting()
    protocol = Setting()
    endpoint = Setting()


class AzureSqlDatabaseDatastore(AbstractDatastore):
    """A database of SQL Server."""

    server_name = Setting()
    database_name = Setting()
    tenant_id = Setting()
    client_id = Setting()
    resource_url = Setting()
    authority_url = Setting()
    endpoint = Setting()
    username = Setting()
    auth_type = Setting()
    service_data_access_auth_identity = Setting()
    client_secret = Secret()
    password = Secret()


class AzurePostgreSqlDatastore(AbstractDatastore):
    """A database of PostgreSQL."""

    server_name = Setting()
    database_name = Setting()
    user_id = Setting()
    port_number = Setting()
    endpoint = Setting()
    enforce_ssl = Setting()
    user_password = Secret()


class AzureMySqlDatastore(AbstractDatastore):
    """A database of MySQL."""

    server_name = Setting()
    database_name = Setting()
    user_id = Setting()
    port_number = Setting()
    endpoint = Setting()
    user_password = Secret()


class DBFSDatastore(AbstractDatastore):
    """The file system of a Databricks workspace."""


class HDFSDatastore(AbstractDatastore):
    """A cluster of Hadoop."""

    protocol = Setting()
    namenode_address = Setting()
    kerberos_realm = Setting()
    kerberos_kdc_address = Setting()
    kerberos_principal = Setting()
    credential_type = Setting()
    credential_value = Secret()
    hdfs_server_certificate_data = Secret()


class LocalFolderDatastore(AbstractAzureStorageDatastore):
    """A folder of this machine (not a class of v1's)."""

    root = Setting()
    _shown = ("root",)


class S3Datastore(AbstractAzureStorageDatastore):
    """A bucket of S3 or of a compatible server (not a class of v1's)."""

    bucket_name = Setting()
    access_key_id = Setting()
    endpoint = Setting()
    region = Setting()
    _shown = ("bucket_name", "access_key_id", "endpoint", "region")
    secret_access_key = Secret()


class SftpDatastore(AbstractAzureStorageDatastore):
    """A folder of a machine that is reached by SSH (not a class of v1's)."""

    host = Setting()
    path_on_host = Setting()
    username = Setting()
    port = Setting()
    _shown = ("host", "path_on_host", "username", "port")
    password = Secret()


class HttpDatastore(AbstractAzureStorageDatastore):
    """What is below a web address, for reading (not a class of v1's)."""

    url = Setting()
    _shown = ("url",)


_CLASSES: dict[str, type[AbstractDatastore]] = {
    "AzureBlob": AzureBlobDatastore,
    "AzureFile": AzureFileDatastore,
    "AzureDataLake": AzureDataLakeDatastore,
    "AzureDataLakeGen2": AzureDataLakeGen2Datastore,
    "AzureSqlDatabase": AzureSqlDatabaseDatastore,
    "AzurePostgreSql": AzurePostgreSqlDatastore,
    "AzureMySql": AzureMySqlDatastore,
    "DBFS": DBFSDatastore,
    "Hdfs": HDFSDatastore,
    "LocalFolder": LocalFolderDatastore,
    "S3": S3Datastore,
    "Sftp": SftpDatastore,
    "Http": HttpDatastore,
}


def of_record(workspace: Workspace, record: dict[str, Any]) -> AbstractDatastore:
    """Return the datastore that the server's record describes, as its kind's class."""
    return _CLASSES[record["kind"]](workspace, record)


def file_store(datastore: AbstractDatastore) -> FileStore:
    """Return the engine's store of a datastore's files.

    Raises UserErrorException for a datastore that holds no files, NotBuiltYetException for one
    that this release cannot reach.
    """
    from zaffre.contract import wire
    from zaffre.contract.datastore import Datastore
    from zaffre.contract.errors import ZaffreError
    from zaffre.data.stores import reach
    from zaffre.sdk.exceptions import from_refusal

    record = wire.decode(Datastore, datastore.record())
    try:
        return reach.file_store(record)
    except ZaffreError as refusal:
        raise from_refusal(refusal) from refusal
