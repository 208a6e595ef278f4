from __future__ import annotations

import pytest
from tests.server.conftest import OWNER, Runner, World

from zaffre.contract.reason import ReasonKind
from zaffre.contract.run import RunRequest, RunSpec, RunState
from zaffre.server.usecases import lease as usecase
from zaffre.server.usecases import run as runs


def expire(world: World) -> list[tuple[str, int]]:
    return usecase.expire(store=world.store, now=world.now).kill


def test_a_silent_runner_is_not_responding_and_runs_again_when_it_renews(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    world.pass_time(61)
    assert expire(world) == []
    silent = runner.run
    assert silent.state is RunState.NOT_RESPONDING
    assert silent.reason is not None
    assert silent.reason.kind is ReasonKind.RUNNER_SILENT
    assert runner.renew() is RunState.RUNNING
    assert runner.run.reason is None


def test_a_renewal_leads_back_to_the_state_before(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    runner.report(RunState.FINALIZING)
    world.pass_time(61)
    expire(world)
    assert runner.renew() is RunState.FINALIZING


def test_a_report_of_a_silent_runner_counts(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    world.pass_time(61)
    expire(world)
    assert runner.report(RunState.COMPLETED) is RunState.COMPLETED


def test_a_runner_that_renews_stays(world: World) -> None:
    runner = world.started()
    for _ in range(5):
        world.pass_time(50)
        runner.renew()
        expire(world)
    assert runner.run.state is RunState.PREPARING


def test_a_granted_lease_is_a_whole_one(world: World) -> None:
    runner = world.started()
    world.pass_time(1000)
    usecase.grant(store=world.store, now=world.now)
    world.pass_time(59)
    expire(world)
    assert runner.run.state is RunState.PREPARING
    world.pass_time(2)
    expire(world)
    assert runner.run.state is RunState.NOT_RESPONDING


def test_a_silent_runner_that_was_asked_to_cancel_is_to_be_killed(world: World) -> None:
    runner = world.started()
    runs.cancel(runner.run_id, caller=OWNER, store=world.store, now=world.now)
    world.pass_time(61)
    assert expire(world) == [(runner.run_id, 1)]
    assert runner.run.state is RunState.CANCEL_REQUESTED


def test_a_runner_that_is_silent_for_a_day_is_to_be_killed(world: World) -> None:
    runner = world.started()
    world.pass_time(61)
    assert expire(world) == []
    world.pass_time(86_400)
    assert expire(world) == [(runner.run_id, 1)]


def test_a_notebook_that_is_silent_comes_back(world: World) -> None:
    options = {"caller": OWNER, "store": world.store}
    run = world.interactive()
    runs.renew(run.run_id, now=world.now, **options)
    world.pass_time(61)
    expire(world)
    silent = world.get(run.run_id)
    assert silent.state is RunState.NOT_RESPONDING
    assert silent.reason is not None
    assert silent.reason.kind is ReasonKind.NOTEBOOK_SILENT
    runs.renew(run.run_id, now=world.now, **options)
    assert world.get(run.run_id).state is RunState.RUNNING


def test_a_notebook_that_dies_before_it_renews_is_silent_all_the_same(world: World) -> None:
    run = world.interactive()
    world.pass_time(59)
    expire(world)
    assert world.get(run.run_id).state is RunState.RUNNING
    world.pass_time(2)
    expire(world)
    assert world.get(run.run_id).state is RunState.NOT_RESPONDING


def test_what_nobody_renews_has_no_lease(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    below = [
        world.interactive(parent_run_id=world.interactive().run_id),
        world.create(
            RunRequest("c", "c", RunState.RUNNING, parent_run_id=runner.run_id), runner.caller
        ),
    ]
    world.pass_time(100_000)
    expire(world)
    assert [world.get(run.run_id).state for run in below] == [RunState.RUNNING] * 2


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED])
def test_an_ended_run_has_no_lease(world: World, state: RunState) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    runner.report(state)
    world.pass_time(61)
    assert expire(world) == []
    assert runner.run.state is state


def test_an_overlong_run_is_canceled_with_its_limit_as_the_reason(world: World) -> None:
    run = world.queue(spec=RunSpec("local", "/p", script="a.py", max_duration_s=10))
    (order,) = world.dispatch()
    runner = Runner(world, order)
    assert usecase.find_running(store=world.store) == []
    runner.report(RunState.RUNNING)
    assert usecase.find_running(store=world.store) == [(run.run_id, 1, 10.0)]
    usecase.cancel_overlong(run.run_id, 1, store=world.store, now=world.now)
    assert runner.renew() is RunState.CANCEL_REQUESTED
