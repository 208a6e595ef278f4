"""Linked services: records of services of another kind. Nothing is reached by them."""

from __future__ import annotations

from zaffre.sdk import argument, link
from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from builtins import list as List
    from typing import Any

    from zaffre.sdk.workspace import Workspace


class LinkedServiceConfiguration:
    """What is to be linked; of its kinds there is one."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Take anything, as v1 did."""


class SynapseWorkspaceLinkedServiceConfiguration(LinkedServiceConfiguration):
    """A Synapse workspace to be linked. Raises UserErrorException for what is no text."""

    def __init__(self, subscription_id: str, resource_group: str, name: str) -> None:
        super().__init__()
        self.subscription_id = argument.text(subscription_id, "subscription_id")
        self.resource_group = argument.text(resource_group, "resource_group")
        self.name = argument.text(name, "name")


class LinkedService:
    """A service of another kind that a workspace is linked with, as it was registered."""

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        type: str,
        linked_service_resource_id: str,
        system_assigned_identity_principal_id: str,
    ) -> None:
        self._workspace = workspace
        self._name = name
        self._type = type
        self._resource_id = linked_service_resource_id
        self._principal_id = system_assigned_identity_principal_id

    @property
    def name(self) -> str:
        """The name that it was registered under."""
        return self._name

    @property
    def type(self) -> str:
        """`Synapse`."""
        return self._type

    @property
    def linked_service_resource_id(self) -> str:
        """What is linked, by v1's id of resources."""
        return self._resource_id

    @property
    def system_assigned_identity_principal_id(self) -> str:
        """An id made when it was registered; nobody is granted anything by it."""
        return self._principal_id

    @staticmethod
    def register(
        workspace: Workspace, name: str, linked_service_config: LinkedServiceConfiguration
    ) -> LinkedService:
        """Record a linked service; one of that name is replaced.

        Raises UserErrorException unless the configuration is that of a Synapse workspace.
        """
        import uuid

        if not isinstance(linked_service_config, SynapseWorkspaceLinkedServiceConfiguration):
            raise UserErrorException(
                "linked_service_config: must be a SynapseWorkspaceLinkedServiceConfiguration, "
                f"not {linked_service_config!r}."
            )
        facts = {
            "type": "Synapse",
            "linked_service_resource_id": (
                f"/subscriptions/{linked_service_config.subscription_id}"
                f"/resourceGroups/{linked_service_config.resource_group}"
                f"/providers/Microsoft.Synapse/workspaces/{linked_service_config.name}"
            ),
            "system_assigned_identity_principal_id": str(uuid.uuid4()),
        }
        return _of_record(workspace, link.put(workspace, link.LINKED_SERVICE, name, facts))

    @staticmethod
    def get(workspace: Workspace, name: str) -> LinkedService:
        """Return a linked service. Raises ServiceException (status_code 404) without one."""
        return _of_record(workspace, link.get(workspace, link.LINKED_SERVICE, name))

    @staticmethod
    def list(workspace: Workspace) -> List[LinkedService]:
        """Return the workspace's linked services by name."""
        found = link.find_all(workspace, link.LINKED_SERVICE)
        return [_of_record(workspace, record) for record in found]

    def unregister(self) -> None:
        """Remove the record; once more is no error."""
        link.remove(self._workspace, link.LINKED_SERVICE, self._name)

    def __repr__(self) -> str:
        return (
            f"LinkedService(workspace={self._workspace!r}, name={self._name}, type={self._type}, "
            f"linked_service_resource_id={self._resource_id}, "
            f"system_assigned_identity_principal_id={self._principal_id})"
        )


def _of_record(workspace: Workspace, record: dict[str, Any]) -> LinkedService:
    return LinkedService(workspace, record["name"], **record["facts"])
