"""v1's module of LinkedService."""

from __future__ import annotations

from zaffre.sdk.linked_service import (
    LinkedService,
    LinkedServiceConfiguration,
    SynapseWorkspaceLinkedServiceConfiguration,
)

__all__ = [
    "LinkedService",
    "LinkedServiceConfiguration",
    "SynapseWorkspaceLinkedServiceConfiguration",
]
