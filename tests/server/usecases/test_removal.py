"""Archiving and deleting experiments and workspaces."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.server.conftest import OWNER, Runner, World
from tests.server.data import Sender, entry, line, upload

from zaffre.contract.errors import AlreadyExists, Forbidden, InUse, NotFound
from zaffre.contract.model import ModelRequest
from zaffre.contract.run import Run, RunError
from zaffre.contract.secret import Secret
from zaffre.contract.workspace import Experiment, View, Workspace, WorkspaceRequest
from zaffre.server.store import tables
from zaffre.server.usecases import experiment as experiments
from zaffre.server.usecases import file as files
from zaffre.server.usecases import garbage, removal
from zaffre.server.usecases import log as logs
from zaffre.server.usecases import model as models
from zaffre.server.usecases import run as runs
from zaffre.server.usecases import secret as secrets
from zaffre.server.usecases import snapshot as snapshots
from zaffre.server.usecases import workspace as workspaces

HOURS = 3_600.0
DAYS = 86_400.0


def archive(world: World, experiment_id: str | None = None) -> Experiment:
    wanted = experiment_id or world.experiment.experiment_id
    return experiments.archive(wanted, caller=OWNER, store=world.store, now=world.now)


def reactivate(world: World) -> Experiment:
    wanted = world.experiment.experiment_id
    return experiments.reactivate(wanted, caller=OWNER, store=world.store)


def opened(world: World, name: str = "exp") -> Experiment:
    return experiments.open_named(
        world.workspace.workspace_id, name, caller=OWNER, store=world.store, now=world.now
    )


def listed(world: World, view: View = View.ACTIVE) -> list[str]:
    found = experiments.find(
        world.workspace.workspace_id, caller=OWNER, store=world.store, name=None, view=view
    )
    return [one.experiment_id for one in found]


def delete(world: World, experiment_id: str | None = None) -> bool:
    wanted = experiment_id or world.experiment.experiment_id
    return experiments.delete(wanted, caller=OWNER, store=world.store, now=world.now)


def ended(world: World) -> Run:
    """An ended run with a file, a log, metrics, labels and a snapshot of its own."""
    upload(world.store, b"output", b"source", now=world.now)
    snapshot_id = snapshots.put(
        world.workspace.workspace_id,
        [entry("train.py", b"source")],
        caller=OWNER,
        store=world.store,
        now=world.now,
    )
    run = world.interactive(snapshot_id=snapshot_id, tags={"k": "v"}, properties={"p": "x"})
    files.put(run.run_id, [entry("out", b"output")], caller=OWNER, store=world.store, now=world.now)
    logs.append(run.run_id, "logs/a", 0, b"text", caller=OWNER, store=world.store, now=world.now)
    sender = Sender(world, run.run_id, spool_id=f"spool-{run.run_id}")
    sender.send(line(run.run_id, "loss", value=1.0))
    return runs.complete(run.run_id, caller=OWNER, store=world.store, now=world.now)


def row_counts(world: World) -> dict[str, int]:
    """Return how many rows each table has that has any."""
    with world.store.database.reading() as tx:
        counts = {
            table.name: tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
        }
    return {name: count for name, count in counts.items() if count}


def blob_files(world: World) -> int:
    return len(list(world.store.blobs.names()))


def test_an_archived_experiment_is_in_the_archive_alone_and_its_runs_stay(world: World) -> None:
    run = world.interactive()
    archived = archive(world)
    assert archived.archived_at == world.now
    assert archive(world) == archived
    assert listed(world) == []
    assert listed(world, View.ARCHIVED) == listed(world, View.ALL) == [archived.experiment_id]
    assert world.get(run.run_id).experiment_id == archived.experiment_id
    assert reactivate(world).archived_at is None
    assert listed(world) == [archived.experiment_id]
    assert reactivate(world).archived_at is None


def test_an_archived_name_opens_a_new_experiment_and_then_cannot_be_reactivated(
    world: World,
) -> None:
    old = archive(world).experiment_id
    new = opened(world).experiment_id
    assert new != old
    assert set(listed(world, View.ALL)) == {old, new}
    with pytest.raises(AlreadyExists, match="Archive that one first"):
        reactivate(world)
    archive(world, new)
    assert reactivate(world).experiment_id == old


def test_a_run_that_is_submitted_to_an_archived_experiment_goes_to_an_active_one_of_its_name(
    world: World,
) -> None:
    old = archive(world).experiment_id
    run = world.interactive()
    again = world.interactive()
    assert run.experiment_id == again.experiment_id != old
    assert (run.experiment_name, run.number, again.number) == ("exp", 1, 2)


def test_a_run_that_has_not_ended_protects_its_experiment(world: World) -> None:
    run = world.interactive()
    with pytest.raises(InUse, match=f"1 run that has not ended \\({run.run_id}\\)"):
        delete(world)
    with pytest.raises(InUse):
        workspaces.delete(
            world.workspace.workspace_id, caller=OWNER, store=world.store, now=world.now
        )
    runs.cancel(run.run_id, caller=OWNER, store=world.store, now=world.now)
    assert delete(world) is True


def test_a_run_whose_last_attempt_still_ships_protects_its_experiment(world: World) -> None:
    runner = world.started()
    runs.fail(
        runner.run_id,
        RunError("UserError", "x"),
        None,
        caller=OWNER,
        store=world.store,
        now=world.now,
    )
    with pytest.raises(InUse):
        delete(world)


def test_what_is_deleted_is_gone_with_all_that_hung_on_it(world: World) -> None:
    before = row_counts(world)
    files_before = blob_files(world)
    run = ended(world)
    log_folder = next(world.store.logs_path.iterdir())
    assert delete(world) is True
    with pytest.raises(NotFound):
        world.get(run.run_id)
    with pytest.raises(NotFound):
        experiments.get(world.experiment.experiment_id, caller=OWNER, store=world.store)
    assert listed(world, View.ALL) == []
    assert not log_folder.exists()
    world.pass_time(2 * DAYS)
    garbage.collect(force=False, store=world.store, now=world.now)
    del before["experiments"]
    assert row_counts(world) == before
    assert blob_files(world) == files_before


def test_an_attempts_folder_goes_and_no_other(world: World, tmp_path: Path) -> None:
    runner: Runner = world.started()
    runner.complete()
    own = Path(runner.order.folder).parent
    other = tmp_path / "runs" / "other"
    for folder in (own / "1", other):
        folder.mkdir(parents=True)
    assert delete(world)
    assert not own.exists()
    assert other.exists()


def test_a_repeated_deletion_succeeds_for_an_hour(world: World) -> None:
    assert delete(world)
    assert delete(world)
    world.pass_time(2 * HOURS)
    removal.remove_due(store=world.store, now=world.now)
    with pytest.raises(NotFound):
        delete(world)


def test_a_deletion_that_a_killed_server_began_is_finished_later(world: World) -> None:
    run = ended(world)
    with world.store.database.transaction() as tx:
        tx.execute(sa.update(tables.experiments).values(removal_at=world.now.timestamp()))
    assert removal.remove_due(store=world.store, now=world.now) == 1
    with pytest.raises(NotFound):
        world.get(run.run_id)


def test_a_child_in_another_experiment_stays_without_its_parent(world: World) -> None:
    parent = ended(world)
    first, world.experiment = world.experiment, opened(world, "other")
    child = world.interactive(parent_run_id=parent.run_id)
    assert delete(world, first.experiment_id)
    left = world.get(child.run_id)
    assert (left.parent_run_id, left.root_run_id) == (None, child.run_id)


def test_a_snapshot_goes_once_no_run_names_it_and_a_day_has_passed(world: World) -> None:
    run = ended(world)
    assert run.snapshot_id is not None
    kept = ended(world)
    workspace_id = world.workspace.workspace_id
    assert kept.snapshot_id == run.snapshot_id
    assert delete(world)
    world.pass_time(DAYS / 2)
    garbage.collect(force=False, store=world.store, now=world.now)
    assert snapshots.get(workspace_id, run.snapshot_id, caller=OWNER, store=world.store)
    world.pass_time(DAYS)
    garbage.collect(force=False, store=world.store, now=world.now)
    with pytest.raises(NotFound):
        snapshots.get(workspace_id, run.snapshot_id, caller=OWNER, store=world.store)


def test_a_snapshot_that_a_run_took_later_stays(world: World) -> None:
    upload(world.store, b"later", now=world.now)
    taken = snapshots.put(
        world.workspace.workspace_id,
        [entry("a.py", b"later")],
        caller=OWNER,
        store=world.store,
        now=world.now,
    )
    world.interactive(properties={"ContentSnapshotId.2": taken})
    world.pass_time(3 * DAYS)
    garbage.collect(force=True, store=world.store, now=world.now)
    assert snapshots.get(world.workspace.workspace_id, taken, caller=OWNER, store=world.store).files


def test_a_model_stays_when_the_experiment_of_its_run_goes(world: World) -> None:
    run = ended(world)
    request = ModelRequest(
        name="m", idempotency_key="1", run_id=run.run_id, files=(entry("out", b"output"),)
    )
    workspace_id = world.workspace.workspace_id
    models.register(workspace_id, request, caller=OWNER, store=world.store, now=world.now)
    assert delete(world)
    world.pass_time(2 * DAYS)
    garbage.collect(force=False, store=world.store, now=world.now)
    assert models.get(workspace_id, "m", None, caller=OWNER, store=world.store).files
    assert blob_files(world) == 1


def test_a_runs_token_deletes_nothing_and_archives_what_it_may_change(world: World) -> None:
    runner = world.started()
    for use in (experiments.delete, workspaces.delete, workspaces.delete_for_good):
        with pytest.raises(Forbidden):
            use(
                world.experiment.experiment_id,
                caller=runner.caller,
                store=world.store,
                now=world.now,
            )
    experiment_id = world.experiment.experiment_id
    experiments.archive(experiment_id, caller=runner.caller, store=world.store, now=world.now)


# -- workspaces


def named(world: World) -> Workspace:
    request = WorkspaceRequest(name="ws1", subscription_id="s", resource_group="r")
    return workspaces.open_named(request, caller=OWNER, store=world.store, now=world.now).workspace


def forget(world: World) -> None:
    workspaces.delete(world.workspace.workspace_id, caller=OWNER, store=world.store, now=world.now)


def restore(world: World) -> Workspace:
    return workspaces.restore(
        world.workspace.workspace_id, caller=OWNER, store=world.store, now=world.now
    )


def test_a_deleted_workspace_comes_back_with_all_that_it_held(world: World) -> None:
    run = ended(world)
    forget(world)
    with pytest.raises(NotFound):
        workspaces.get(world.workspace.workspace_id, caller=OWNER, store=world.store)
    with pytest.raises(NotFound):
        world.interactive()
    (deleted,) = workspaces.find_deleted(caller=OWNER, store=world.store)
    assert deleted.workspace == world.workspace
    world.pass_time(13 * DAYS)
    garbage.collect(force=True, store=world.store, now=world.now)
    assert restore(world) == world.workspace
    assert restore(world) == world.workspace
    assert listed(world) == [world.experiment.experiment_id]
    assert world.get(run.run_id).run_id == run.run_id
    assert workspaces.find_deleted(caller=OWNER, store=world.store) == []


def test_a_deleted_workspaces_name_is_free_and_keeps_it_from_coming_back(world: World) -> None:
    forget(world)
    assert named(world).workspace_id != world.workspace.workspace_id
    with pytest.raises(AlreadyExists, match="has its name now"):
        restore(world)


def test_a_deleted_workspace_is_gone_after_two_weeks(world: World) -> None:
    ended(world)
    forget(world)
    world.pass_time(14 * DAYS + 2 * HOURS)
    with pytest.raises(NotFound):
        restore(world)
    for _ in range(2):
        garbage.collect(force=True, store=world.store, now=world.now)
    assert row_counts(world) == {}
    assert blob_files(world) == 0


def test_a_workspace_that_is_deleted_for_good_is_gone_at_once(world: World) -> None:
    ended(world)
    workspace_id = world.workspace.workspace_id
    secrets.put(workspace_id, [Secret("a", "b")], caller=OWNER, store=world.store, now=world.now)
    request = ModelRequest(name="m", idempotency_key="1", files=(entry("out", b"output"),))
    models.register(workspace_id, request, caller=OWNER, store=world.store, now=world.now)
    for _ in range(2):
        assert workspaces.delete_for_good(
            workspace_id, caller=OWNER, store=world.store, now=world.now
        )
    garbage.collect(force=True, store=world.store, now=world.now)
    assert set(row_counts(world)) == {"workspaces", "experiments"}
    assert blob_files(world) == 0
    world.pass_time(2 * HOURS)
    removal.remove_due(store=world.store, now=world.now)
    assert row_counts(world) == {}


def test_a_workspace_that_was_deleted_can_be_deleted_for_good(world: World) -> None:
    ended(world)
    forget(world)
    assert workspaces.delete_for_good(
        world.workspace.workspace_id, caller=OWNER, store=world.store, now=world.now
    )
    with pytest.raises(NotFound):
        restore(world)
    assert "runs" not in row_counts(world)
