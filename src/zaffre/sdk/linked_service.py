"""Linked services: their names only."""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt, method


class LinkedService(Unbuilt):
    """A service of another kind that a workspace is linked with."""

    get = method("LinkedService.get")
    list = method("LinkedService.list")
    register = method("LinkedService.register")


class LinkedServiceConfiguration(Unbuilt):
    """What is to be linked."""


class SynapseWorkspaceLinkedServiceConfiguration(LinkedServiceConfiguration):
    """A Synapse workspace to be linked."""
