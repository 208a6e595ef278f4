"""From a datastore's record to its files."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from zaffre.contract.datastore import Datastore, DatastoreKind
from zaffre.contract.errors import NotBuiltYet, ZaffreError
from zaffre.data.errors import DataInvalid
from zaffre.data.stores.file_store import FileStore

_DATABASES = (
    DatastoreKind.AZURE_SQL_DATABASE,
    DatastoreKind.AZURE_POSTGRE_SQL,
    DatastoreKind.AZURE_MY_SQL,
)


class ClientMissing(ZaffreError):
    """What speaks to a kind of datastore is not installed in this interpreter."""

    code = "data.client_missing"
    status = 501

    def __init__(self, name: str, package: str) -> None:
        super().__init__(
            f"Datastore {name!r} needs packages that {sys.executable} lacks: pip install {package}",
            facts={"name": name, "missing": package},
        )


def file_store(datastore: Datastore) -> FileStore:
    """Return the store of a datastore's files; nothing is reached before it is used.

    Raises DataInvalid for a database, ClientMissing, NotBuiltYet for a kind that this release
    cannot reach.
    """
    root = datastore.settings.get("root")
    if isinstance(root, str):
        from zaffre.data.stores.local import LocalStore

        return LocalStore(root)
    if datastore.kind is DatastoreKind.AZURE_BLOB:
        return _azure_blob(datastore)
    if datastore.kind is DatastoreKind.S3:
        return _s3(datastore)
    if datastore.kind is DatastoreKind.HTTP:
        return _http(datastore)
    if datastore.kind in _DATABASES:
        raise DataInvalid(
            f"Datastore {datastore.name!r} is a database, it has no files. Read it by "
            "Dataset.Tabular.from_sql_query."
        )
    raise NotBuiltYet(f"Reaching a datastore of type {datastore.kind.value} ({datastore.name!r})")


def make(datastore: Datastore) -> None:
    """Make the container that a datastore names, unless it is there. Raises as its use would."""
    from zaffre.data.stores.remote import RemoteStore

    store = file_store(datastore)
    if isinstance(store, RemoteStore):
        store.make_root()


def check(datastore: Datastore) -> None:
    """Look once whether a datastore of files can be reached. Raises as its use would."""
    next(iter(file_store(datastore).list("")), None)


def _azure_blob(datastore: Datastore) -> FileStore:
    from zaffre.data.stores.remote import RemoteStore

    adlfs = _client(datastore, "adlfs")
    settings, credentials = datastore.settings, datastore.credentials
    endpoint = str(settings.get("endpoint") or "core.windows.net")
    account = str(settings["account_name"])
    container = str(settings["container_name"])
    if "://" in endpoint:
        address = endpoint.rstrip("/")
    else:
        address = f"{settings.get('protocol') or 'https'}://{account}.blob.{endpoint}"
    parts = [f"BlobEndpoint={address}", f"AccountName={account}"]
    if credentials.get("sas_token"):
        parts.append(f"SharedAccessSignature={credentials['sas_token'].lstrip('?')}")
    elif credentials.get("account_key"):
        parts.append(f"AccountKey={credentials['account_key']}")
    text = ";".join(parts)
    return RemoteStore(
        lambda: adlfs.AzureBlobFileSystem(connection_string=text, skip_instance_cache=True),
        container,
        name=datastore.name,
        address=f"{address}/{container}",
        secrets=tuple(credentials.values()),
        put_options={"overwrite": True},
    )


def _s3(datastore: Datastore) -> FileStore:
    from zaffre.data.stores.remote import RemoteStore

    s3fs = _client(datastore, "s3fs")
    settings, credentials = datastore.settings, datastore.credentials
    region = settings.get("region")
    options: dict[str, Any] = {
        "key": settings.get("access_key_id"),
        "secret": credentials.get("secret_access_key"),
        "endpoint_url": settings.get("endpoint"),
        "anon": not settings.get("access_key_id"),
        "client_kwargs": {"region_name": region} if region else {},
    }
    bucket = str(settings["bucket_name"])
    return RemoteStore(
        lambda: s3fs.S3FileSystem(**options, skip_instance_cache=True),
        bucket,
        name=datastore.name,
        address=f"{settings.get('endpoint') or 'https://s3.amazonaws.com'}/{bucket}",
        secrets=tuple(credentials.values()),
    )


def _http(datastore: Datastore) -> FileStore:
    from zaffre.data.stores.remote import RemoteStore

    http = _client(datastore, "fsspec.implementations.http", "fsspec aiohttp")
    url = str(datastore.settings["url"])
    return RemoteStore(
        lambda: http.HTTPFileSystem(skip_instance_cache=True),
        url,
        name=datastore.name,
        address=url,
    )


def _client(datastore: Datastore, module: str, packages: str | None = None) -> Any:
    try:
        return import_module(module)
    except ImportError as problem:
        raise ClientMissing(datastore.name, packages or module) from problem
