"""Routes of metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from zaffre.contract.metric import MetricKind, MetricSeries
from zaffre.server.http.answer import Encoded
from zaffre.server.http.body import Pieces
from zaffre.server.http.request import Request
from zaffre.server.usecases import metric as usecase


@dataclass(frozen=True)
class Metrics:
    """The whole series of runs, by run id."""

    runs: dict[str, list[MetricSeries]]


@dataclass(frozen=True)
class MetricPoints:
    """A slice of one metric, or with `buckets` its summary for a chart.

    first_position: of the first value. point_count: of the whole metric. buckets: columns of
    equal length: position, count, number_count, minimum, maximum, mean, last, step, time.
    """

    name: str
    kind: MetricKind
    point_count: int
    first_position: int = 0
    values: list[Any] = field(default_factory=list)
    steps: list[int | None] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    buckets: dict[str, list[float | None]] | None = None


@get("/api/v1/runs/{run_id:str}/metrics", sync_to_thread=True)
def get_metrics(
    run_id: str,
    request: Request,
    name: str | None = None,
    recursive: Annotated[bool, QueryParameter()] = False,  # noqa: FBT002
    newest: Annotated[bool, QueryParameter()] = False,  # noqa: FBT002
) -> Response[Metrics]:
    """Return all points of a run's metrics, or with `newest` the last of each.

    recursive: of all runs below it too.
    """
    store = request.store
    found = usecase.find_all(run_id, name, recursive=recursive, caller=request.caller, store=store)
    if found.point_count > usecase.WHOLE_MAX and not newest:
        pieces = usecase.read_in_pieces(found, store=store)
        return Pieces(pieces, media_type="application/json")  # pyright: ignore[reportReturnType]
    return Encoded({"runs": usecase.read_whole(found, newest=newest, store=store)})


@get("/api/v1/runs/{run_id:str}/metrics/points", sync_to_thread=True)
def get_points(
    run_id: str,
    name: str,
    request: Request,
    after: int = -1,
    limit: int = 100_000,
    buckets: int | None = None,
) -> Response[MetricPoints]:
    """Return the points of one metric behind position `after`, or all of them in `buckets`."""
    if buckets is not None:
        metric, columns = usecase.get_buckets(
            run_id, name, buckets, caller=request.caller, store=request.store
        )
        return Encoded(
            {
                "name": metric.name,
                "kind": metric.kind,
                "point_count": metric.point_count,
                "buckets": asdict(columns),
            }
        )
    part = usecase.get_slice(
        run_id, name, after=after, limit=limit, caller=request.caller, store=request.store
    )
    return Encoded(
        {
            **usecase.as_series(part.metric, part.columns),
            "first_position": part.first_position,
            "point_count": part.metric.point_count,
        }
    )


HANDLERS = [get_metrics, get_points]
