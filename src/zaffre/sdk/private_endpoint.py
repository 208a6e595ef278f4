"""Private endpoints: their names only; a server of one's own needs none."""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt


class PrivateEndPoint(Unbuilt):
    """A private way to a workspace."""


class PrivateEndPointConfig(Unbuilt):
    """What a private way to a workspace is to be like."""
