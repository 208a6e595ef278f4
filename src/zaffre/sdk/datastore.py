"""Datastores: finding and registering them."""

from __future__ import annotations

from zaffre.sdk import argument, datastore_kinds, datastore_registration, session
from zaffre.sdk.datastore_kinds import AbstractDatastore, file_store
from zaffre.sdk.exceptions import UserErrorException

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

    @staticmethod
    def get(workspace: Workspace, datastore_name: str) -> Any:
        """Return a datastore by name, upper and lower case alike.

        Raises UserErrorException if there is none.
        """
        return _of(workspace, _request(workspace, "GET", f"datastores/{_name(datastore_name)}"))

    @staticmethod
    def get_default(workspace: Workspace) -> Any:
        """Return the workspace's default datastore: workspaceblobstore until one is chosen."""
        return _of(workspace, _request(workspace, "GET", "default_datastore"))

    @staticmethod
    def register_azure_blob_container(
        workspace: Workspace,
        datastore_name: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
        blob_cache_timeout: int | None = None,
        grant_workspace_access: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
    ) -> Any:
        """Register a container of blobs.

        endpoint: what follows the account's name in its host, `core.windows.net` without; or the
        whole address of an account, `http://127.0.0.1:10000/devstoreaccount1`. Without a
        credential it is read as a public one. create_if_not_exists: make the container now. Else
        nothing is reached before the first use, from whichever machine that is, so
        skip_validation and grant_workspace_access change nothing.
        """
        return datastore_registration.storage(
            workspace,
            datastore_name,
            "AzureBlob",
            {
                "container_name": container_name,
                "account_name": account_name,
                "blob_cache_timeout": blob_cache_timeout,
                "subscription_id": subscription_id,
                "resource_group": resource_group,
            },
            protocol=protocol,
            endpoint=endpoint,
            account_key=account_key,
            sas_token=sas_token,
            overwrite=overwrite,
            create=create_if_not_exists,
        )

    @staticmethod
    def register_azure_file_share(
        workspace: Workspace,
        datastore_name: str,
        file_share_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
    ) -> Any:
        """Register a file share; a key or a SAS is needed."""
        if not account_key and not sas_token:
            raise UserErrorException(
                "Either account_key or sas_token must be given for a file share."
            )
        return datastore_registration.storage(
            workspace,
            datastore_name,
            "AzureFile",
            {"container_name": file_share_name, "account_name": account_name},
            protocol=protocol,
            endpoint=endpoint,
            account_key=account_key,
            sas_token=sas_token,
            overwrite=overwrite,
            create=False,
        )

    @staticmethod
    def register_azure_data_lake(
        workspace: Workspace,
        datastore_name: str,
        store_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        overwrite: bool = False,
        grant_workspace_access: bool = False,
    ) -> Any:
        """Register a data lake of the first generation."""
        datastore_registration.check_identity(tenant_id, client_id, client_secret)
        settings = {
            "store_name": argument.text(store_name, "store_name"),
            "tenant_id": tenant_id,
            "client_id": client_id,
            "resource_url": resource_url,
            "authority_url": authority_url,
            "subscription_id": subscription_id,
            "resource_group": resource_group,
        }
        secrets = {"client_secret": client_secret}
        return datastore_registration.put(
            workspace, datastore_name, "AzureDataLake", settings, secrets, overwrite=overwrite
        )

    @staticmethod
    def register_azure_data_lake_gen2(
        workspace: Workspace,
        datastore_name: str,
        filesystem: str,
        account_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        grant_workspace_access: bool = False,
    ) -> Any:
        """Register a file system of a data lake of the second generation."""
        datastore_registration.check_identity(tenant_id, client_id, client_secret)
        settings = {
            "container_name": argument.text(filesystem, "filesystem"),
            "account_name": argument.text(account_name, "account_name"),
            "tenant_id": tenant_id,
            "client_id": client_id,
            "resource_url": resource_url,
            "authority_url": authority_url,
            "protocol": protocol or "https",
            "endpoint": endpoint or "core.windows.net",
            "subscription_id": subscription_id,
            "resource_group": resource_group,
        }
        secrets = {"client_secret": client_secret}
        return datastore_registration.put(
            workspace, datastore_name, "AzureDataLakeGen2", settings, secrets, overwrite=overwrite
        )

    @staticmethod
    def register_azure_sql_database(
        workspace: Workspace,
        datastore_name: str,
        server_name: str,
        database_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        username: str | None = None,
        password: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        grant_workspace_access: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Register a database of SQL Server. server_name: the host's part before `endpoint`."""
        if username or password:
            if not (username and password):
                raise UserErrorException("username and password have to be defined together.")
        else:
            datastore_registration.check_identity(tenant_id, client_id, client_secret)
        auth_type = "SqlAuthentication" if username else "ServicePrincipal" if client_id else None
        settings = {
            "server_name": argument.text(server_name, "server_name"),
            "database_name": argument.text(database_name, "database_name"),
            "tenant_id": tenant_id,
            "client_id": client_id,
            "resource_url": resource_url,
            "authority_url": authority_url,
            "endpoint": endpoint or "database.windows.net",
            "username": username,
            "auth_type": auth_type,
        }
        secrets = {"client_secret": client_secret, "password": password}
        return datastore_registration.put(
            workspace, datastore_name, "AzureSqlDatabase", settings, secrets, overwrite=overwrite
        )

    @staticmethod
    def register_azure_postgre_sql(
        workspace: Workspace,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: int | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        enforce_ssl: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Register a database of PostgreSQL. server_name: the host's part before `endpoint`."""
        settings = {
            "server_name": argument.text(server_name, "server_name"),
            "database_name": argument.text(database_name, "database_name"),
            "user_id": argument.text(user_id, "user_id"),
            "port_number": datastore_registration.port(port_number, 5432),
            "endpoint": endpoint or "postgres.database.azure.com",
            "enforce_ssl": enforce_ssl,
        }
        secrets = {"user_password": argument.text(user_password, "user_password")}
        return datastore_registration.put(
            workspace, datastore_name, "AzurePostgreSql", settings, secrets, overwrite=overwrite
        )

    @staticmethod
    def register_azure_my_sql(
        workspace: Workspace,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: int | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Register a database of MySQL. server_name: the host's part before `endpoint`."""
        settings = {
            "server_name": argument.text(server_name, "server_name"),
            "database_name": argument.text(database_name, "database_name"),
            "user_id": argument.text(user_id, "user_id"),
            "port_number": datastore_registration.port(port_number, 3306),
            "endpoint": endpoint or "mysql.database.azure.com",
        }
        secrets = {"user_password": argument.text(user_password, "user_password")}
        return datastore_registration.put(
            workspace, datastore_name, "AzureMySql", settings, secrets, overwrite=overwrite
        )

    @staticmethod
    def register_dbfs(workspace: Workspace, datastore_name: str) -> Any:
        """Register the file system of Databricks, which only steps that run there can use."""
        return datastore_registration.put(workspace, datastore_name, "DBFS", {}, {})

    @staticmethod
    def register_hdfs(
        workspace: Workspace,
        datastore_name: str,
        protocol: str,
        namenode_address: str,
        hdfs_server_certificate: str | None,
        kerberos_realm: str,
        kerberos_kdc_address: str,
        kerberos_principal: str,
        kerberos_keytab: str | None = None,
        kerberos_password: str | None = None,
        overwrite: bool = False,
    ) -> Any:
        """Register a cluster of Hadoop.

        hdfs_server_certificate, kerberos_keytab: paths of files, whose content is kept. One of
        kerberos_keytab and kerberos_password is needed.
        """
        if bool(kerberos_keytab) == bool(kerberos_password):
            raise UserErrorException("Give one of kerberos_keytab and kerberos_password.")
        settings = {
            "protocol": argument.text(protocol, "protocol"),
            "namenode_address": argument.text(namenode_address, "namenode_address"),
            "kerberos_realm": argument.text(kerberos_realm, "kerberos_realm"),
            "kerberos_kdc_address": argument.text(kerberos_kdc_address, "kerberos_kdc_address"),
            "kerberos_principal": argument.text(kerberos_principal, "kerberos_principal"),
            "credential_type": "KerberosKeytab" if kerberos_keytab else "KerberosPassword",
        }
        secrets = {
            "hdfs_server_certificate_data": datastore_registration.content(hdfs_server_certificate),
            "credential_value": kerberos_password
            or datastore_registration.content(kerberos_keytab),
        }
        return datastore_registration.put(
            workspace, datastore_name, "Hdfs", settings, secrets, overwrite=overwrite
        )

    # Beyond v1.

    @staticmethod
    def register_local_folder(
        workspace: Workspace, datastore_name: str, path: str, overwrite: bool = False
    ) -> Any:
        """Register a folder of this machine (not a name of v1's)."""
        import os

        folder = os.path.abspath(argument.path(path, "path"))
        if not os.path.isdir(folder):
            raise UserErrorException(f"path: '{folder}' must be a folder that is there.")
        return datastore_registration.put(
            workspace, datastore_name, "LocalFolder", {"root": folder}, {}, overwrite=overwrite
        )

    @staticmethod
    def register_s3(
        workspace: Workspace,
        datastore_name: str,
        bucket_name: str,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        endpoint: str | None = None,
        region: str | None = None,
        overwrite: bool = False,
    ) -> Any:
        """Register a bucket of S3 or of a compatible server (not a name of v1's).

        endpoint: such a server's address, `http://127.0.0.1:9000`. Without keys it is read as a
        public one.
        """
        if bool(access_key_id) != bool(secret_access_key):
            raise UserErrorException(
                "access_key_id and secret_access_key have to be defined together."
            )
        settings = {
            "bucket_name": argument.text(bucket_name, "bucket_name"),
            "access_key_id": access_key_id,
            "endpoint": endpoint,
            "region": region,
        }
        secrets = {"secret_access_key": secret_access_key}
        return datastore_registration.put(
            workspace, datastore_name, "S3", settings, secrets, overwrite=overwrite
        )

    @staticmethod
    def register_sftp(
        workspace: Workspace,
        datastore_name: str,
        host: str,
        path: str = ".",
        username: str | None = None,
        password: str | None = None,
        port: int = 22,
        overwrite: bool = False,
    ) -> Any:
        """Register a folder of a machine that is reached by SSH (not a name of v1's).

        Without a password, the keys of whoever reads it are tried.
        """
        settings = {
            "host": argument.text(host, "host"),
            "path_on_host": argument.text(path, "path"),
            "username": username,
            "port": datastore_registration.port(port, 22),
        }
        return datastore_registration.put(
            workspace, datastore_name, "Sftp", settings, {"password": password}, overwrite=overwrite
        )

    @staticmethod
    def register_http(
        workspace: Workspace, datastore_name: str, url: str, overwrite: bool = False
    ) -> Any:
        """Register what is below a web address, for reading (not a name of v1's)."""
        address = argument.text(url, "url")
        if not address.lower().startswith(("http://", "https://")):
            raise UserErrorException(f"url: must begin with http:// or https://, not {url!r}.")
        settings = {"url": address, "read_only": True}
        return datastore_registration.put(
            workspace, datastore_name, "Http", settings, {}, overwrite=overwrite
        )


def find_all(workspace: Workspace) -> dict[str, Any]:
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

    try:
        return names.datastore_name(value)
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem


def _request(workspace: Workspace, method: str, path: str, json: object = None) -> Any:
    return session.current().request(
        method, f"/workspaces/{workspace.workspace_id}/{path}", json=json
    )
