"""SQL of links. Credentials come sealed and go sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.errors import NotFound
from zaffre.contract.link import Link, LinkKind
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import links

_facts = msgspec.json.Decoder(dict[str, str])


def put(tx: Transaction, workspace_id: str, link: Link, sealed: bytes | None) -> None:
    """Store a link; one of that kind and name is replaced."""
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    values = {
        "created_at": link.created_at.timestamp(),
        "facts": msgspec.json.encode(link.facts).decode(),
        "sealed": sealed,
    }
    tx.execute(
        insert(links)
        .values(workspace_id=workspace_id, kind=link.kind.value, name=link.name, **values)
        .on_conflict_do_update(index_elements=["workspace_id", "kind", "name"], set_=values)
    )


def find_all(tx: Transaction, workspace_id: str, kind: LinkKind) -> list[Link]:
    """Return a workspace's links of a kind by name, without credentials."""
    rows = tx.execute(
        sa.select(links)
        .where(links.c.workspace_id == workspace_id, links.c.kind == kind.value)
        .order_by(links.c.name)
    )
    return [_read(row) for row in rows]


def get(tx: Transaction, workspace_id: str, kind: LinkKind, name: str) -> tuple[Link, bytes | None]:
    """Return a link and its sealed credential, if it has one. Raises NotFound."""
    row: Any = tx.execute(sa.select(links).where(_one(workspace_id, kind, name))).first()
    if row is None:
        raise NotFound(kind.value, name)
    return _read(row), row.sealed


def remove(tx: Transaction, workspace_id: str, kind: LinkKind, name: str) -> bool:
    """Remove a link; say whether it was there."""
    return tx.execute(sa.delete(links).where(_one(workspace_id, kind, name))).rowcount > 0


def _one(workspace_id: str, kind: LinkKind, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        links.c.workspace_id == workspace_id, links.c.kind == kind.value, links.c.name == name
    )


def _read(row: Any) -> Link:
    return Link(
        LinkKind(row.kind),
        row.name,
        datetime.fromtimestamp(row.created_at, UTC),
        _facts.decode(row.facts),
    )
