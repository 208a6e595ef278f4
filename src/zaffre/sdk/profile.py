"""Measured profiles of models: the name only, until deployment is built."""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt


class ModelProfile(Unbuilt):
    """How much of a machine a model needs."""
