from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from tests.server.conftest import OWNER, Runner, World, new_id, queued_request

from zaffre.contract.errors import (
    AlreadyExists,
    Forbidden,
    Invalid,
    NotFound,
    PropertyImmutable,
    RunStateConflict,
)
from zaffre.contract.run import RunError, RunRequest, RunSpec, RunState
from zaffre.server.access import Caller
from zaffre.server.store import run as store_run
from zaffre.server.store.run import Filter
from zaffre.server.store.tables import runs as runs_table
from zaffre.server.usecases import run as usecase


def test_a_repeated_request_returns_the_run_that_is_there(world: World) -> None:
    request = queued_request()
    first = usecase.create(
        world.experiment.experiment_id, [request], caller=OWNER, store=world.store, now=world.now
    )
    world.pass_time(5)
    second = usecase.create(
        world.experiment.experiment_id, [request], caller=OWNER, store=world.store, now=world.now
    )
    assert first.created
    assert not second.created
    assert second.runs[0] == first.runs[0]


def test_another_run_of_the_same_id_is_refused(world: World) -> None:
    world.queue("train_1")
    with pytest.raises(AlreadyExists) as refused:
        world.queue("train_1")
    assert refused.value.code == "run.exists"


def test_numbers_count_up_without_gaps_under_concurrency(world: World) -> None:
    threads = [threading.Thread(target=world.interactive) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.interactive().number == 13
    page, _ = usecase.find_page(Filter(), limit=100, caller=OWNER, store=world.store, now=world.now)
    assert sorted(run.number for run in page) == list(range(1, 14))


def test_a_refused_run_takes_no_number(world: World) -> None:
    with pytest.raises(NotFound):
        world.interactive(parent_run_id="nobody")
    assert world.interactive().number == 1


def test_a_batch_is_made_whole_or_not_at_all(world: World) -> None:
    good = RunRequest(new_id(), new_id(), RunState.NOT_STARTED)
    bad = RunRequest(new_id(), new_id(), RunState.NOT_STARTED, parent_run_id="nobody")
    with pytest.raises(NotFound):
        usecase.create(
            world.experiment.experiment_id,
            [good, bad],
            caller=OWNER,
            store=world.store,
            now=world.now,
        )
    with pytest.raises(NotFound):
        world.get(good.run_id)


def test_the_submitters_variables_are_not_readable_in_the_database(world: World) -> None:
    world.queue()
    with world.store.database.reading() as tx:
        row = tx.execute(sa.select(runs_table)).one()
    assert row.sealed_environment is not None
    assert "s3cret" not in repr(tuple(row))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"run_id": "../x"}, "run id"),
        ({"run_id": ""}, "run id"),
        ({"state": RunState.COMPLETED}, "state"),
        ({"state": RunState.RUNNING}, "spec"),
        ({"spec": None}, "spec"),
        ({"spec": RunSpec("local", "/p")}, "spec.script"),
        ({"spec": RunSpec("local", "/p", script="../x.py")}, "file name"),
        ({"spec": RunSpec("local", "/p", script="x", command="y")}, "spec.script"),
        ({"tags": {"k" * 101: "v"}}, "tags"),
        ({"display_name": "n" * 501}, "display_name"),
        ({"idempotency_key": ""}, "idempotency_key"),
    ],
)
def test_a_bad_request_names_its_field(
    world: World, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        world.create(replace(queued_request(), **changes))  # type: ignore[arg-type]
    assert refused.value.field == field


def test_an_unknown_target_and_snapshot_are_not_found(world: World) -> None:
    with pytest.raises(NotFound) as refused:
        world.queue(spec=RunSpec("gpu-cluster", "/p", script="a.py"))
    assert refused.value.code == "compute_target.not_found"
    with pytest.raises(NotFound) as refused:
        world.queue(spec=RunSpec("local", "/p", script="a.py", snapshot_id="f" * 64))
    assert refused.value.code == "snapshot.not_found"


def test_children_share_the_root_of_their_parent(world: World) -> None:
    root = world.interactive("root")
    child = world.interactive(parent_run_id="root")
    grandchild = world.interactive(parent_run_id=child.run_id)
    assert root.root_run_id == child.root_run_id == grandchild.root_run_id == "root"


def test_tags_change_and_properties_do_not(world: World) -> None:
    run = world.interactive(tags={"a": "1", "b": None}, properties={"p": "1"})
    change = usecase.Change({"display_name": "shown"}, {"a": "2", "c": "3"}, ["b"], {"q": "2"})
    changed = usecase.change(run.run_id, change, caller=OWNER, store=world.store, now=world.now)
    assert changed.tags == {"a": "2", "c": "3"}
    assert changed.properties == {"p": "1", "q": "2"}
    assert changed.display_name == "shown"
    assert world.get(run.run_id) == changed
    with pytest.raises(PropertyImmutable):
        usecase.change(
            run.run_id,
            usecase.Change({}, {}, [], {"p": "2"}),
            caller=OWNER,
            store=world.store,
            now=world.now,
        )


def test_a_list_is_newest_first_and_goes_on_at_its_cursor(world: World) -> None:
    made = [world.interactive().run_id for _ in range(7)]
    seen: list[str] = []
    cursor = None
    while True:
        page, cursor = usecase.find_page(
            Filter(), limit=3, cursor=cursor, caller=OWNER, store=world.store, now=world.now
        )
        seen += [run.run_id for run in page]
        if cursor is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(tags=[("color", None)]), {"red", "blue"}),
        (Filter(tags=[("color", "red")]), {"red"}),
        (Filter(tags=[("color", "red"), ("size", "1")]), set()),
        (Filter(properties=[("kind", "x")]), {"blue"}),
        (Filter(states=[RunState.QUEUED]), {"queued"}),
        (Filter(states=[RunState.RUNNING], top_level=True), {"red", "blue", "plain"}),
        (Filter(parent_run_id="plain"), {"child"}),
        (Filter(root_run_id="plain"), {"plain", "child"}),
        (Filter(type="azureml.scriptrun"), {"queued"}),
        (Filter(target="local"), {"queued"}),
        (Filter(workspace_id="elsewhere"), set()),
    ],
)
def test_filters_are_anded(world: World, wanted: Filter, expected: set[str]) -> None:
    world.interactive("red", tags={"color": "red"})
    world.interactive("blue", tags={"color": "blue"}, properties={"kind": "x"})
    world.interactive("plain")
    world.interactive("child", parent_run_id="plain")
    world.queue("queued", type="azureml.scriptrun")
    page, _ = usecase.find_page(wanted, limit=100, caller=OWNER, store=world.store, now=world.now)
    assert {run.run_id for run in page} == expected


def test_an_interactive_run_completes_fails_and_cancels_at_once(world: World) -> None:
    options = {"caller": OWNER, "store": world.store, "now": world.now}
    done = usecase.complete(world.interactive().run_id, **options)
    assert (done.state, done.ended_at) == (RunState.COMPLETED, world.now)
    assert usecase.complete(done.run_id, **options) == done
    error = RunError("UserError", "m" * 5000)
    failed = usecase.fail(world.interactive().run_id, error, None, **options)
    assert failed.state is RunState.FAILED
    assert failed.error is not None
    assert len(failed.error.message) == 3000
    canceled = usecase.cancel(world.interactive().run_id, **options)
    assert canceled.state is RunState.CANCELED
    assert usecase.cancel(canceled.run_id, **options) == canceled
    for ended in (done, failed):
        with pytest.raises(RunStateConflict):
            usecase.cancel(ended.run_id, **options)
    with pytest.raises(RunStateConflict):
        usecase.complete(failed.run_id, **options)


def test_a_batch_child_starts_or_completes_without_a_start(world: World) -> None:
    options = {"caller": OWNER, "store": world.store, "now": world.now}
    request = RunRequest(new_id(), new_id(), RunState.NOT_STARTED)
    world.create(request)
    started = usecase.start(request.run_id, **options)
    assert (started.state, started.started_at) == (RunState.RUNNING, world.now)
    assert usecase.start(request.run_id, **options) == started
    other = RunRequest(new_id(), new_id(), RunState.NOT_STARTED)
    world.create(other)
    assert usecase.complete(other.run_id, **options).state is RunState.COMPLETED


def test_a_queued_run_without_attempt_is_canceled_at_once(world: World) -> None:
    run = world.queue()
    canceled = usecase.cancel(run.run_id, caller=OWNER, store=world.store, now=world.now)
    assert canceled.state is RunState.CANCELED
    assert world.dispatch() == []


def test_a_runs_token_changes_its_own_run_and_those_below_and_no_other(world: World) -> None:
    runner = world.started("mine")
    world.interactive("other")
    child = world.create(
        RunRequest("child", new_id(), RunState.RUNNING, parent_run_id="mine"), runner.caller
    )
    change = usecase.Change({}, {"t": "1"}, [], {})
    for run_id in ("mine", child.run_id):
        usecase.change(run_id, change, caller=runner.caller, store=world.store, now=world.now)
    for use in (usecase.cancel, usecase.complete, usecase.renew, usecase.start):
        with pytest.raises(Forbidden):
            use("other", caller=runner.caller, store=world.store, now=world.now)
    assert usecase.get("other", caller=runner.caller, store=world.store).run_id == "other"


def test_a_runs_token_makes_children_below_itself_and_its_parents_and_nowhere_else(
    world: World,
) -> None:
    world.interactive("top")
    world.interactive("other", parent_run_id="top")
    world.queue("mine", parent_run_id="top")
    (order,) = world.dispatch()
    runner = Runner(world, order)
    for parent in ("mine", "top", "below-mine"):
        child = RunRequest(f"below-{parent}", new_id(), RunState.RUNNING, parent_run_id=parent)
        assert world.create(child, runner.caller).root_run_id == "top"
    stray = RunRequest("stray", new_id(), RunState.RUNNING, parent_run_id="other")
    with pytest.raises(Forbidden):
        world.create(stray, runner.caller)
    alone = world.create(RunRequest("alone", new_id(), RunState.RUNNING), runner.caller)
    assert alone.root_run_id == "alone"


def test_a_runs_token_sees_nothing_of_another_workspace(world: World) -> None:
    world.interactive("r")
    stranger = Caller("run", "run x", "h", run_id="x", attempt=1, workspace_id="elsewhere")
    with pytest.raises(Forbidden):
        usecase.get("r", caller=stranger, store=world.store)
    page, _ = usecase.find_page(
        Filter(), limit=10, caller=stranger, store=world.store, now=world.now
    )
    assert page == []


def test_a_move_that_the_table_lacks_is_refused_by_the_store(world: World) -> None:
    world.interactive("r")
    with world.store.database.transaction() as tx:
        found = store_run.lock(tx, "r")
        to = replace(found.run, state=RunState.STARTING)
        with pytest.raises(RunStateConflict):
            store_run.change(tx, found, to, now=datetime.now(UTC))
    assert world.get("r").state is RunState.RUNNING


def test_failing_a_run_of_a_living_runner_from_outside_tells_the_runner(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    error = RunError("UserError", "stop it")
    usecase.fail(runner.run_id, error, None, caller=OWNER, store=world.store, now=world.now)
    assert runner.renew() is RunState.FAILED
    assert runner.report(RunState.COMPLETED) is RunState.FAILED
    assert runner.run.error == error


def test_a_script_that_marks_its_run_as_failed_ends_as_failed(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    error = RunError("UserError", "no convergence")
    marked = usecase.fail(
        runner.run_id, error, None, caller=runner.caller, store=world.store, now=world.now
    )
    assert marked.state is RunState.RUNNING
    assert runner.report(RunState.COMPLETED) is RunState.FAILED
    assert runner.run.error == error


def test_completing_a_run_of_a_living_runner_is_refused(world: World) -> None:
    runner = world.started()
    with pytest.raises(RunStateConflict):
        usecase.complete(runner.run_id, caller=OWNER, store=world.store, now=world.now)


@pytest.mark.parametrize("state", [RunState.CANCELED, RunState.FAILED])
def test_what_a_notebook_began_below_its_run_ends_with_it_unless_well(
    world: World, state: RunState
) -> None:
    options = {"caller": OWNER, "store": world.store, "now": world.now}
    parent = world.interactive()
    child = world.interactive(parent_run_id=parent.run_id)
    grandchild = world.interactive(parent_run_id=child.run_id)
    done = world.interactive(parent_run_id=parent.run_id)
    usecase.complete(done.run_id, **options)
    queued = world.queue(parent_run_id=parent.run_id)
    if state is RunState.CANCELED:
        usecase.cancel(parent.run_id, **options)
    else:
        usecase.fail(parent.run_id, RunError("UserError", "no"), None, **options)
    for run in (child, grandchild):
        ended = world.get(run.run_id)
        assert ended.state is state
        assert ended.reason == world.get(parent.run_id).reason
    assert world.get(done.run_id).state is RunState.COMPLETED
    assert world.get(queued.run_id).state is RunState.QUEUED


def test_below_a_run_that_has_ended_well_children_go_on(world: World) -> None:
    parent = world.interactive()
    child = world.interactive(parent_run_id=parent.run_id)
    usecase.complete(parent.run_id, caller=OWNER, store=world.store, now=world.now)
    assert world.get(child.run_id).state is RunState.RUNNING
