"""v1's module of Model."""

from __future__ import annotations

from zaffre.sdk.dataset import Dataset
from zaffre.sdk.model import InferenceConfig, Model, ModelPackage

__all__ = ["Dataset", "InferenceConfig", "Model", "ModelPackage"]
