"""Registered models and their versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zaffre.contract.snapshot import FileEntry


@dataclass(frozen=True)
class ModelRequest:
    """The body of a request that registers the next version of a model.

    files: names below the download folder; a folder keeps its own base name on top
    (`fold/a.txt`). folder: whether the model is a folder. idempotency_key: a repeat of the request
    returns the version that the first one made. run_id: the run whose files these are.
    datasets: from what they were used for ('training') to datasets' ids.
    """

    name: str
    idempotency_key: str
    files: tuple[FileEntry, ...]
    folder: bool = False
    tags: dict[str, str | None] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    description: str | None = None
    framework: str | None = None
    framework_version: str | None = None
    run_id: str | None = None
    sample_input_dataset_id: str | None = None
    sample_output_dataset_id: str | None = None
    resource_configuration: dict[str, Any] | None = None
    datasets: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """One version of a model."""

    model_id: str
    workspace_id: str
    name: str
    version: int
    created_at: datetime
    files: tuple[FileEntry, ...]
    folder: bool = False
    tags: dict[str, str | None] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    description: str | None = None
    framework: str | None = None
    framework_version: str | None = None
    run_id: str | None = None
    experiment_name: str | None = None
    created_by: str | None = None
    sample_input_dataset_id: str | None = None
    sample_output_dataset_id: str | None = None
    resource_configuration: dict[str, Any] | None = None
    datasets: dict[str, list[str]] = field(default_factory=dict)


def model_id(name: str, version: int) -> str:
    """Return v1's id of a model version: `NAME:VERSION`."""
    return f"{name}:{version}"
