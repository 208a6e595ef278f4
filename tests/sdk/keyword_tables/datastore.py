"""Datastores and what refers to their paths."""

from __future__ import annotations

from typing import Any

from tests.sdk.keyword_tables.table import ANY, SET, SURFACE, Bench, Keyword, Table, made

from zaffre.sdk.data_reference import DataPath, DataPathComputeBinding, DataReference
from zaffre.sdk.datastore import Datastore
from zaffre.sdk.datastore_kinds import AzureBlobDatastore, AzureFileDatastore

_WORKSPACE = Keyword(made(lambda bench: bench.ws), None, AttributeError)
_DATASTORE = Keyword(made(lambda bench: bench.ws.get_default_datastore()), ANY)
_TEXT, _ANY = Keyword("x", ""), Keyword("x", ANY)
_FLAG = Keyword(False, ANY)
_PATH = Keyword("a/b", ANY)

#: What is needed, or checked, under a name that several methods have; the rest is taken as it is.
_KNOWN = {
    "workspace": _WORKSPACE,
    "datastore_name": Keyword("x", "a-b"),
    **dict.fromkeys(("container_name", "account_name", "file_share_name", "store_name"), _TEXT),
    **dict.fromkeys(("filesystem", "server_name", "database_name", "namenode_address"), _TEXT),
    **dict.fromkeys(("kerberos_realm", "kerberos_kdc_address", "kerberos_principal"), _TEXT),
    **dict.fromkeys(("overwrite", "create_if_not_exists", "skip_validation"), _FLAG),
    **dict.fromkeys(("grant_workspace_access", "enforce_ssl"), _FLAG),
    "port_number": Keyword(1234, 0),
}
_IDENTITY = ("tenant_id", "client_id", "client_secret")
_TOGETHER = {one: Keyword("x", ANY, needs=_IDENTITY) for one in _IDENTITY}


def _registration(method: str, **special: Keyword) -> dict[str, Keyword]:
    """Return the table of a registration: v1's keywords with what is known of each name."""
    parameters = SURFACE["azureml.core.datastore.Datastore"]["members"][method]["p"]
    names = [name for name, how, *_ in parameters if how not in ("*", "**")]
    return {name: special.get(name) or _KNOWN.get(name, _ANY) for name in names}


def _keyed(keyword: Keyword) -> Keyword:
    return Keyword(keyword.right, keyword.wrong, keyword.raises, needs=("account_key",))


_SHARE = {
    name: _keyed(keyword)
    for name, keyword in _registration("register_azure_file_share").items()
    if name != "sas_token"
}
_SHARE["sas_token"] = _ANY
_HDFS = {
    name: Keyword(keyword.right, keyword.wrong, keyword.raises, needs=("kerberos_password",))
    for name, keyword in _registration(
        "register_hdfs", hdfs_server_certificate=Keyword(None, ANY), protocol=_TEXT
    ).items()
    if name != "kerberos_keytab"
}
_HDFS["kerberos_keytab"] = Keyword(made(lambda bench: str(bench.file())), ANY)

DATASTORE = Table(
    of=Datastore,
    v1="azureml.core.datastore.Datastore",
    owner=lambda bench: bench.ws,
    later=frozenset({"name", "workspace", "set_as_default", "unregister"}),
    methods={
        "__init__": {"workspace": _WORKSPACE, "name": Keyword("workspaceblobstore", "absent")},
        "get": {
            "workspace": _WORKSPACE,
            "datastore_name": Keyword("workspaceblobstore", "absent"),
        },
        "get_default": {"workspace": _WORKSPACE},
        "register_azure_blob_container": _registration("register_azure_blob_container"),
        "register_azure_file_share": _SHARE,
        "register_azure_data_lake": _registration("register_azure_data_lake", **_TOGETHER),
        "register_azure_data_lake_gen2": _registration(
            "register_azure_data_lake_gen2", **_TOGETHER
        ),
        "register_azure_sql_database": _registration(
            "register_azure_sql_database",
            **_TOGETHER,
            username=Keyword("x", ANY, needs=("password",)),
            password=Keyword("x", ANY, needs=("username",)),
        ),
        "register_azure_postgre_sql": _registration(
            "register_azure_postgre_sql", user_id=_TEXT, user_password=_TEXT
        ),
        "register_azure_my_sql": _registration(
            "register_azure_my_sql", user_id=_TEXT, user_password=_TEXT
        ),
        "register_dbfs": _registration("register_dbfs"),
        "register_hdfs": _HDFS,
    },
)

_TRANSFERS: dict[str, dict[str, Keyword]] = {
    "path": {"path": _PATH, "data_reference_name": _ANY},
    "as_mount": {},
    "as_download": {"path_on_compute": _PATH},
    "as_upload": {"path_on_compute": _PATH},
    "upload": {
        "src_dir": Keyword(made(Bench.source), "absent"),
        "target_path": Keyword("a", 5),
        "overwrite": _FLAG,
        "show_progress": _FLAG,
    },
    "upload_files": {
        "files": Keyword(made(lambda bench: [str(bench.file())]), ["absent"]),
        "relative_root": Keyword(made(lambda bench: str(bench.folder)), "source/absent"),
        "target_path": Keyword("a", 5),
        "overwrite": _FLAG,
        "show_progress": _FLAG,
    },
    "download": {
        "target_path": Keyword("got", 5),
        "prefix": Keyword("a", 5),
        "overwrite": _FLAG,
        "show_progress": _FLAG,
    },
    "set_as_default": {},
}


def _storage(of: type, v1: str, name: str, later: frozenset[str]) -> Table:
    shown = ("container_name", "account_name", "protocol", "endpoint", "name", "datastore_type")
    unset = ("account_key", "sas_token", "credential_type", "subscription_id", "resource_group")
    attributes: dict[str, Any] = {
        **dict.fromkeys(shown, str),
        **dict.fromkeys(unset, SET),
        "blob_cache_timeout": SET,
        "is_sas": bool,
        "workspace": object,
    }
    return Table(
        of=of,
        v1=f"azureml.data.azure_storage_datastore.{v1}",
        owner=lambda bench: bench.ws.datastores[name],
        attributes=attributes,
        # A server makes these objects, and a built-in one is never unregistered.
        later=later | {"__init__", "unregister"},
        methods=_TRANSFERS,
    )


BLOB = _storage(
    AzureBlobDatastore,
    "AzureBlobDatastore",
    "workspaceblobstore",
    frozenset({"blob_service", "service_data_access_auth_identity", "workspace_msi_has_access"}),
)
FILE = _storage(
    AzureFileDatastore, "AzureFileDatastore", "workspacefilestore", frozenset({"file_service"})
)

_MODE = Keyword("download", "stream")

REFERENCE = Table(
    of=DataReference,
    v1="azureml.data.data_reference.DataReference",
    owner=lambda bench: bench.ws.get_default_datastore().path("a"),
    attributes=dict.fromkeys(
        (
            "data_reference_name",
            "datastore",
            "mode",
            "overwrite",
            "path_on_compute",
            "path_on_datastore",
        ),
        SET,
    ),
    methods={
        "__init__": {
            "datastore": _DATASTORE,
            "data_reference_name": _ANY,
            "path_on_datastore": _PATH,
            "mode": _MODE,
            "path_on_compute": _PATH,
            "overwrite": _FLAG,
        },
        "path": {"path": _PATH, "data_reference_name": _ANY},
        "as_mount": {},
        "as_download": {"path_on_compute": _PATH, "overwrite": _FLAG},
        "as_upload": {"path_on_compute": _PATH, "overwrite": _FLAG},
        "to_config": {},
        "create": {
            "data_reference_name": Keyword("x", ANY, needs=("datapath",)),
            "datapath": Keyword(
                made(lambda bench: DataPath(bench.ws.get_default_datastore(), "a")), None
            ),
            "datapath_compute_binding": Keyword(DataPathComputeBinding(), ANY, needs=("datapath",)),
        },
    },
)

PATH = Table(
    of=DataPath,
    v1="azureml.data.datapath.DataPath",
    owner=lambda bench: DataPath(bench.ws.get_default_datastore(), "a"),
    attributes={"datastore_name": str, "path_on_datastore": str},
    methods={
        "__init__": {
            "datastore": Keyword(_DATASTORE.right, None, ValueError),
            "path_on_datastore": Keyword("a", ANY, needs=("datastore",)),
            "name": Keyword("x", ANY, needs=("datastore",)),
        },
        "create_data_reference": {
            "data_reference_name": _ANY,
            "datapath_compute_binding": Keyword(DataPathComputeBinding(), ANY),
        },
        "create_from_data_reference": {
            "data_reference": Keyword(
                made(lambda bench: bench.ws.get_default_datastore().path("a")), ANY
            )
        },
    },
)

BINDING = Table(
    of=DataPathComputeBinding,
    v1="azureml.data.datapath.DataPathComputeBinding",
    owner=lambda _: DataPathComputeBinding(),
    methods={
        "__init__": {
            "mode": Keyword("download", ANY),
            "path_on_compute": _PATH,
            "overwrite": _FLAG,
        },
        "create_data_reference": {
            "data_reference_name": Keyword("x", ANY, needs=("datapath",)),
            "datapath": Keyword(
                made(lambda bench: DataPath(bench.ws.get_default_datastore(), "a")), None
            ),
        },
        "create_from_data_reference": {
            "data_reference": Keyword(
                made(lambda bench: bench.ws.get_default_datastore().path("a")), ANY
            )
        },
    },
)

TABLES = [DATASTORE, BLOB, FILE, REFERENCE, PATH, BINDING]
