"""SQL of tables of runs: a few fields of all that match, as JSON without an object a cell.

The driver's own rows are encoded as they come, some thousands a piece: 10,000 runs with a metric
and a parameter cost little more than the statement.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import sqlalchemy as sa

from zaffre.contract.search import Field, Query
from zaffre.server.store.database import Prepared, Transaction
from zaffre.server.store.run import Filter
from zaffre.server.store.run_list import Shape, filters, shape_and_values
from zaffre.server.store.run_search import Builder, column_of, keys_of
from zaffre.server.store.tables import runs

_PIECE_ROWS = 5_000
_encode = msgspec.json.Encoder().encode


def find(
    tx: Transaction,
    wanted: Filter,
    query: Query,
    columns: Sequence[Field],
    *,
    limit: int,
    now: float,
) -> list[bytes]:
    """Return a JSON array of the columns' values a run, joined by commas, in pieces.

    Newest first, or as `query` orders; at most `limit` runs. Times are Unix seconds.
    """
    is_sqlite = tx.connection.dialect.name == "sqlite"
    shape, values = shape_and_values(wanted, query.where, now=now, is_sqlite=is_sqlite)
    shape = replace(shape, keys=keys_of(query.orders))
    cursor = tx.cursor(_statement(shape, tuple(columns)), {**values, "most": limit})
    pieces: list[bytes] = []
    while rows := cursor.fetchmany(_PIECE_ROWS):
        pieces.append(_encode(rows)[1:-1])
    return pieces


@functools.lru_cache(maxsize=200)
def _statement(shape: Shape, columns: tuple[Field, ...]) -> Prepared:
    builder = Builder(shape.is_sqlite, shape.scope, shape.keys)
    source = builder.join(has_first=False)
    return Prepared(
        sa.select(*(column_of(one).label(f"c{n}") for n, one in enumerate(columns)))
        .select_from(source)
        .where(*filters(shape, builder))
        .order_by(*builder.sorting(builder.expressions(), runs.c.run_key))
        .limit(sa.bindparam("most", type_=sa.Integer))
    )
