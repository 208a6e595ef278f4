"""v1's module of Experiment."""

from __future__ import annotations

from zaffre.sdk.environment_sections import DEFAULT_GPU_IMAGE
from zaffre.sdk.experiment import Experiment, ViewType

__all__ = ["DEFAULT_GPU_IMAGE", "Experiment", "ViewType"]
