"""Where an image is pulled from, as environments name it."""

from __future__ import annotations

from zaffre.sdk.section import Section


class RegistryIdentity(Section):
    """The managed identity that may pull from a registry."""

    __slots__ = ("client_id", "resource_id")

    def __init__(self) -> None:
        self.resource_id: str | None = None
        self.client_id: str | None = None


class ContainerRegistry(Section):
    """A container registry and the account that may pull from it."""

    __slots__ = ("address", "password", "registry_identity", "username")
    _order = ("address", "username", "password", "registry_identity")
    _kinds = (("registry_identity", RegistryIdentity),)

    def __init__(self) -> None:
        self.address: str | None = None
        self.username: str | None = None
        self.password: str | None = None
        self.registry_identity: RegistryIdentity | None = None


class AzureContainerRegistry(ContainerRegistry):
    """The old name of `ContainerRegistry`."""

    __slots__ = ()
