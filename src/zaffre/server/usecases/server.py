"""What the server says of itself."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from zaffre.contract.run import RunState
from zaffre.contract.version import ZAFFRE_VERSION
from zaffre.server.store.schema import REVISIONS
from zaffre.server.store.store import Store
from zaffre.server.store.tables import attempts, runs


@dataclass(frozen=True)
class Address:
    """Where one server process listens; the content of its address file."""

    pid: int
    start_time: int
    boot_id: str
    url: str
    socket_path: str
    version: str
    schema: str
    home: str
    started_at: float


@dataclass(frozen=True)
class ServerFacts:
    """What GET /server answers. idle_exit_s: None if the server never ends by itself."""

    version: str
    schema: str
    pid: int
    home: str
    url: str
    socket_path: str
    database: str
    started_at: float
    running_count: int
    queued_count: int
    idle_exit_s: float | None = None


def describe(*, store: Store, address: Address) -> ServerFacts:
    """Return the server's facts. Running are the runs that hold a runner."""
    settings = store.settings
    with store.database.reading() as tx:
        running = tx.execute(
            sa.select(sa.func.count()).select_from(attempts).where(attempts.c.ended_at.is_(None))
        ).scalar_one()
        queued = tx.execute(
            sa.select(sa.func.count())
            .select_from(runs)
            .where(runs.c.state == RunState.QUEUED.value)
        ).scalar_one()
    return ServerFacts(
        version=ZAFFRE_VERSION,
        schema=REVISIONS[-1],
        pid=address.pid,
        home=address.home,
        url=address.url,
        socket_path=address.socket_path,
        database="sqlite" if store.database.is_sqlite else "postgresql",
        started_at=address.started_at,
        running_count=running,
        queued_count=queued,
        idle_exit_s=settings.idle_exit_s if settings.started_by_sdk else None,
    )


def is_busy(*, store: Store) -> bool:
    """Say whether a run is queued or has a runner."""
    with store.database.reading() as tx:
        runner = tx.execute(
            sa.select(attempts.c.run_key).where(attempts.c.ended_at.is_(None)).limit(1)
        ).first()
        queued = tx.execute(
            sa.select(runs.c.run_key).where(runs.c.state == RunState.QUEUED.value).limit(1)
        ).first()
    return runner is not None or queued is not None
