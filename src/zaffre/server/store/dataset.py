"""SQL of datasets: saved definitions, and the versions of names, counted up per name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.dataset import Dataset
from zaffre.contract.errors import NotFound
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import dataset_names, datasets

_decoder = msgspec.json.Decoder(Dataset)


def lock_name(tx: Transaction, workspace_id: str, name: str) -> int:
    """Let this transaction alone count versions of a name; return the highest given so far."""
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(dataset_names).values(workspace_id=workspace_id, name=name, last_version=0)
    return tx.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "name"],
            set_={"last_version": dataset_names.c.last_version},
        ).returning(dataset_names.c.last_version)
    ).scalar_one()


def insert(tx: Transaction, dataset: Dataset) -> None:
    """Store a dataset; a registered one follows its name's last version, which must be locked."""
    if dataset.name is not None:
        tx.execute(
            sa.update(dataset_names)
            .where(
                dataset_names.c.workspace_id == dataset.workspace_id,
                dataset_names.c.name == dataset.name,
            )
            .values(last_version=dataset.version)
        )
    tx.execute(
        sa.insert(datasets).values(
            workspace_id=dataset.workspace_id,
            dataset_id=dataset.dataset_id,
            name=dataset.name,
            version=dataset.version,
            record=_text(dataset),
        )
    )


def find(tx: Transaction, workspace_id: str, dataset_id: str) -> Dataset | None:
    """Return a dataset by its id, or None."""
    row: Any = tx.execute(sa.select(datasets).where(_one(workspace_id, dataset_id))).first()
    return None if row is None else _read(row)


def get_for_change(tx: Transaction, workspace_id: str, dataset_id: str) -> Dataset:
    """Return a dataset that this transaction alone may change. Raises NotFound."""
    query = sa.select(datasets).where(_one(workspace_id, dataset_id)).with_for_update()
    row: Any = tx.execute(query).first()
    if row is None:
        raise NotFound("dataset", dataset_id)
    return _read(row)


def replace_record(tx: Transaction, dataset: Dataset) -> None:
    """Store what was changed of a dataset besides its name and version."""
    tx.execute(
        sa.update(datasets)
        .where(_one(dataset.workspace_id, dataset.dataset_id))
        .values(record=_text(dataset))
    )


def find_named(
    tx: Transaction, workspace_id: str, name: str, version: int | None
) -> Dataset | None:
    """Return a registered version, the highest without `version`, or None."""
    query = sa.select(datasets).where(
        datasets.c.workspace_id == workspace_id, datasets.c.name == name
    )
    if version is not None:
        query = query.where(datasets.c.version == version)
    row: Any = tx.execute(query.order_by(datasets.c.version.desc()).limit(1)).first()
    return None if row is None else _read(row)


def unregister(tx: Transaction, workspace_id: str, name: str) -> int:
    """Take a name from all its versions; return how many. By their ids they stay."""
    return tx.execute(
        sa.update(datasets)
        .where(datasets.c.workspace_id == workspace_id, datasets.c.name == name)
        .values(name=None, version=None)
    ).rowcount


def find_newest(
    tx: Transaction, workspace_id: str, *, limit: int, before: int | None
) -> tuple[list[Dataset], int | None]:
    """Return the newest version of each name, last made first, and the next page's cursor."""
    newest = (
        sa.select(datasets.c.name, sa.func.max(datasets.c.version).label("version"))
        .where(datasets.c.workspace_id == workspace_id, datasets.c.name.is_not(None))
        .group_by(datasets.c.name)
        .subquery()
    )
    query = (
        sa.select(datasets)
        .join(
            newest,
            sa.and_(datasets.c.name == newest.c.name, datasets.c.version == newest.c.version),
        )
        .where(datasets.c.workspace_id == workspace_id)
    )
    if before is not None:
        query = query.where(datasets.c.dataset_key < before)
    rows: Any = list(tx.execute(query.order_by(datasets.c.dataset_key.desc()).limit(limit + 1)))
    page = [_read(row) for row in rows[:limit]]
    return page, rows[limit - 1].dataset_key if len(rows) > limit else None


def _one(workspace_id: str, dataset_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(datasets.c.workspace_id == workspace_id, datasets.c.dataset_id == dataset_id)


def _text(dataset: Dataset) -> str:
    return msgspec.json.encode(dataset).decode()


def _read(row: Any) -> Dataset:
    """Return a row's record; its name and version may have been taken since it was written."""
    return replace(_decoder.decode(row.record), name=row.name, version=row.version)
