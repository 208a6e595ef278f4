"""Workspace."""

from __future__ import annotations

import uuid
from pathlib import Path

from tests.sdk.keyword_tables.table import ANY, Bench, Keyword, Table, made

from zaffre.sdk.exceptions import WorkspaceException
from zaffre.sdk.private_endpoint import PrivateEndPointConfig
from zaffre.sdk.workspace import Workspace

_AUTH = Keyword(None, ANY)
_TEXT = Keyword("text", 5)
_NAME = Keyword("a-name", "a b")
_TAGS = Keyword({"k": 1}, 5)
_ENDPOINT = PrivateEndPointConfig("pe", "net")
_NEW_NAME = made(lambda _: f"ws-{uuid.uuid4().hex[:12]}")


def _other_config(bench: Bench) -> str:
    Path("other.json").write_text(Path(bench.config()).read_text())
    return "other.json"


_OWN = {
    "subscription_id": Keyword(made(lambda bench: bench.ws.subscription_id), None),
    "resource_group": Keyword(made(lambda bench: bench.ws.resource_group), ""),
    "workspace_name": Keyword(made(lambda bench: bench.ws.name), "absent", WorkspaceException),
}

TABLES = [
    Table(
        of=Workspace,
        v1="azureml.core.workspace.Workspace",
        owner=lambda bench: bench.ws,
        later=frozenset(
            {
                "get_mlflow_tracking_uri",
                "environments",
                "service_context",
            }
        ),
        attributes={
            **dict.fromkeys(("name", "subscription_id", "resource_group", "location", "sku"), str),
            "discovery_url": str,
            "tags": dict,
            **dict.fromkeys(("compute_targets", "datasets", "experiments", "images"), dict),
            **dict.fromkeys(("models", "webservices", "linked_services"), dict),
            "private_endpoints": dict,
            "datastores": dict,
        },
        methods={
            "__init__": {
                **_OWN,
                "auth": _AUTH,
                "_location": Keyword("here", ANY),
                "_disable_service_check": Keyword(True, ANY),
                "_workspace_id": Keyword(made(lambda bench: bench.ws.workspace_id), ANY),
                "sku": Keyword("basic", ANY),
                "tags": Keyword({"k": "v"}, ANY),
                "_cloud": Keyword("AzureCloud", ANY),
            },
            "from_config": {
                "path": Keyword(made(lambda bench: bench.config()), "/absent"),
                "auth": Keyword(None, ANY, needs=("path",)),
                "_logger": Keyword(None, ANY, needs=("path",)),
                "_file_name": Keyword(made(_other_config), "absent.json"),
            },
            "create": {
                "name": Keyword(_NEW_NAME, "a b"),
                "auth": _AUTH,
                "subscription_id": _TEXT,
                "resource_group": _TEXT,
                "location": _TEXT,
                "create_resource_group": Keyword(False, ANY),
                "sku": Keyword("enterprise", 5),
                "tags": _TAGS,
                "friendly_name": _TEXT,
                "storage_account": Keyword("s", ANY),
                "key_vault": Keyword("k", ANY),
                "app_insights": Keyword("a", ANY),
                "container_registry": Keyword("c", ANY),
                "adb_workspace": Keyword("a", ANY),
                "primary_user_assigned_identity": Keyword("i", ANY),
                "cmk_keyvault": Keyword("k", ANY),
                "resource_cmk_uri": Keyword("u", ANY),
                "hbi_workspace": Keyword(True, ANY),
                "default_cpu_compute_target": Keyword(None, ANY),
                "default_gpu_compute_target": Keyword(None, ANY),
                "private_endpoint_config": Keyword(_ENDPOINT, "x"),
                "private_endpoint_auto_approval": Keyword(False, ANY),
                "exist_ok": Keyword(True, ANY),
                "show_output": Keyword(False, ANY),
                "user_assigned_identity_for_cmk_encryption": Keyword("i", ANY),
                "system_datastores_auth_mode": Keyword("identity", ANY),
                "v1_legacy_mode": Keyword(True, ANY),
            },
            "get": {
                "name": Keyword(made(lambda bench: bench.ws.name), "absent", WorkspaceException),
                "auth": _AUTH,
                "subscription_id": Keyword(
                    made(lambda bench: bench.ws.subscription_id), "absent", WorkspaceException
                ),
                "resource_group": Keyword(
                    made(lambda bench: bench.ws.resource_group), "absent", WorkspaceException
                ),
                "location": Keyword("here", ANY),
                "cloud": Keyword("AzureCloud", ANY),
                "id": Keyword(
                    made(lambda bench: bench.ws.workspace_id), "absent", WorkspaceException
                ),
            },
            "list": {
                "subscription_id": Keyword("absent", None),
                "auth": _AUTH,
                "resource_group": Keyword("absent", 5),
            },
            "setup": {},
            "write_config": {
                "path": Keyword(made(lambda bench: str(bench.folder)), "/absent"),
                "file_name": Keyword("other.json", "a/b.json"),
            },
            "get_details": {},
            "update": {
                "friendly_name": _TEXT,
                "description": _TEXT,
                "tags": _TAGS,
                "image_build_compute": Keyword("c", ANY),
                "service_managed_resources_settings": Keyword("s", ANY),
                "primary_user_assigned_identity": Keyword("i", ANY),
                "allow_public_access_when_behind_vnet": Keyword(True, ANY),
                "v1_legacy_mode": Keyword(True, ANY),
            },
            "update_dependencies": {
                "container_registry": Keyword("c", ANY),
                "force": Keyword(True, ANY),
            },
            "delete": {
                "delete_dependent_resources": Keyword(True, ANY),
                "no_wait": Keyword(True, ANY),
            },
            "sync_keys": {"no_wait": Keyword(True, ANY)},
            "list_keys": {},
            "diagnose_workspace": {"diagnose_parameters": Keyword({}, 5)},
            "get_default_compute_target": {"type": Keyword("CPU", "TPU")},
            "get_default_keyvault": {},
            "get_default_datastore": {},
            "set_default_datastore": {"name": Keyword("workspacefilestore", 5)},
            "get_run": {"run_id": Keyword(made(lambda bench: bench.run.id), 5)},
            "add_private_endpoint": {
                "private_endpoint_config": Keyword(_ENDPOINT, None),
                "private_endpoint_auto_approval": Keyword(False, ANY),
                "location": Keyword("here", 5),
                "show_output": Keyword(False, ANY),
                "tags": _TAGS,
            },
            "delete_private_endpoint_connection": {"private_endpoint_connection_name": _NAME},
            "set_connection": {
                "name": _NAME,
                "category": _TEXT,
                "target": _TEXT,
                "authType": _TEXT,
                "value": _TEXT,
            },
            "list_connections": {"category": _TEXT, "target": _TEXT},
            "get_connection": {"name": Keyword(made(lambda bench: _connection(bench.ws)), "a b")},
            "delete_connection": {"name": _NAME},
        },
    )
]


def _connection(ws: Workspace) -> str:
    ws.set_connection("feed", "c", "t", "PAT", "v")
    return "feed"
