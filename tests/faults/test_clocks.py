"""Wall clocks that jump: no lease is judged by them, and no record changes its place."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Client
from tests.server import conftest
from tests.server.conftest import OWNER, World

from zaffre.client.metric_log import MetricLog
from zaffre.client.spool import Spool, spool_files
from zaffre.contract.run import RunState
from zaffre.server.loops.leases import TOLERANCE_S, Clocks, jumped
from zaffre.server.usecases import lease as leases
from zaffre.server.usecases import run as runs

PAUSE_S = 10.0

store = conftest.store
world = conftest.world


@given(
    awake_s=st.floats(min_value=PAUSE_S, max_value=PAUSE_S + TOLERANCE_S - 0.1),
    jump_s=st.floats(min_value=-1e7, max_value=1e7, allow_nan=False),
)
def test_a_round_is_judged_exactly_if_the_wall_clock_ran_with_the_others(
    awake_s: float, jump_s: float
) -> None:
    before = Clocks(monotonic=50.0, boottime=100.0, wall=1e9)
    after = Clocks(50.0 + awake_s, 100.0 + awake_s, 1e9 + awake_s + jump_s)
    if abs(jump_s) > TOLERANCE_S + 0.01:
        assert jumped(before, after, pause_s=PAUSE_S)
    elif abs(jump_s) < TOLERANCE_S - 0.01:
        assert not jumped(before, after, pause_s=PAUSE_S)


@given(slept_s=st.floats(min_value=TOLERANCE_S + 0.1, max_value=1e7))
def test_a_round_after_a_sleep_is_never_judged(slept_s: float) -> None:
    before = Clocks(monotonic=50.0, boottime=100.0, wall=1e9)
    after = Clocks(50.0 + PAUSE_S, 100.0 + PAUSE_S + slept_s, 1e9 + PAUSE_S + slept_s)
    assert jumped(before, after, pause_s=PAUSE_S)


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0 * 400])
def test_a_runner_is_alive_after_a_jump_once_leases_begin_anew(world: World, jump_s: float) -> None:
    runner = world.started()
    runner.report(RunState.PREPARING)
    runner.report(RunState.RUNNING)
    notebook = world.interactive()
    renew_notebook(world, notebook.run_id)
    world.pass_time(jump_s)
    leases.grant(store=world.store, now=world.now)
    assert leases.expire(store=world.store, now=world.now).kill == []
    assert world.get(runner.run_id).state is RunState.RUNNING
    assert world.get(notebook.run_id).state is RunState.RUNNING
    # From then on the new time counts: a whole lease, and no more.
    lease_s = world.store.settings.lease_s
    world.pass_time(lease_s - 1)
    leases.expire(store=world.store, now=world.now)
    assert world.get(runner.run_id).state is RunState.RUNNING
    world.pass_time(2)
    leases.expire(store=world.store, now=world.now)
    assert world.get(runner.run_id).state is RunState.NOT_RESPONDING
    assert world.get(notebook.run_id).state is RunState.NOT_RESPONDING
    runner.renew()
    assert world.get(runner.run_id).state is RunState.RUNNING


@pytest.mark.parametrize("jump_s", [-7_200.0, 7_200.0])
def test_a_run_ends_as_usual_though_the_clock_jumped_meanwhile(world: World, jump_s: float) -> None:
    runner = world.started()
    runner.report(RunState.PREPARING)
    runner.report(RunState.RUNNING)
    world.pass_time(jump_s)
    assert runner.report(RunState.FINALIZING) is RunState.FINALIZING
    assert runner.report(RunState.COMPLETED) is RunState.COMPLETED
    run = world.get(runner.run_id)
    assert run.state is RunState.COMPLETED


def test_records_keep_the_order_of_the_spool_whatever_the_clock_said(
    server: Any, workspace: dict[str, Any], tmp_path: Path
) -> None:
    client: Client = server.client
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/experiments"
    experiment = client.post(path, {"name": "clocks"}).json["experiment_id"]
    run_id = uuid.uuid4().hex
    request = {"run_id": run_id, "idempotency_key": run_id, "state": "Running"}
    assert client.post(f"/api/v1/experiments/{experiment}/runs", request).status == 201
    log = MetricLog(run_id, Spool(str(tmp_path)))
    for number in range(20):
        log.scalar("v", number)
    ((spool_id, spool_path),) = spool_files(str(tmp_path))
    lines = [json.loads(line) for line in Path(spool_path).read_bytes().split()]
    times = [1e9, 2e9, 1.5e9, 0.0, -1.0, *[1e9 - number for number in range(15)]]
    for line, at in zip(lines, times, strict=True):
        line["at"] = at
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    answer = client.request(
        "POST",
        f"/api/v1/runs/{run_id}/spools/{spool_id}/batches?from_offset=0",
        body=body,
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert answer.status == 200, answer.body
    (series,) = client.get(f"/api/v1/runs/{run_id}/metrics").json["runs"][run_id]
    assert series["values"] == list(range(20))
    assert series["times"] == times


def renew_notebook(world: World, run_id: str) -> None:
    """Renew an interactive run's lease as its notebook does."""
    runs.renew(run_id, caller=OWNER, store=world.store, now=world.now)
