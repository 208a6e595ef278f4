"""The names of Azure ML SDK v1; what they stand for is in `zaffre.sdk`."""

from __future__ import annotations

from zaffre.sdk.lazy import loader

_SUBMODULES = ("core", "data", "exceptions", "mlflow", "telemetry", "train", "widgets")

__getattr__ = loader(__name__, globals(), {}, _SUBMODULES)
