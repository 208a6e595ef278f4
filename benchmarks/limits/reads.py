"""The limit of reading: the same SQL on the same database, msgspec, the answer. Nothing else."""

from __future__ import annotations

import sqlite3
import sys

import msgspec

from benchmarks.limits.asgi import serve

_RUNS = """
select {columns} from runs
where experiment_id = ? and parent_run_id is null
order by run_key desc limit ?
"""
_NOT_LISTED = ("spec", "sealed_environment", "idempotency_key")
_POINTS = """
select p.number, p.text, p.step, p.at from points p
where p.metric_key = (
    select metric_key from metrics m join runs r on r.run_key = m.run_key
    where r.run_id = ? and m.name = ?
)
order by p.position
"""


_BEST = """
select {columns} from metrics m join runs on runs.run_key = m.run_key
where m.experiment_id = ? and m.name = ? and m.last_number is not null
order by m.last_number, m.run_key limit ?
"""
_TABLE = """
select run_id,
    (select last_number from metrics m where m.run_key = runs.run_key and m.name = ?),
    (select value from run_parameters p where p.run_key = runs.run_key and p.key = ?)
from runs where experiment_id = ? order by run_key desc
"""
_CHART = """
select b.position, b.numbers, b.least, b.largest, b.mean, l.number, b.step, b.at from (
    select s.position, count(p.number) as numbers, min(p.number) as least,
        max(p.number) as largest, avg(p.number) as mean, s.step, s.at
    from points s join points p on p.metric_key = s.metric_key
        and p.position >= s.position and p.position < s.position + :size
    where s.metric_key = (
        select metric_key from metrics m join runs r on r.run_key = m.run_key
        where r.run_id = :run_id and m.name = :name
    ) and s.position % :size = 0
    group by s.metric_key, s.position
) b join points l on l.metric_key = (
    select metric_key from metrics m join runs r on r.run_key = m.run_key
    where r.run_id = :run_id and m.name = :name
) and l.position = b.position + :size - 1
order by b.position
"""


class Newest(msgspec.Struct):
    """Asks for the newest runs of an experiment."""

    experiment_id: str
    count: int


class Metric(msgspec.Struct):
    """Asks for one metric of one run."""

    run_id: str
    name: str


class Best(msgspec.Struct):
    """Asks for the runs of an experiment with the least values of a metric."""

    experiment_id: str
    name: str
    count: int


class Table(msgspec.Struct):
    """Asks for a metric and a parameter of all runs of an experiment."""

    experiment_id: str
    metric: str
    parameter: str


class Chart(msgspec.Struct):
    """Asks for buckets of `size` points of a metric."""

    run_id: str
    name: str
    size: int


def main() -> None:
    """Serve at the socket argv[1], reading the database argv[2]."""
    database = sqlite3.connect(f"file:{sys.argv[2]}?mode=ro", uri=True)
    columns = [row[1] for row in database.execute("pragma table_info(runs)")]
    listed = ", ".join(column for column in columns if column not in _NOT_LISTED)
    select_runs = _RUNS.format(columns=listed)
    encode = msgspec.json.Encoder().encode
    decode_newest = msgspec.json.Decoder(Newest).decode
    decode_metric = msgspec.json.Decoder(Metric).decode
    decode_best = msgspec.json.Decoder(Best).decode
    decode_table = msgspec.json.Decoder(Table).decode
    decode_chart = msgspec.json.Decoder(Chart).decode
    select_best = _BEST.format(columns=", ".join(f"runs.{name}" for name in listed.split(", ")))

    def newest(body: bytes) -> bytes:
        asked = decode_newest(body)
        return encode(database.execute(select_runs, (asked.experiment_id, asked.count)).fetchall())

    def metric(body: bytes) -> bytes:
        asked = decode_metric(body)
        return encode(database.execute(_POINTS, (asked.run_id, asked.name)).fetchall())

    def best(body: bytes) -> bytes:
        asked = decode_best(body)
        values = (asked.experiment_id, asked.name, asked.count)
        return encode(database.execute(select_best, values).fetchall())

    def table(body: bytes) -> bytes:
        asked = decode_table(body)
        values = (asked.metric, asked.parameter, asked.experiment_id)
        return encode(database.execute(_TABLE, values).fetchall())

    def chart(body: bytes) -> bytes:
        asked = decode_chart(body)
        return encode(database.execute(_CHART, msgspec.structs.asdict(asked)).fetchall())

    handlers = {"newest": newest, "metric": metric, "best": best, "table": table, "chart": chart}
    paths = {f"/{name}": handler for name, handler in handlers.items()}
    serve(sys.argv[1], {"/healthz": lambda _: b"{}", **paths})


if __name__ == "__main__":
    main()
