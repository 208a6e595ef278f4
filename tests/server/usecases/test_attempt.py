from __future__ import annotations

from dataclasses import replace

import pytest
from tests.server.conftest import OWNER, Runner, World, new_id

from zaffre.compute.driver import Exit
from zaffre.contract.attempt import AttemptKind
from zaffre.contract.errors import AttemptSuperseded, Forbidden
from zaffre.contract.reason import ReasonKind
from zaffre.contract.run import RunError, RunRequest, RunState
from zaffre.server.access import hash_token
from zaffre.server.store import token as tokens
from zaffre.server.usecases import attempt as usecase
from zaffre.server.usecases import run as runs


def killed(runner: Runner) -> None:
    usecase.runner_died(
        runner.run_id,
        runner.number,
        Exit(runner.pid, 77, signal=9),
        store=runner.world.store,
        now=runner.world.now,
    )


def test_a_run_goes_from_queued_to_completed(world: World) -> None:
    runner = world.started()
    assert runner.run.state is RunState.PREPARING
    world.pass_time(1)
    assert runner.report(RunState.RUNNING) is RunState.RUNNING
    assert runner.run.started_at == world.now
    world.pass_time(1)
    runner.report(RunState.FINALIZING)
    assert runner.report(RunState.COMPLETED, warnings=("w",)) is RunState.COMPLETED
    run = runner.run
    assert (run.ended_at, run.warnings, run.error, run.reason) == (world.now, ("w",), None, None)


def test_a_second_claim_is_refused_and_a_repeated_one_is_not(world: World) -> None:
    runner = world.started()
    assert runner.claim().state is RunState.PREPARING
    twin = Runner(world, runner.order, claims=False)
    with pytest.raises(AttemptSuperseded):
        twin.claim()
    with pytest.raises(AttemptSuperseded):
        twin.report(RunState.COMPLETED)
    with pytest.raises(AttemptSuperseded):
        twin.renew()
    assert runner.run.state is RunState.PREPARING


def test_a_repeated_report_of_the_same_end_changes_nothing(world: World) -> None:
    runner = world.started()
    runner.complete()
    ended = runner.run
    world.pass_time(10)
    assert runner.report(RunState.COMPLETED) is RunState.COMPLETED
    assert runner.run == ended


def test_the_token_lives_until_the_last_report_is_taken_and_a_minute_for_repeats(
    world: World,
) -> None:
    runner = world.started()
    token_hash = runner.caller.token_hash
    seconds = world.now.timestamp()
    alive = tokens.find_caller(world.store, token_hash, seconds)
    assert alive is not None
    assert not alive.ended
    runner.complete()
    repeats = tokens.find_caller(world.store, token_hash, seconds + 59)
    assert repeats is not None
    assert repeats.ended
    assert tokens.find_caller(world.store, token_hash, seconds + 61) is None


def test_a_report_of_an_older_attempt_is_refused(world: World) -> None:
    runner = world.started()
    killed(runner)
    with pytest.raises(AttemptSuperseded):
        runner.report(RunState.RUNNING)
    with pytest.raises(AttemptSuperseded):
        runner.report(RunState.COMPLETED)
    with pytest.raises(AttemptSuperseded):
        runner.renew()


def test_an_unclaimed_run_is_canceled_at_once_and_its_runner_is_refused(world: World) -> None:
    world.queue()
    (order,) = world.dispatch()
    runner = Runner(world, order, claims=False)
    runs.cancel(order.run_id, caller=OWNER, store=world.store, now=world.now)
    assert runner.run.state is RunState.CANCELED
    with pytest.raises(AttemptSuperseded):
        runner.claim()


@pytest.mark.parametrize("reached", ["claimed", "running", "finalizing"])
def test_a_claimed_run_hears_of_the_cancel_and_then_is_canceled(world: World, reached: str) -> None:
    runner = world.started()
    if reached != "claimed":
        runner.report(RunState.RUNNING)
    if reached == "finalizing":
        runner.report(RunState.FINALIZING)
    asked = runs.cancel(runner.run_id, caller=OWNER, store=world.store, now=world.now)
    assert asked.state is RunState.CANCEL_REQUESTED
    again = runs.cancel(runner.run_id, caller=OWNER, store=world.store, now=world.now)
    assert again == asked
    assert runner.renew() is RunState.CANCEL_REQUESTED
    assert runner.report(RunState.FINALIZING) is RunState.CANCEL_REQUESTED
    assert runner.report(RunState.CANCELED) is RunState.CANCELED
    reason = runner.run.reason
    assert reason is not None
    assert (reason.kind, reason.facts) == (ReasonKind.CANCELED_BY_USER, {"who": "ann"})


def test_a_script_may_end_by_itself_before_the_cancel_reaches_it(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    runs.cancel(runner.run_id, caller=OWNER, store=world.store, now=world.now)
    assert runner.report(RunState.COMPLETED) is RunState.COMPLETED


def test_a_dead_runner_is_followed_by_a_salvage_that_fails_the_run(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    killed(runner)
    killed(runner)  # the driver may say it twice
    assert runner.run.state is RunState.RUNNING
    (order,) = world.dispatch()
    assert order.kind is AttemptKind.SALVAGE
    assert (order.attempt, order.folder) == (2, runner.order.folder)
    assert order.process_environment == {}
    assert world.dispatch(frozenset({(order.run_id, order.attempt)})) == []
    salvage = Runner(world, order)
    assert order.final is not None
    salvage.report(order.final.state, error=order.final.error, reason=order.final.reason)
    run = runner.run
    assert run.state is RunState.FAILED
    assert run.reason is not None
    assert (run.reason.kind, run.reason.facts["pid"]) == (ReasonKind.RUNNER_DIED, runner.pid)
    assert run.error is not None
    assert "signal 9" in run.error.message


def test_a_runner_that_dies_while_it_cancels_leaves_a_canceled_run(world: World) -> None:
    runner = world.started()
    runs.cancel(runner.run_id, caller=OWNER, store=world.store, now=world.now)
    killed(runner)
    (order,) = world.dispatch()
    assert order.final is not None
    Runner(world, order).report(order.final.state)
    assert runner.run.state is RunState.CANCELED


def test_salvages_that_die_end_the_run_after_three(world: World) -> None:
    runner = world.started()
    killed(runner)
    for _ in range(3):
        (order,) = world.dispatch()
        salvage = Runner(world, order)
        killed(salvage)
    assert world.dispatch() == []
    run = runner.run
    assert run.state is RunState.FAILED
    assert run.reason is not None
    assert run.reason.facts["pid"] == runner.pid


def test_the_death_of_a_process_that_had_not_the_attempt_changes_nothing(world: World) -> None:
    runner = world.started()
    usecase.runner_died(
        runner.run_id, 1, Exit(runner.pid + 1, 77, code=3), store=world.store, now=world.now
    )
    assert world.dispatch() == []
    assert runner.renew() is RunState.PREPARING


def test_a_runner_that_ended_after_its_last_report_changes_nothing(world: World) -> None:
    runner = world.started()
    runner.complete()
    killed(runner)
    assert runner.run.state is RunState.COMPLETED
    assert world.dispatch() == []


def test_a_runner_that_dies_before_its_claim_is_tried_three_times(world: World) -> None:
    run = world.queue()
    for number in (1, 2, 3):
        (order,) = world.dispatch()
        assert order.attempt == number
        assert order.process_environment == {"SECRET": "s3cret"}
        usecase.runner_died(
            run.run_id, number, Exit(5, 5, code=1), store=world.store, now=world.now
        )
    failed = world.get(run.run_id)
    assert failed.state is RunState.FAILED
    assert failed.reason is not None
    assert failed.reason.kind is ReasonKind.RUNNER_NOT_STARTED
    assert world.dispatch() == []


def test_a_driver_that_cannot_start_a_runner_fails_the_run(world: World) -> None:
    run = world.queue()
    world.dispatch()
    usecase.start_failed(run.run_id, 1, "no memory", store=world.store, now=world.now)
    failed = world.get(run.run_id)
    assert failed.state is RunState.FAILED
    assert failed.error is not None
    assert "no memory" in failed.error.message


def test_an_attempt_that_was_stored_and_never_started_is_followed_by_another(
    world: World,
) -> None:
    run = world.queue()
    (lost,) = world.dispatch()
    assert usecase.recover(store=world.store, target="local", now=world.now) == []
    (order,) = world.dispatch()
    assert (order.run_id, order.attempt) == (run.run_id, 2)
    late = Runner(world, lost, claims=False)
    with pytest.raises(AttemptSuperseded):
        late.claim()
    assert Runner(world, order).report(RunState.RUNNING) is RunState.RUNNING


def test_restarts_of_the_server_do_not_count_as_starts_that_failed(world: World) -> None:
    run = world.queue()
    for number in (1, 2, 3):
        world.dispatch()
        usecase.recover(store=world.store, target="local", now=world.now)
        assert world.get(run.run_id).attempt == number
    (order,) = world.dispatch()
    exit_ = Exit(5, 5, code=1)
    usecase.runner_died(run.run_id, order.attempt, exit_, store=world.store, now=world.now)
    assert world.get(run.run_id).state is RunState.QUEUED
    (order,) = world.dispatch()
    assert order.attempt == 5


def test_tokens_of_forgotten_attempts_end_with_their_run(world: World) -> None:
    run = world.queue()
    (lost,) = world.dispatch()
    usecase.recover(store=world.store, target="local", now=world.now)
    runs.cancel(run.run_id, caller=OWNER, store=world.store, now=world.now)
    seconds = world.now.timestamp()
    ended = tokens.find_caller(world.store, hash_token(lost.token), seconds)
    assert ended is not None
    assert ended.ended
    assert tokens.find_caller(world.store, hash_token(lost.token), seconds + 61) is None


def test_a_salvage_that_was_stored_and_never_started_is_handed_out_again(world: World) -> None:
    runner = world.started()
    killed(runner)
    (lost,) = world.dispatch()
    usecase.recover(store=world.store, target="local", now=world.now)
    (order,) = world.dispatch()
    assert (order.kind, order.attempt) == (AttemptKind.SALVAGE, lost.attempt)


def test_recovery_names_the_runners_to_look_for(world: World) -> None:
    runner = world.started()
    (found,) = usecase.recover(store=world.store, target="local", now=world.now)
    assert (found.run_id, found.number, found.pid) == (runner.run_id, 1, runner.pid)


def test_only_the_attempts_own_token_may_report(world: World) -> None:
    runner = world.started()
    other = world.started()
    stolen = Runner(world, replace(runner.order), claims=False)
    stolen.caller = other.caller
    with pytest.raises(Forbidden):
        stolen.report(RunState.COMPLETED)
    stolen.caller = OWNER
    with pytest.raises(Forbidden):
        stolen.claim()


def test_what_a_script_has_begun_ends_with_its_failed_run(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    child = RunRequest(new_id(), new_id(), RunState.RUNNING, parent_run_id=runner.run_id)
    world.create(child, runner.caller)
    from_outside = world.interactive(parent_run_id=runner.run_id)
    runner.report(RunState.FAILED, error=RunError("UserError", "boom"))
    assert world.get(child.run_id).state is RunState.FAILED
    assert world.get(from_outside.run_id).state is RunState.RUNNING


def test_what_a_script_has_begun_ends_with_a_run_that_was_failed_from_outside(
    world: World,
) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    child = RunRequest(new_id(), new_id(), RunState.RUNNING, parent_run_id=runner.run_id)
    world.create(child, runner.caller)
    below = RunRequest(new_id(), new_id(), RunState.RUNNING, parent_run_id=child.run_id)
    world.create(below, runner.caller)
    error = RunError("UserError", "stop it")
    runs.fail(runner.run_id, error, None, caller=OWNER, store=world.store, now=world.now)
    runner.report(RunState.CANCELED)
    assert world.get(child.run_id).state is RunState.FAILED
    assert world.get(below.run_id).error == error


def test_a_salvage_still_ships_for_a_run_that_was_failed_from_outside(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    killed(runner)
    error = RunError("UserError", "stop it")
    runs.fail(runner.run_id, error, None, caller=OWNER, store=world.store, now=world.now)
    (order,) = world.dispatch()
    salvage = Runner(world, order)
    assert salvage.report(RunState.FAILED) is RunState.FAILED
    assert runner.run.error == error


def test_a_failed_run_without_words_gets_some(world: World) -> None:
    runner = world.started()
    runner.report(RunState.FAILED)
    assert runner.run.error is not None


def test_warnings_of_repeated_reports_are_kept_once(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING, warnings=("one",))
    runner.report(RunState.RUNNING, warnings=("one", "two"))
    assert runner.run.warnings == ("one", "two")


def test_ended_tokens_are_removed(world: World) -> None:
    world.started().complete()
    with world.store.database.transaction() as tx:
        assert tokens.remove_expired(tx, world.now.timestamp() + 30) == 0
        assert tokens.remove_expired(tx, world.now.timestamp() + 61) == 1
