"""Searches for runs, by the language of docs/search.md: iterators of runs, tables of fields."""

from __future__ import annotations

from zaffre.contract import search, search_parser
from zaffre.sdk import session
from zaffre.sdk.exceptions import AzureMLException, UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from zaffre.sdk.experiment import Experiment
    from zaffre.sdk.run import Run
    from zaffre.sdk.workspace import Workspace

_PAGE = 1_000
_FORMATS = ("list", "pandas")


def runs(
    workspace: Workspace,
    experiment: Experiment | None,
    where: str | None,
    order_by: str | Sequence[str] | None,
    limit: int | None,
) -> Iterator[Run]:
    """Yield the runs that a search finds, of one experiment if it is given.

    A search that cannot be read is refused at once, not when the first run is asked for.
    """
    query = _query(workspace, experiment, where, order_by)
    if limit is not None and limit < 1:
        raise UserErrorException(f"limit: must be 1 or more, or None for all, not {limit!r}.")
    return _pages(workspace, experiment, query, limit)


def _pages(
    workspace: Workspace, experiment: Experiment | None, query: dict[str, Any], limit: int | None
) -> Iterator[Run]:
    from zaffre.sdk.run import of_record

    left = limit
    query["limit"] = _PAGE if left is None else min(left, _PAGE)
    for record in session.current().pages("/runs", query):
        yield of_record(workspace, record, experiment)
        if left is not None:
            left -= 1
            if left == 0:
                return


def table(
    workspace: Workspace,
    experiment: Experiment | None,
    columns: Sequence[str],
    where: str | None,
    order_by: str | Sequence[str] | None,
    limit: int | None,
    output_format: str,
) -> Any:
    """Return fields of all runs that a search finds: a list of dicts, or a pandas frame."""
    if output_format not in _FORMATS:
        raise UserErrorException(
            f"output_format: must be 'list' or 'pandas', not {output_format!r}."
        )
    if isinstance(columns, str):
        raise UserErrorException(f"columns: must be a list such as [{columns!r}], not a text.")
    names = list(columns)
    fields = [_parsed(search_parser.parse_field, name, "columns") for name in names]
    query = _query(workspace, experiment, where, order_by)
    query["column"] = [search.write_field(field) for field in fields]
    query["limit"] = limit
    rows: list[list[Any]] = session.current().request("GET", "/tables/runs", query=query)["rows"]
    times = [name for name, field in zip(names, fields) if field.kind is search.Kind.TIME]
    if output_format == "pandas":
        return _frame(names, rows, times)
    found = [dict(zip(names, row)) for row in rows]
    if times:
        from datetime import datetime, timezone

        for one in found:
            for name in times:
                if one[name] is not None:
                    one[name] = datetime.fromtimestamp(one[name], timezone.utc)
    return found


def _frame(names: list[str], rows: list[list[Any]], times: list[str]) -> Any:
    try:
        import pandas  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as problem:
        raise AzureMLException(
            "A frame needs pandas, which this interpreter does not have. Install it, or leave "
            "output_format out for a list of dicts."
        ) from problem
    frame = pandas.DataFrame(rows, columns=names)
    for name in times:
        frame[name] = pandas.to_datetime(frame[name], unit="s", utc=True)
    return frame


def _query(
    workspace: Workspace,
    experiment: Experiment | None,
    where: str | None,
    order_by: str | Sequence[str] | None,
) -> dict[str, Any]:
    if order_by is not None and not isinstance(order_by, str):
        order_by = ", ".join(order_by)
    if where is not None:
        _parsed(search_parser.parse, where, "where")
    if order_by is not None:
        _parsed(search_parser.parse_orders, order_by, "order_by")
    return {
        "experiment_id": None if experiment is None else experiment.id,
        "workspace_id": workspace.workspace_id if experiment is None else None,
        "where": where,
        "order_by": order_by or None,
    }


def _parsed(parse: Any, text: object, field: str) -> Any:
    if not isinstance(text, str):
        raise UserErrorException(f"{field}: must be text, not {type(text).__name__}.")
    try:
        return parse(text, field=field)
    except search.SearchInvalid as refusal:
        raise UserErrorException(refusal.message, inner_exception=refusal) from refusal
