"""Links: what a workspace says of other services. They are records; nothing is reached by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class LinkKind(Enum):
    """What a link is in v1: a LinkedService, a PrivateEndPoint, a connection of the workspace."""

    LINKED_SERVICE = "linked_service"
    PRIVATE_ENDPOINT = "private_endpoint"
    CONNECTION = "connection"


@dataclass(frozen=True)
class Link:
    """A link. facts: what v1's object of that kind holds, by its names.

    secret: a connection's credential, in answers about one link only; `repr` leaves it out.
    """

    kind: LinkKind
    name: str
    created_at: datetime
    facts: dict[str, str]
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class LinkRequest:
    """The body of a request that sets a link."""

    facts: dict[str, str]
    secret: str | None = field(default=None, repr=False)
