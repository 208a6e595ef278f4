"""A user's process that sends points, each request a batch of a spool, as shipping does."""

from __future__ import annotations

import time
import uuid
from typing import Any, cast

from benchmarks.clients.asked import answer
from zaffre.client.connection import connect
from zaffre.client.metric_log import MetricLog

NAMES = 5


class _Held:
    """Takes the place of a spool's file: keeps the records that logging encodes."""

    def __init__(self) -> None:
        self.records: list[bytes] = []

    def append(self, record: bytes) -> None:
        self.records.append(b"\n%b\n" % record)


def send(path: str, count: int, per_request: int) -> tuple[float, float]:
    """Send `count` requests; return when the first began and the last was answered."""
    del path  # of the limit's server; Zaffre's is found as the SDK finds it
    client = connect()
    run_id = _new_run(client)
    held = _Held()
    log = MetricLog(run_id, cast("Any", held))
    for i in range(count * per_request):
        log.scalar(f"m{i % NAMES}", i * 0.5)
    records = [b"".join(held.records[k::count]) for k in range(count)]
    url = f"/runs/{run_id}/spools/{uuid.uuid4().hex}/batches"
    headers = {"Content-Type": "application/x-ndjson"}
    offset = 0
    begun = time.monotonic()
    for body in records:
        answered = client.request(
            "POST", url, body=body, query={"from_offset": offset}, headers=headers
        )
        offset = answered["offset"]
    return begun, time.monotonic()


def _new_run(client: Any) -> str:
    name = {"name": "bench", "subscription_id": "s", "resource_group": "g"}
    workspace = client.request("POST", "/workspaces/open", json=name)["workspace"]
    experiments = f"/workspaces/{workspace['workspace_id']}/experiments"
    experiment = client.request("POST", experiments, json={"name": "writes"})
    run_id = uuid.uuid4().hex
    request = {"run_id": run_id, "idempotency_key": uuid.uuid4().hex, "state": "Running"}
    runs = f"/experiments/{experiment['experiment_id']}/runs"
    return client.request("POST", runs, json=request)["run_id"]


if __name__ == "__main__":
    answer({"send": send})
