"""Secrets of a workspace."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

#: What a secret's content type is when none was given, as v1 had it.
NO_CONTENT_TYPE = "application/NotProvided"


@dataclass(frozen=True)
class Secret:
    """A secret with its value, which `repr` leaves out. content_type: what the value is."""

    name: str
    value: str = field(repr=False)
    content_type: str = NO_CONTENT_TYPE


@dataclass(frozen=True)
class SecretLine:
    """A secret in a list: without its value. changed_at: when it was last set."""

    name: str
    content_type: str
    changed_at: datetime
