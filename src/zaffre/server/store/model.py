"""Models: their versions, counted up per name, and the searches over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.errors import NotFound
from zaffre.contract.model import Model, model_id
from zaffre.server.store import blob as blobs
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import model_names, models

_decoder = msgspec.json.Decoder(Model)

#: A key, and its value unless any will do.
Label = tuple[str, str | None]


@dataclass(frozen=True)
class Filter:
    """Which models are wanted; everything given must match.

    latest: of the models that match, the highest version of each name.
    """

    workspace_id: str | None = None
    name: str | None = None
    run_id: str | None = None
    framework: str | None = None
    tags: Sequence[Label] = field(default_factory=tuple)
    properties: Sequence[Label] = field(default_factory=tuple)
    latest: bool = False


def find_made(tx: Transaction, idempotency_key: str) -> Model | None:
    """Return the model that a request of this key has made, or None."""
    text = tx.execute(
        sa.select(models.c.record).where(models.c.idempotency_key == idempotency_key)
    ).scalar_one_or_none()
    return _decoder.decode(text) if text is not None else None


def lock_name(tx: Transaction, workspace_id: str, name: str) -> int:
    """Let this transaction alone count versions of a name; return the highest given so far."""
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(model_names).values(workspace_id=workspace_id, name=name, last_version=0)
    return tx.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "name"],
            set_={"last_version": model_names.c.last_version},
        ).returning(model_names.c.last_version)
    ).scalar_one()


def insert(tx: Transaction, model: Model, *, idempotency_key: str) -> None:
    """Store the version that follows the name's last one. The name must be locked."""
    tx.execute(
        sa.update(model_names)
        .where(model_names.c.workspace_id == model.workspace_id, model_names.c.name == model.name)
        .values(last_version=model.version)
    )
    model_key = tx.execute(
        sa.insert(models)
        .values(
            workspace_id=model.workspace_id,
            name=model.name,
            version=model.version,
            created_at=model.created_at.timestamp(),
            idempotency_key=idempotency_key,
            run_id=model.run_id,
            framework=model.framework,
            record=msgspec.json.encode(model).decode(),
        )
        .returning(models.c.model_key)
    ).scalar_one()
    blobs.add_uses(tx, _owner(model.workspace_id, model_key), (f.sha256 for f in model.files))


def get(tx: Transaction, workspace_id: str, name: str, version: int | None) -> Model:
    """Return a version of a model, the highest without `version`. Raises NotFound."""
    query = sa.select(models.c.record).where(
        models.c.workspace_id == workspace_id, models.c.name == name
    )
    if version is None:
        query = query.order_by(models.c.version.desc()).limit(1)
    else:
        query = query.where(models.c.version == version)
    text = tx.execute(query).scalar_one_or_none()
    if text is None:
        raise NotFound("model", name if version is None else model_id(name, version))
    return _decoder.decode(text)


def get_for_change(tx: Transaction, workspace_id: str, name: str, version: int) -> Model:
    """Return a version that this transaction alone may change. Raises NotFound."""
    query = (
        sa.select(models.c.record)
        .where(
            models.c.workspace_id == workspace_id,
            models.c.name == name,
            models.c.version == version,
        )
        .with_for_update()
    )
    text = tx.execute(query).scalar_one_or_none()
    if text is None:
        raise NotFound("model", model_id(name, version))
    return _decoder.decode(text)


def replace(tx: Transaction, model: Model) -> None:
    """Store a changed version; what can be searched by column never changes."""
    tx.execute(
        sa.update(models)
        .where(
            models.c.workspace_id == model.workspace_id,
            models.c.name == model.name,
            models.c.version == model.version,
        )
        .values(record=msgspec.json.encode(model).decode())
    )


def remove(tx: Transaction, workspace_id: str, name: str, version: int) -> None:
    """Remove a version and its hold on its blobs. Raises NotFound."""
    model_key = tx.execute(
        sa.delete(models)
        .where(
            models.c.workspace_id == workspace_id,
            models.c.name == name,
            models.c.version == version,
        )
        .returning(models.c.model_key)
    ).scalar_one_or_none()
    if model_key is None:
        raise NotFound("model", model_id(name, version))
    blobs.remove_uses(tx, _owner(workspace_id, model_key))


def find_page(
    tx: Transaction, wanted: Filter, *, limit: int, before: int | None
) -> tuple[list[Model], int | None]:
    """Return models newest first, and the cursor of the page behind them (None: the last)."""
    matches = _conditions(tx, wanted)
    query = sa.select(models.c.model_key, models.c.record).where(*matches)
    if wanted.latest:
        newest = (
            sa.select(
                models.c.workspace_id, models.c.name, sa.func.max(models.c.version).label("version")
            )
            .where(*matches)
            .group_by(models.c.workspace_id, models.c.name)
            .subquery()
        )
        query = query.join(
            newest,
            sa.and_(
                newest.c.workspace_id == models.c.workspace_id,
                newest.c.name == models.c.name,
                newest.c.version == models.c.version,
            ),
        )
    if before is not None:
        query = query.where(models.c.model_key < before)
    rows = list(tx.execute(query.order_by(models.c.model_key.desc()).limit(limit + 1)))
    page = [_decoder.decode(row.record) for row in rows[:limit]]
    return page, rows[limit - 1].model_key if len(rows) > limit else None


def _conditions(tx: Transaction, wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.workspace_id is not None:
        conditions.append(models.c.workspace_id == wanted.workspace_id)
    if wanted.name is not None:
        conditions.append(models.c.name == wanted.name)
    if wanted.run_id is not None:
        conditions.append(models.c.run_id == wanted.run_id)
    if wanted.framework is not None:
        conditions.append(models.c.framework == wanted.framework)
    has = _has_on_postgresql if tx.connection.dialect.name == "postgresql" else _has_on_sqlite
    conditions += [has("tags", label) for label in wanted.tags]
    conditions += [has("properties", label) for label in wanted.properties]
    return conditions


def _has_on_sqlite(labels: str, label: Label) -> sa.ColumnElement[bool]:
    key, value = label
    each = sa.func.json_each(models.c.record, f"$.{labels}").table_valued("key", "value")
    condition = each.c.key == key
    if value is not None:
        condition = sa.and_(condition, each.c.value == value)
    return sa.exists().select_from(each).where(condition)


def _has_on_postgresql(labels: str, label: Label) -> sa.ColumnElement[bool]:
    key, value = label
    of_record = sa.cast(models.c.record, postgresql.JSONB)[labels]
    if value is None:
        return sa.func.jsonb_exists(of_record, key)
    return sa.func.jsonb_extract_path_text(of_record, key) == value


def _owner(workspace_id: str, model_key: int) -> str:
    return f"{workspace_id}/model/{model_key}"
