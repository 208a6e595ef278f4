"""Private endpoints: records of private ways to a workspace. Nothing is routed by them."""

from __future__ import annotations

from zaffre.sdk import argument, link
from zaffre.sdk.exceptions import (
    ServiceException,
    UserErrorException,
    WorkspacePrivateEndpointException,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.workspace import Workspace

_CONNECTIONS = "privateEndpointConnections"


class PrivateEndPointConfig:
    """What a private way to a workspace is to be like.

    vnet_subscription_id, vnet_resource_group: default the workspace's. Raises UserErrorException
    for a name that is no text.
    """

    def __init__(
        self,
        name: str,
        vnet_name: str,
        vnet_subnet_name: str | None = None,
        vnet_subscription_id: str | None = None,
        vnet_resource_group: str | None = None,
    ) -> None:
        self.name = argument.text(name, "name")
        self.vnet_name = argument.text(vnet_name, "vnet_name")
        self.vnet_subnet_name = vnet_subnet_name
        self.vnet_subscription_id = vnet_subscription_id
        self.vnet_resource_group = vnet_resource_group


class PrivateEndPoint:
    """A private way to a workspace, as it was recorded."""

    def __init__(
        self,
        private_endpoint_connection_resource_id: str | None = None,
        private_endpoint_resource_id: str | None = None,
    ) -> None:
        self.private_endpoint_connection_resource_id = private_endpoint_connection_resource_id
        self.private_endpoint_resource_id = private_endpoint_resource_id

    def get_details(self, auth: object = None) -> dict[str, Any]:
        """Return the record. Raises WorkspacePrivateEndpointException if it is gone."""
        workspace, name = self._place()
        try:
            record = link.get(workspace, link.PRIVATE_ENDPOINT, name)
        except ServiceException as refusal:
            raise WorkspacePrivateEndpointException(
                f"Workspace {workspace.name!r} has no private endpoint {name!r}.",
                inner_exception=refusal,
            ) from refusal
        return {
            "id": self.private_endpoint_resource_id,
            "name": name,
            "type": "Microsoft.Network/privateEndpoints",
            "connectionId": self.private_endpoint_connection_resource_id,
            "creationTime": record["created_at"],
            **record["facts"],
        }

    def delete(self, auth: object = None) -> None:
        """Remove the record; once more is no error."""
        workspace, name = self._place()
        link.remove(workspace, link.PRIVATE_ENDPOINT, name)

    def _place(self) -> tuple[Workspace, str]:
        """Return the workspace and the name that the connection's id says."""
        from zaffre.sdk.workspace import Workspace

        scope, found, name = (self.private_endpoint_connection_resource_id or "").rpartition(
            f"/{_CONNECTIONS}/"
        )
        parts = scope.strip("/").split("/")
        if not found or len(parts) != 8:
            raise WorkspacePrivateEndpointException(
                "private_endpoint_connection_resource_id: must be "
                f"'/subscriptions/S/resourceGroups/G/.../workspaces/NAME/{_CONNECTIONS}/NAME', "
                f"not {self.private_endpoint_connection_resource_id!r}."
            )
        return Workspace.get(parts[7], subscription_id=parts[1], resource_group=parts[3]), name


def add(
    workspace: Workspace, config: Any, *, auto_approval: bool, location: str | None, tags: Any
) -> PrivateEndPoint:
    """Record a private endpoint of a workspace; one of that name is replaced."""
    if not isinstance(config, PrivateEndPointConfig):
        raise UserErrorException(
            "private_endpoint_config: must be a PrivateEndPointConfig, "
            f"not {type(config).__name__}."
        )
    from zaffre.sdk import labels

    facts = {
        "vnetName": config.vnet_name,
        "vnetSubnetName": config.vnet_subnet_name or "default",
        "vnetSubscriptionId": config.vnet_subscription_id or workspace.subscription_id,
        "vnetResourceGroup": config.vnet_resource_group or workspace.resource_group,
        "location": argument.optional_text(location, "location") or workspace.location,
        "status": "Approved" if auto_approval else "Pending",
        **{f"tags.{key}": value or "" for key, value in labels.convert(tags or {}, "tag").items()},
    }
    link.put(workspace, link.PRIVATE_ENDPOINT, config.name, facts)
    return _endpoint(workspace, config.name, facts)


def find_all(workspace: Workspace) -> dict[str, PrivateEndPoint]:
    """Return name to private endpoint."""
    found = link.find_all(workspace, link.PRIVATE_ENDPOINT)
    return {one["name"]: _endpoint(workspace, one["name"], one["facts"]) for one in found}


def _endpoint(workspace: Workspace, name: str, facts: dict[str, str]) -> PrivateEndPoint:
    return PrivateEndPoint(
        f"{workspace.scope}/{_CONNECTIONS}/{name}",
        f"/subscriptions/{facts['vnetSubscriptionId']}"
        f"/resourceGroups/{facts['vnetResourceGroup']}"
        f"/providers/Microsoft.Network/privateEndpoints/{name}",
    )
