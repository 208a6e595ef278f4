from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk.datastore import Datastore
from zaffre.sdk.exceptions import NotBuiltYetException, UserErrorException
from zaffre.sdk.workspace import Workspace

KEY = "s3cret-key=="
IDENTITY: dict[str, Any] = {"tenant_id": "t", "client_id": "c", "client_secret": KEY}


def blob(ws: Workspace, name: str = "blob_data", **more: Any) -> Any:
    return Datastore.register_azure_blob_container(
        workspace=ws,
        datastore_name=name,
        container_name="data_container",
        account_name="az_store_acct",
        **more,
    )


def test_a_container_is_registered_found_and_forgotten(ws: Workspace) -> None:
    store = blob(ws, account_key=KEY)
    assert type(store).__name__ == "AzureBlobDatastore"
    assert (store.name, store.container_name, store.account_name) == (
        "blob_data",
        "data_container",
        "az_store_acct",
    )
    assert (store.protocol, store.endpoint, store.credential_type, store.is_sas) == (
        "https",
        "core.windows.net",
        "AccountKey",
        False,
    )
    assert list(ws.datastores)[-1] == "blob_data"
    ws.set_default_datastore("blob_data")
    assert ws.get_default_datastore().name == "blob_data"
    store.unregister()
    assert ws.get_default_datastore().name == "workspaceblobstore"
    with pytest.raises(UserErrorException, match="Could not find datastore blob_data"):
        Datastore.get(ws, "blob_data")


def test_a_name_that_is_taken_needs_overwrite(ws: Workspace) -> None:
    blob(ws)
    with pytest.raises(UserErrorException, match="overwrite=True"):
        blob(ws, "BLOB_DATA")
    assert blob(ws, sas_token="?sv=x", overwrite=True).is_sas
    with pytest.raises(UserErrorException, match="datastore_name"):
        blob(ws, "a-b")


def test_a_secret_is_shown_by_its_attribute_alone(ws: Workspace) -> None:
    blob(ws, account_key=KEY)
    store = Datastore.get(ws, "blob_data")
    assert store.account_key == KEY
    assert KEY not in f"{store!r} {store} {ws.datastores} {store.settings}"


REGISTRATIONS: dict[str, Callable[[Workspace], Any]] = {
    "AzureFile": lambda ws: Datastore.register_azure_file_share(
        ws, "x", "share", "account", account_key=KEY
    ),
    "AzureDataLake": lambda ws: Datastore.register_azure_data_lake(ws, "x", "store", **IDENTITY),
    "AzureDataLakeGen2": lambda ws: Datastore.register_azure_data_lake_gen2(
        ws, "x", "files", "account", **IDENTITY
    ),
    "AzureSqlDatabase": lambda ws: Datastore.register_azure_sql_database(
        ws, "x", "server", "db", username="me", password=KEY, skip_validation=True
    ),
    "AzurePostgreSql": lambda ws: Datastore.register_azure_postgre_sql(
        ws, "x", "server", "db", "me", KEY
    ),
    "AzureMySql": lambda ws: Datastore.register_azure_my_sql(ws, "x", "server", "db", "me", KEY),
    "DBFS": lambda ws: Datastore.register_dbfs(ws, "x"),
    "Hdfs": lambda ws: Datastore.register_hdfs(
        ws, "x", "https", "host:1", None, "REALM", "host:2", "me", kerberos_password=KEY
    ),
    "S3": lambda ws: Datastore.register_s3(ws, "x", "bucket", "id", KEY),
    "Sftp": lambda ws: Datastore.register_sftp(ws, "x", "host", "/data", "me", KEY),
    "Http": lambda ws: Datastore.register_http(ws, "x", "https://host/data/"),
}


@pytest.mark.parametrize("kind", REGISTRATIONS)
def test_each_kind_is_registered_as_its_class(ws: Workspace, kind: str) -> None:
    made = REGISTRATIONS[kind](ws)
    found = Datastore.get(ws, "x")
    assert found.datastore_type == kind
    assert type(found) is type(made)
    assert KEY not in repr(found)


def test_a_databases_port_and_host_have_v1s_defaults(ws: Workspace) -> None:
    store = REGISTRATIONS["AzurePostgreSql"](ws)
    assert (store.port_number, store.endpoint) == (5432, "postgres.database.azure.com")
    assert store.user_password == KEY
    with pytest.raises(UserErrorException, match="port_number"):
        Datastore.register_azure_my_sql(ws, "y", "s", "d", "u", "p", port_number=0)


def test_what_belongs_together_is_given_together(ws: Workspace) -> None:
    with pytest.raises(UserErrorException, match="have to be defined together"):
        Datastore.register_azure_data_lake_gen2(ws, "x", "files", "account", tenant_id="t")
    with pytest.raises(UserErrorException, match="have to be defined together"):
        Datastore.register_s3(ws, "x", "bucket", "id")
    with pytest.raises(UserErrorException, match="account_key or sas_token"):
        Datastore.register_azure_file_share(ws, "x", "share", "account")


def test_a_local_folder_is_a_datastore_too(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/a.csv").write_text("a")
    store = Datastore.register_local_folder(ws, "own", str(tmp_path / "own"))
    assert store.download("got", show_progress=False) == 1
    store.upload_files(["got/a.csv"], target_path="new", show_progress=False)
    assert (tmp_path / "own/new/a.csv").read_text() == "a"
    with pytest.raises(UserErrorException, match="must be a folder"):
        Datastore.register_local_folder(ws, "other", str(tmp_path / "absent"))


def test_what_cannot_be_reached_in_this_release_says_so_when_it_is_used(ws: Workspace) -> None:
    with pytest.raises(NotBuiltYetException, match=r"AzureFile \('x'\)"):
        REGISTRATIONS["AzureFile"](ws).download("got")
    with pytest.raises(UserErrorException, match="read-only"):
        Datastore.register_http(ws, "h", "http://127.0.0.1:9/").upload_files([])
