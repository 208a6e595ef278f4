"""Linked services, private endpoints and connections: records that the server keeps."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from zaffre.sdk.exceptions import (
    AzureMLException,
    ServiceException,
    UserErrorException,
    WorkspacePrivateEndpointException,
)
from zaffre.sdk.linked_service import (
    LinkedService,
    LinkedServiceConfiguration,
    SynapseWorkspaceLinkedServiceConfiguration,
)
from zaffre.sdk.private_endpoint import PrivateEndPoint, PrivateEndPointConfig
from zaffre.sdk.workspace import Workspace

SYNAPSE = SynapseWorkspaceLinkedServiceConfiguration(
    subscription_id="s", resource_group="g", name="synapse"
)
ENDPOINT = PrivateEndPointConfig(
    name="pe", vnet_name="net", vnet_subnet_name="sub", vnet_subscription_id="s"
)


def test_a_linked_service_is_registered_found_and_unregistered(ws: Workspace) -> None:
    made = LinkedService.register(workspace=ws, name="link", linked_service_config=SYNAPSE)
    found = LinkedService.get(workspace=ws, name="link")
    for one in (made, found, ws.linked_services["link"], LinkedService.list(workspace=ws)[0]):
        assert (one.name, one.type) == ("link", "Synapse")
        assert one.linked_service_resource_id == (
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Synapse/workspaces/synapse"
        )
        assert uuid.UUID(one.system_assigned_identity_principal_id)
    assert repr(found) == (
        f"LinkedService(workspace={ws!r}, name=link, type=Synapse, "
        f"linked_service_resource_id={found.linked_service_resource_id}, "
        f"system_assigned_identity_principal_id={found.system_assigned_identity_principal_id})"
    )
    found.unregister()
    found.unregister()
    assert ws.linked_services == {}
    with pytest.raises(ServiceException, match="no linked service 'link'") as refused:
        LinkedService.get(ws, "link")
    assert refused.value.status_code == 404


def test_a_private_endpoint_is_recorded_shown_and_deleted(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ws.add_private_endpoint(
        private_endpoint_config=ENDPOINT,
        private_endpoint_auto_approval=False,
        location="there",
        show_output=True,
        tags={"k": "v"},
    )
    assert capsys.readouterr().out == "Private endpoint 'pe' is recorded.\n"
    details = ws.private_endpoints["pe"].get_details(auth=None)
    assert details == made.get_details()
    assert details["id"] == made.private_endpoint_resource_id
    assert details["connectionId"] == made.private_endpoint_connection_resource_id
    assert (details["location"], details["status"], details["tags.k"]) == ("there", "Pending", "v")
    assert (details["vnetName"], details["vnetSubnetName"]) == ("net", "sub")
    made.delete(auth=None)
    assert ws.private_endpoints == {}
    with pytest.raises(WorkspacePrivateEndpointException, match="no private endpoint 'pe'"):
        made.get_details()
    ws.add_private_endpoint(ENDPOINT, show_output=False)
    ws.delete_private_endpoint_connection(private_endpoint_connection_name="pe")
    assert ws.private_endpoints == {}
    assert capsys.readouterr().out == ""


def test_a_workspace_is_created_with_its_private_endpoint(home: object) -> None:
    ws = Workspace.create(
        f"ws-{uuid.uuid4().hex[:12]}",
        private_endpoint_config=ENDPOINT,
        private_endpoint_auto_approval=True,
        show_output=False,
    )
    assert ws.private_endpoints["pe"].get_details()["status"] == "Approved"


def test_connections_are_set_listed_and_deleted(ws: Workspace) -> None:
    ws.set_connection(
        name="feed", category="PythonFeed", target="https://feed", authType="PAT", value="s3cret"
    )
    ws.set_connection("git", "Git", "https://git", "PAT", "other")
    assert [one["name"] for one in ws.list_connections()] == ["feed", "git"]
    assert [one["name"] for one in ws.list_connections(category="Git")] == ["git"]
    assert [one["name"] for one in ws.list_connections(target="https://feed")] == ["feed"]
    assert ws.list_connections(category="Git", target="https://feed") == []
    assert "s3cret" not in str(ws.list_connections())
    assert ws.get_connection(name="feed")["properties"] == {
        "category": "PythonFeed",
        "target": "https://feed",
        "authType": "PAT",
        "value": "s3cret",
    }
    ws.delete_connection(name="feed")
    ws.delete_connection("feed")
    with pytest.raises(ServiceException, match="no connection 'feed'"):
        ws.get_connection("feed")


Use = Callable[[Workspace], Any]


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda ws: LinkedService.register(ws, name="a/b", linked_service_config=SYNAPSE), "name"),
        (lambda ws: LinkedService.register(ws, "a", None), "linked_service_config"),
        (lambda ws: LinkedService.register(ws, "a", LinkedServiceConfiguration()), "Synapse"),
        (lambda ws: LinkedService.get(ws, name=""), "name"),
        (lambda _: SynapseWorkspaceLinkedServiceConfiguration(None, "g", "n"), "subscription_id"),
        (lambda _: SynapseWorkspaceLinkedServiceConfiguration("s", "", "n"), "resource_group"),
        (lambda _: SynapseWorkspaceLinkedServiceConfiguration("s", "g", 5), "name"),
        (lambda _: PrivateEndPointConfig(name="", vnet_name="n"), "name"),
        (lambda _: PrivateEndPointConfig(name="p", vnet_name=None), "vnet_name"),
        (lambda ws: ws.add_private_endpoint(private_endpoint_config="x"), "PrivateEndPointConfig"),
        (lambda ws: ws.add_private_endpoint(ENDPOINT, tags="x" * 101), "tags"),
        (lambda ws: ws.delete_private_endpoint_connection("a b"), "name"),
        (lambda ws: ws.set_connection("a b", "c", "t", "PAT", "v"), "name"),
        (lambda ws: ws.set_connection("a", None, "t", "PAT", "v"), "category"),
        (lambda ws: ws.set_connection("a", "c", "", "PAT", "v"), "target"),
        (lambda ws: ws.set_connection("a", "c", "t", 5, "v"), "authType"),
        (lambda ws: ws.set_connection("a", "c", "t", "PAT", None), "value"),
        (lambda ws: ws.get_connection(name=None), "name"),
        (lambda ws: ws.delete_connection(name="/"), "name"),
    ],
)
def test_what_cannot_be_is_a_users_error(ws: Workspace, use: Use, what: str) -> None:
    with pytest.raises(UserErrorException, match=what):
        use(ws)


@pytest.mark.parametrize("resource_id", [None, "", "/subscriptions/s"])
def test_an_endpoint_without_a_connections_id_says_what_is_wanted(resource_id: Any) -> None:
    endpoint = PrivateEndPoint(
        private_endpoint_connection_resource_id=resource_id, private_endpoint_resource_id="x"
    )
    for use in (endpoint.get_details, endpoint.delete):
        with pytest.raises(AzureMLException, match="private_endpoint_connection_resource_id"):
            use()
