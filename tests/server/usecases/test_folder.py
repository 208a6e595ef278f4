"""Folders that runs have left."""

from __future__ import annotations

from pathlib import Path

from tests.server.conftest import OWNER, Runner, World

from zaffre.compute.driver import Exit
from zaffre.contract.run import RunState
from zaffre.server.usecases import attempt as attempts
from zaffre.server.usecases import folder
from zaffre.server.usecases.why import why

DAY_S = 86_400.0


def leave_folder(runner: Runner) -> Path:
    """What a runner leaves that could not store all: a script's read-only folder too."""
    left = Path(runner.order.folder)
    (left / "work" / "locked").mkdir(parents=True)
    (left / "work" / "locked" / "file").write_text("x")
    (left / "work" / "locked").chmod(0o500)
    return left


def remove_old(world: World) -> int:
    return folder.remove_old(store=world.store, now=world.now)


def told(world: World, run_id: str) -> list[str]:
    lines = why(run_id, caller=OWNER, store=world.store, now=world.now).history
    return [line.sentence for line in lines if line.sentence is not None]


def test_the_folder_of_a_run_that_ended_with_warnings_goes_after_a_week_and_why_says_so(
    world: World,
) -> None:
    runner = world.started()
    left = leave_folder(runner)
    runner.report(RunState.RUNNING)
    runner.report(RunState.COMPLETED, warnings=("outputs/a: not stored",))
    world.pass_time(6.9 * DAY_S)
    assert remove_old(world) == 0
    assert left.exists()
    world.pass_time(0.2 * DAY_S)
    assert remove_old(world) == 1
    assert not left.parent.exists()
    assert remove_old(world) == 0
    assert told(world, runner.run_id)[-1] == (
        f"The run's folder {left}, kept because not all of it could be stored, was removed after "
        "7 days."
    )
    assert runner.run.state is RunState.COMPLETED
    assert runner.run.reason is None


def test_the_folder_of_a_run_that_goes_on_stays(world: World) -> None:
    running, salvaged = world.started(), world.started()
    folders = [leave_folder(running), leave_folder(salvaged)]
    exit_ = Exit(salvaged.pid, 77, signal=9)
    attempts.runner_died(salvaged.run_id, 1, exit_, store=world.store, now=world.now)
    stranger = world.store.settings.home / "runs" / "unknown" / "1"
    stranger.mkdir(parents=True)
    world.pass_time(30 * DAY_S)
    assert remove_old(world) == 0
    assert all(path.exists() for path in (*folders, stranger))


def test_a_folder_that_two_attempts_had_is_removed_once(world: World) -> None:
    runner = world.started()
    left = leave_folder(runner)
    exit_ = Exit(runner.pid, 77, signal=9)
    attempts.runner_died(runner.run_id, 1, exit_, store=world.store, now=world.now)
    (order,) = world.dispatch()
    Runner(world, order).report(RunState.FAILED, warnings=("w",))
    world.pass_time(8 * DAY_S)
    assert remove_old(world) == 1
    assert not left.exists()
    assert len([line for line in told(world, runner.run_id) if "folder" in line]) == 1
