"""Routes of lists and tables of runs, which are searched alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from zaffre.contract import search, search_parser
from zaffre.contract.errors import Invalid
from zaffre.contract.search import Query
from zaffre.server.http.answer import Encoded
from zaffre.server.http.body import Pieces
from zaffre.server.http.request import Request
from zaffre.server.http.run import Runs, state_named
from zaffre.server.store.run import Filter
from zaffre.server.usecases import run as usecase

_JSON = "application/json"
#: Answers from here on are sent in pieces.
_LARGE_BYTES = 1 << 20


@dataclass(frozen=True)
class Table:
    """Columns of runs. rows: the columns' values, a run each; times are Unix seconds."""

    columns: list[str]
    rows: list[list[str | float | int | None]]


def wanted_runs(
    workspace_id: str | None = None,
    experiment_id: str | None = None,
    parent_run_id: str | None = None,
    root_run_id: str | None = None,
    top_level: Annotated[bool, QueryParameter()] = False,  # noqa: FBT002
    kind: Annotated[str | None, QueryParameter(name="type")] = None,
    target: str | None = None,
    states: Annotated[list[str] | None, QueryParameter(name="state")] = None,
    tags: Annotated[list[str] | None, QueryParameter(name="tag")] = None,
    properties: Annotated[list[str] | None, QueryParameter(name="property")] = None,
) -> Filter:
    """Return what a list is of. tag and property: `key` or `key=value`."""
    return Filter(
        workspace_id=workspace_id,
        experiment_id=experiment_id,
        parent_run_id=parent_run_id,
        root_run_id=root_run_id,
        top_level=top_level,
        type=kind,
        target=target,
        states=[state_named(name) for name in states or ()],
        tags=[_label(text) for text in tags or ()],
        properties=[_label(text) for text in properties or ()],
    )


def query_of(where: str | None, order_by: str | None) -> Query:
    """Return the search that is asked for (docs/search.md)."""
    query = Query() if where is None else search_parser.parse(where)
    orders = () if order_by is None else search_parser.parse_orders(order_by)
    if orders and query.orders:
        raise Invalid("order_by", "the search has an order already; leave one of the two out")
    return Query(query.where, query.orders or orders)


_WANTED = {"wanted": Provide(wanted_runs, sync_to_thread=False)}


@get("/api/v1/runs", sync_to_thread=True, dependencies=_WANTED)
def find(
    request: Request,
    wanted: NamedDependency[Filter],
    where: str | None = None,
    order_by: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Response[Runs]:
    """List runs without their specs: newest first, or as the search orders them.

    cursor: the `next` of the page before.
    """
    items, following = usecase.find_page(
        wanted,
        query_of(where, order_by),
        limit=limit,
        cursor=cursor,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )
    # The same JSON as of a `Runs`.
    return Encoded({"items": items, "next": following})


@get("/api/v1/tables/runs", sync_to_thread=True, dependencies=_WANTED)
def find_table(
    request: Request,
    wanted: NamedDependency[Filter],
    columns: Annotated[list[str], QueryParameter(name="column")],
    where: str | None = None,
    order_by: str | None = None,
    limit: int | None = None,
) -> Response[Table]:
    """Return a few fields of all runs that a list of the same search has, in one answer.

    column: a field of the search's language, such as `metrics.loss`. limit: at most so many runs.
    """
    fields = [search_parser.parse_field(text) for text in columns]
    pieces = usecase.find_table(
        wanted,
        query_of(where, order_by),
        fields,
        limit=limit,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )
    names = [search.write_field(field) for field in fields]
    parts = _table(names, pieces)
    if sum(map(len, pieces)) >= _LARGE_BYTES:
        return Pieces(parts, media_type=_JSON)  # pyright: ignore[reportReturnType]
    return Encoded(msgspec.Raw(b"".join(parts)))


def _table(names: Sequence[str], pieces: Sequence[Any]) -> Iterator[bytes]:
    """Yield the JSON of a `Table`."""
    yield b'{"columns":' + msgspec.json.encode(names) + b',"rows":['
    for number, piece in enumerate(pieces):
        yield b"," + piece if number else piece
    yield b"]}"


def _label(text: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    return key, value if equals else None


HANDLERS = [find, find_table]
