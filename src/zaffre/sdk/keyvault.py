"""The workspace's secrets: the name only, until they are built."""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt


class Keyvault(Unbuilt):
    """The secrets of a workspace."""
