"""Tokens, by their SHA-256."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa

from zaffre.server.access import Caller, hash_token
from zaffre.server.store.database import Transaction
from zaffre.server.store.store import Store
from zaffre.server.store.tables import tokens

#: How long after a run's last report its token is good for repeating that report, seconds.
REPEAT_S = 60.0

_columns = (
    tokens.c.kind,
    tokens.c.name,
    tokens.c.run_id,
    tokens.c.attempt,
    tokens.c.workspace_id,
    tokens.c.expires_at,
)
_by_hash = sa.select(*_columns).where(tokens.c.token_hash == sa.bindparam("token_hash"))
_insert = sa.insert(tokens)
_expire = (
    sa.update(tokens)
    .where(tokens.c.run_id == sa.bindparam("of_run"), tokens.c.expires_at.is_(None))
    .values(expires_at=sa.bindparam("at"))
)


def new_token() -> str:
    """Return a fresh secret: "zf_" and 43 letters, 256 bits."""
    return "zf_" + secrets.token_urlsafe(32)


def find_caller(store: Store, token_hash: str, now: float) -> Caller | None:
    """Return whose token it is; None for one that is not known or has expired."""
    with store.database.reading() as tx:
        row: Any = tx.execute(_by_hash, {"token_hash": token_hash}).first()
    if row is None or (row.expires_at is not None and row.expires_at < now):
        return None
    return Caller(
        kind=row.kind,
        name=row.name,
        token_hash=token_hash,
        run_id=row.run_id,
        attempt=row.attempt,
        workspace_id=row.workspace_id,
        ended=row.expires_at is not None,
    )


def set_owner(tx: Transaction, token: str, name: str, now: float) -> None:
    """Make `token` the only owner's token."""
    tx.execute(sa.delete(tokens).where(tokens.c.kind == "owner"))
    tx.execute(
        sa.insert(tokens),
        {"token_hash": hash_token(token), "kind": "owner", "name": name, "created_at": now},
    )
    tx.notify("tokens")


def add_for_attempt(
    tx: Transaction, token: str, *, run_id: str, attempt: int, workspace_id: str, now: float
) -> None:
    """Store the token of one attempt of a run."""
    tx.execute(
        _insert,
        {
            "token_hash": hash_token(token),
            "kind": "run",
            "name": f"run {run_id}",
            "run_id": run_id,
            "attempt": attempt,
            "workspace_id": workspace_id,
            "created_at": now,
        },
    )


def expire(tx: Transaction, run_id: str, now: float) -> None:
    """Let the run's tokens end; for REPEAT_S its last report may be repeated."""
    tx.execute(_expire, {"of_run": run_id, "at": now + REPEAT_S})
    tx.notify("tokens")


def remove_expired(tx: Transaction, now: float) -> int:
    """Remove what has expired; return how many."""
    return tx.execute(sa.delete(tokens).where(tokens.c.expires_at < now)).rowcount
