"""Key vault, linked services, private endpoints."""

from __future__ import annotations

from tests.sdk.keyword_tables.table import ANY, SET, Keyword, Table, made

from zaffre.sdk.keyvault import Keyvault
from zaffre.sdk.linked_service import LinkedService, SynapseWorkspaceLinkedServiceConfiguration
from zaffre.sdk.private_endpoint import PrivateEndPoint, PrivateEndPointConfig
from zaffre.sdk.workspace import Workspace

_WORKSPACE = Keyword(made(lambda bench: bench.ws), None)
_NAME = Keyword("a-name", "a b")

KEYVAULT = Table(
    of=Keyvault,
    v1="azureml.core.keyvault.Keyvault",
    owner=lambda bench: bench.vault,
    attributes={"workspace": Workspace},
    methods={
        "__init__": {"workspace": _WORKSPACE},
        "set_secret": {
            "name": _NAME,
            "value": Keyword("x", 5),
            "content_type": Keyword("text/plain", 5),
        },
        "set_secrets": {"secrets_batch": Keyword({"a": "1"}, ["a"])},
        "get_secret": {"name": _NAME},
        "get_secrets": {"secrets": Keyword(["a"], "a")},
        "get_secret_content_type": {"name": _NAME},
        "delete_secret": {"name": _NAME},
        "delete_secrets": {"secrets": Keyword(["a"], "a")},
        "list_secrets": {},
    },
)

_SYNAPSE = SynapseWorkspaceLinkedServiceConfiguration("s", "g", "n")

LINKED_SERVICE = Table(
    of=LinkedService,
    v1="azureml.core.linked_service.LinkedService",
    owner=lambda bench: LinkedService.register(bench.ws, "a-name", _SYNAPSE),
    attributes={
        **dict.fromkeys(("name", "type", "linked_service_resource_id"), str),
        "system_assigned_identity_principal_id": str,
    },
    methods={
        "__init__": {
            "workspace": Keyword(made(lambda bench: bench.ws), ANY),
            "name": Keyword("n", ANY),
            "type": Keyword("Synapse", ANY),
            "linked_service_resource_id": Keyword("/id", ANY),
            "system_assigned_identity_principal_id": Keyword("id", ANY),
        },
        "register": {
            "workspace": Keyword(made(lambda bench: bench.ws), None, AttributeError),
            "name": _NAME,
            "linked_service_config": Keyword(_SYNAPSE, "x"),
        },
        "get": {
            "workspace": Keyword(made(lambda bench: bench.ws), None, AttributeError),
            "name": Keyword(
                made(lambda bench: LinkedService.register(bench.ws, "n", _SYNAPSE).name), "a b"
            ),
        },
        "list": {"workspace": Keyword(made(lambda bench: bench.ws), None, AttributeError)},
        "unregister": {},
    },
)

SYNAPSE = Table(
    of=SynapseWorkspaceLinkedServiceConfiguration,
    v1="azureml.core.linked_service.SynapseWorkspaceLinkedServiceConfiguration",
    owner=lambda _: _SYNAPSE,
    attributes=dict.fromkeys(("subscription_id", "resource_group", "name"), str),
    methods={
        "__init__": {
            "subscription_id": Keyword("s", None),
            "resource_group": Keyword("g", 5),
            "name": Keyword("n", ""),
        }
    },
)

_ENDPOINT_CONFIG = PrivateEndPointConfig("pe", "net")

ENDPOINT = Table(
    of=PrivateEndPoint,
    v1="azureml.core.private_endpoint.PrivateEndPoint",
    owner=lambda bench: bench.ws.add_private_endpoint(_ENDPOINT_CONFIG),
    attributes={
        "private_endpoint_connection_resource_id": str,
        "private_endpoint_resource_id": str,
    },
    methods={
        "__init__": {
            "private_endpoint_connection_resource_id": Keyword("/id", ANY),
            "private_endpoint_resource_id": Keyword("/id", ANY),
        },
        "get_details": {"auth": Keyword(None, ANY)},
        "delete": {"auth": Keyword(None, ANY)},
    },
)

ENDPOINT_CONFIG = Table(
    of=PrivateEndPointConfig,
    v1="azureml.core.private_endpoint.PrivateEndPointConfig",
    owner=lambda _: PrivateEndPointConfig("pe", "net"),
    attributes=dict.fromkeys(
        (
            "name",
            "vnet_name",
            "vnet_subnet_name",
            "vnet_subscription_id",
            "vnet_resource_group",
        ),
        SET,
    ),
    methods={
        "__init__": {
            "name": Keyword("pe", ""),
            "vnet_name": Keyword("net", None),
            "vnet_subnet_name": Keyword("sub", ANY),
            "vnet_subscription_id": Keyword("s", ANY),
            "vnet_resource_group": Keyword("g", ANY),
        }
    },
)

TABLES = [KEYVAULT, LINKED_SERVICE, SYNAPSE, ENDPOINT, ENDPOINT_CONFIG]
