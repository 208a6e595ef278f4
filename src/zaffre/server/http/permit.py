"""Routes of permits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import post

from zaffre.server.http.request import Request
from zaffre.server.usecases import permit as usecase


@dataclass(frozen=True)
class Paths:
    """Paths of files on this server, such as `/api/v1/runs/ID/files/outputs/a b.txt`."""

    paths: list[str]


@dataclass(frozen=True)
class Addresses:
    """The files' addresses in the same order: path and permit, percent-encoded, without a host."""

    addresses: list[str]


@post("/api/v1/permits", status_code=200, sync_to_thread=True)
def create(data: Paths, request: Request) -> Addresses:
    """Return addresses that read files of runs and models without a token, for an hour."""
    made = usecase.create(
        data.paths, caller=request.caller, store=request.store, now=datetime.now(UTC)
    )
    return Addresses(made)


HANDLERS = [create]
