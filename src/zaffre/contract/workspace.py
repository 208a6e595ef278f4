"""Workspaces and experiments as the store records them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class View(Enum):
    """Which experiments a list holds, by v1's names."""

    ACTIVE = "ActiveOnly"
    ARCHIVED = "ArchivedOnly"
    ALL = "All"


@dataclass(frozen=True)
class Workspace:
    """The top of everything: experiments, runs and models live in one.

    subscription_id, resource_group and location echo the user's config.json; they choose nothing.
    """

    workspace_id: str
    name: str
    subscription_id: str
    resource_group: str
    location: str
    created_at: datetime
    sku: str = "Basic"
    friendly_name: str | None = None
    description: str | None = None
    tags: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class DeletedWorkspace:
    """A workspace that was deleted. removal_at: until then it can be brought back."""

    workspace: Workspace
    removal_at: datetime


@dataclass(frozen=True)
class WorkspaceRequest:
    """The body of a request that opens or creates a workspace.

    exist_ok: an existing one is returned instead of refused.
    """

    name: str
    subscription_id: str
    resource_group: str
    location: str = "local"
    sku: str = "Basic"
    friendly_name: str | None = None
    description: str | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
    exist_ok: bool = False


@dataclass(frozen=True)
class Experiment:
    """A named series of runs."""

    experiment_id: str
    workspace_id: str
    name: str
    created_at: datetime
    archived_at: datetime | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
