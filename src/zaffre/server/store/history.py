"""SQL of what happened to a run, in order: states and reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from zaffre.contract.reason import Reason
from zaffre.contract.run import RunState
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import run_history

_append = sa.insert(run_history).values(
    position=sa.select(sa.func.coalesce(sa.func.max(run_history.c.position) + 1, 0))
    .where(run_history.c.run_key == sa.bindparam("of_run"))
    .scalar_subquery(),
    **{name: sa.bindparam(name) for name in ("run_key", "at", "state", "attempt", "reason")},
)


@dataclass(frozen=True)
class Happening:
    """One line of a run's history. at: Unix seconds."""

    at: float
    state: RunState
    attempt: int
    reason: Reason | None


def add(
    tx: Transaction, run_key: int, *, at: float, state: str, attempt: int, reason: str | None
) -> None:
    """Append one line. The caller has the run's row locked."""
    values = {"run_key": run_key, "at": at, "state": state, "attempt": attempt, "reason": reason}
    tx.execute(_append, {**values, "of_run": run_key})


def of_run(tx: Transaction, run_key: int) -> list[Happening]:
    """Return a run's history, oldest first."""
    rows: Any = tx.execute(
        sa.select(run_history)
        .where(run_history.c.run_key == run_key)
        .order_by(run_history.c.position)
    )
    return [
        Happening(
            at=row.at,
            state=RunState(row.state),
            attempt=row.attempt,
            reason=(None if row.reason is None else msgspec.json.decode(row.reason, type=Reason)),
        )
        for row in rows
    ]


def last_state_before(tx: Transaction, run_key: int, state: RunState) -> RunState | None:
    """Return the newest state of the run that is not `state`."""
    value = tx.execute(
        sa.select(run_history.c.state)
        .where(run_history.c.run_key == run_key, run_history.c.state != state.value)
        .order_by(run_history.c.position.desc())
        .limit(1)
    ).scalar()
    return None if value is None else RunState(value)
