from __future__ import annotations

import json
import threading
from base64 import b64decode
from dataclasses import replace

import pytest
import sqlalchemy as sa
from tests.server.conftest import OWNER, Runner, World
from tests.server.data import entry, sha256_of, upload

from zaffre.compute.driver import Exit
from zaffre.contract.attempt import AttemptKind, StartOrder
from zaffre.contract.errors import Invalid
from zaffre.contract.reason import ReasonKind, sentence
from zaffre.contract.run import RunSpec, RunState
from zaffre.server.access import hash_token
from zaffre.server.store import attempt as store_attempts
from zaffre.server.store import run as store_runs
from zaffre.server.store.tables import attempts, runs, tokens
from zaffre.server.store.token import find_caller
from zaffre.server.usecases import attempt as attempt_usecase
from zaffre.server.usecases import run as run_usecase
from zaffre.server.usecases import snapshot as snapshots
from zaffre.server.usecases.why import why


def test_runs_start_in_the_order_in_which_they_came(world: World) -> None:
    made = [world.queue().run_id for _ in range(5)]
    first = world.dispatch()
    assert [order.run_id for order in first] == made[:2]
    assert world.dispatch() == []
    Runner(world, first[1]).complete()
    assert [order.run_id for order in world.dispatch()] == [made[2]]


def test_a_run_that_has_to_start_again_keeps_its_turn(world: World) -> None:
    made = [world.queue().run_id for _ in range(4)]
    world.dispatch()
    attempt_usecase.not_claimed(made[0], 1, store=world.store, now=world.now)
    assert [order.run_id for order in world.dispatch()] == [made[0]]


def test_an_attempt_is_stored_before_anybody_hears_of_it(world: World) -> None:
    run = world.queue()
    (order,) = world.dispatch()
    with world.store.database.reading() as tx:
        attempt = tx.execute(sa.select(attempts)).one()
        token = tx.execute(sa.select(tokens)).one()
    assert (attempt.number, attempt.ended_at, attempt.claim_id) == (1, None, None)
    assert attempt.folder == order.folder
    assert token.token_hash == hash_token(order.token)
    assert world.get(run.run_id).state is RunState.QUEUED


def test_an_order_says_all_that_a_runner_needs(world: World) -> None:
    run = world.queue()
    (order,) = world.dispatch()
    assert order.kind is AttemptKind.RUN
    assert order.spec == run.spec
    assert order.process_environment == {"SECRET": "s3cret"}
    assert order.workspace["name"] == world.workspace.name
    assert order.folder.endswith(f"/runs/{run.run_id}/1")


def with_snapshot(world: World, files: dict[str, bytes]) -> None:
    """Queue a run of these files."""
    upload(world.store, *set(files.values()), now=world.now)
    made = snapshots.put(
        world.workspace.workspace_id,
        [entry(name, content) for name, content in files.items()],
        caller=OWNER,
        store=world.store,
        now=world.now,
    )
    spec = RunSpec("local", "/usr/bin/python3", script="a.py", snapshot_id=made)
    world.queue(snapshot_id=made, spec=spec)


def test_an_order_holds_a_small_snapshot_whole(world: World) -> None:
    with_snapshot(world, {"a.py": b"one"})
    (order,) = world.dispatch()
    manifest, _, bundle = b64decode(order.snapshot or "").partition(b"\n")
    assert json.loads(manifest)["files"][0]["name"] == "a.py"
    assert bundle.endswith(b" 3\none")


@pytest.mark.parametrize(
    "files",
    [{"a.py": b"x" * ((256 << 10) + 1)}, {f"{number}.py": b"" for number in range(2000)}],
    ids=["bytes", "names"],
)
def test_an_order_holds_none_of_a_large_snapshot(world: World, files: dict[str, bytes]) -> None:
    with_snapshot(world, files)
    (order,) = world.dispatch()
    assert order.snapshot is None


def test_a_snapshot_that_cannot_be_read_holds_up_no_order(world: World) -> None:
    with_snapshot(world, {"a.py": b"damaged"})
    damaged = world.store.blobs.file_path(sha256_of(b"damaged"))
    damaged.unlink()
    damaged.mkdir()
    with_snapshot(world, {"a.py": b"whole"})
    first, second = world.dispatch()
    assert first.snapshot is None
    assert second.snapshot is not None


def test_the_submitters_variables_are_gone_once_the_runner_has_them(world: World) -> None:
    world.started()
    with world.store.database.reading() as tx:
        assert tx.execute(sa.select(runs.c.sealed_environment)).scalar() is None


def test_a_long_run_id_still_has_a_folder(world: World) -> None:
    world.queue("r" * 320)
    (order,) = world.dispatch()
    assert max(len(part) for part in order.folder.split("/")) <= 200


def test_who_finds_no_slot_is_told_so_once(world: World) -> None:
    for _ in range(2):
        world.queue()
    late = world.queue()
    world.dispatch()
    reason = world.get(late.run_id).reason
    assert reason is not None
    assert reason.kind is ReasonKind.WAITS_FOR_SLOT
    assert "2 of 2 runs are running" in sentence(reason)
    world.dispatch()
    told = why(late.run_id, caller=OWNER, store=world.store, now=world.now)
    assert [line.sentence is not None for line in told.history] == [False, True]


def test_a_waiting_runs_place_is_counted_when_asked_for(world: World) -> None:
    made = [world.queue().run_id for _ in range(5)]
    world.dispatch()
    before = why(made[4], caller=OWNER, store=world.store, now=world.now)
    assert before.reason is not None
    ahead = before.reason.facts["ahead"]
    run_usecase.cancel(made[3], caller=OWNER, store=world.store, now=world.now)
    after = why(made[4], caller=OWNER, store=world.store, now=world.now)
    assert after.reason is not None
    assert after.reason.facts["ahead"] == int(str(ahead)) - 1


def test_a_run_whose_variables_do_not_open_fails_and_holds_up_nobody(world: World) -> None:
    broken = world.queue()
    world.store = replace(world.store, key=bytes(range(32)))
    fine = world.queue()
    (order,) = world.dispatch()
    assert order.run_id == fine.run_id
    run = world.get(broken.run_id)
    assert run.state is RunState.FAILED
    assert run.error is not None
    assert "sealed with another key" in run.error.message


def test_tokens_of_a_run_whose_variables_do_not_open_any_more_end_with_it(world: World) -> None:
    world.queue()
    (lost,) = world.dispatch()
    attempt_usecase.recover(store=world.store, target="local", now=world.now)
    world.store = replace(world.store, key=bytes(range(32)))
    assert world.dispatch() == []
    caller = find_caller(world.store, hash_token(lost.token), world.now.timestamp())
    assert caller is not None
    assert caller.ended


def test_a_salvage_that_ends_while_its_order_is_made_is_not_handed_out(world: World) -> None:
    runner = world.started()
    exit_ = Exit(runner.pid, 77, signal=9)
    attempt_usecase.runner_died(runner.run_id, 1, exit_, store=world.store, now=world.now)
    orders: list[StartOrder] = []
    with world.store.database.transaction() as tx:
        found = store_runs.lock(tx, runner.run_id)
        salvage = store_attempts.find(tx, found.key, 2)
        assert salvage is not None
        dispatching = threading.Thread(target=lambda: orders.extend(world.dispatch()))
        dispatching.start()
        while not world.store.database.is_sqlite and not waits_for_a_lock(world):
            threading.Event().wait(0.01)
        store_attempts.end(tx, salvage, world.now.timestamp())
    dispatching.join(20)
    assert orders == []


def waits_for_a_lock(world: World) -> bool:
    with world.store.database.reading() as tx:
        return bool(tx.execute(sa.text("SELECT 1 FROM pg_locks WHERE NOT granted")).all())


def test_users_code_does_not_run_under_the_account_of_a_teams_server(world: World) -> None:
    world.store = replace(world.store, settings=replace(world.store.settings, team=True))
    with pytest.raises(Invalid) as refused:
        world.queue()
    assert refused.value.field == "spec.target"
