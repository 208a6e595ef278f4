"""v1's older module of compute targets, with their exception."""

from __future__ import annotations

from zaffre.sdk.compute_target import (
    AbstractComputeTarget,
    ComputeTargetException,
    LocalTarget,
    attach_legacy_compute_target,
    is_compute_target_prepared,
    prepare_compute_target,
    remove_legacy_compute_target,
)

__all__ = [
    "AbstractComputeTarget",
    "ComputeTargetException",
    "LocalTarget",
    "attach_legacy_compute_target",
    "is_compute_target_prepared",
    "prepare_compute_target",
    "remove_legacy_compute_target",
]
