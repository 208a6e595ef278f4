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


class Newest(msgspec.Struct):
    """Asks for the newest runs of an experiment."""

    experiment_id: str
    count: int


class Metric(msgspec.Struct):
    """Asks for one metric of one run."""

    run_id: str
    name: str


def main() -> None:
    """Serve at the socket argv[1], reading the database argv[2]."""
    database = sqlite3.connect(f"file:{sys.argv[2]}?mode=ro", uri=True)
    columns = [row[1] for row in database.execute("pragma table_info(runs)")]
    listed = ", ".join(column for column in columns if column not in _NOT_LISTED)
    select_runs = _RUNS.format(columns=listed)
    encode = msgspec.json.Encoder().encode
    decode_newest = msgspec.json.Decoder(Newest).decode
    decode_metric = msgspec.json.Decoder(Metric).decode

    def newest(body: bytes) -> bytes:
        asked = decode_newest(body)
        return encode(database.execute(select_runs, (asked.experiment_id, asked.count)).fetchall())

    def metric(body: bytes) -> bytes:
        asked = decode_metric(body)
        return encode(database.execute(_POINTS, (asked.run_id, asked.name)).fetchall())

    serve(sys.argv[1], {"/healthz": lambda _: b"{}", "/newest": newest, "/metric": metric})


if __name__ == "__main__":
    main()
