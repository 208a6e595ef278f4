from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from tests.server.conftest import OWNER, World
from tests.server.data import entry, sha256_of, upload

from zaffre.contract.errors import BlobsMissing, Forbidden, NotFound
from zaffre.server.access import Caller
from zaffre.server.store import garbage as store_garbage
from zaffre.server.usecases import blob as blobs
from zaffre.server.usecases import file as files
from zaffre.server.usecases import garbage
from zaffre.server.usecases import snapshot as snapshots
from zaffre.server.usecases.garbage import Collected

CONTENT = b"some bytes"
NAME = sha256_of(CONTENT)
DAYS = 86_400.0


def collect(world: World, *, force: bool = False) -> Collected:
    return garbage.collect(force=force, store=world.store, now=world.now)


def missing(world: World, *names: str) -> list[str]:
    return blobs.find_missing(names, caller=OWNER, store=world.store, now=world.now)


def test_what_nobody_names_goes_after_a_day_and_not_before(world: World) -> None:
    upload(world.store, CONTENT, now=world.now)
    world.pass_time(DAYS - 1)
    assert collect(world) == Collected(0, 0)
    world.pass_time(DAYS)
    assert collect(world) == Collected(1, len(CONTENT))
    assert not world.store.blobs.has(NAME, len(CONTENT))
    assert missing(world, NAME) == [NAME]
    assert collect(world) == Collected(0, 0)


def test_asking_for_a_blob_keeps_it_a_day(world: World) -> None:
    upload(world.store, CONTENT, now=world.now)
    world.pass_time(DAYS)
    assert missing(world, NAME) == []
    world.pass_time(DAYS - 1)
    assert collect(world).removed_count == 0
    world.pass_time(DAYS)
    assert collect(world).removed_count == 1


def test_a_file_of_a_run_stays_until_it_is_replaced_or_removed(world: World) -> None:
    run = world.interactive()
    upload(world.store, CONTENT, b"newer", now=world.now)
    for content in (CONTENT, b"newer"):
        files.put(
            run.run_id, [entry("out", content)], caller=OWNER, store=world.store, now=world.now
        )
    world.pass_time(3 * DAYS)
    assert collect(world) == Collected(1, len(CONTENT))
    files.remove(run.run_id, "out", caller=OWNER, store=world.store)
    assert collect(world) == Collected(1, len(b"newer"))


def test_a_snapshot_that_a_run_names_holds_its_files(world: World) -> None:
    upload(world.store, CONTENT, now=world.now)
    taken = snapshots.put(
        world.workspace.workspace_id,
        [entry("train.py", CONTENT)],
        caller=OWNER,
        store=world.store,
        now=world.now,
    )
    world.interactive(snapshot_id=taken)
    world.pass_time(3 * DAYS)
    assert collect(world, force=True).removed_count == 0


def test_a_snapshot_that_no_run_names_is_kept_a_day_after_it_was_last_sent(world: World) -> None:
    upload(world.store, CONTENT, now=world.now)

    def send() -> None:
        snapshots.put(
            world.workspace.workspace_id,
            [entry("train.py", CONTENT)],
            caller=OWNER,
            store=world.store,
            now=world.now,
        )

    send()
    world.pass_time(DAYS - 1)
    send()
    world.pass_time(DAYS - 1)
    assert collect(world).removed_count == 0
    world.pass_time(2)
    assert collect(world).removed_count == 1


def test_force_takes_what_was_promised_and_its_user_is_told(world: World) -> None:
    run = world.interactive()
    upload(world.store, CONTENT, now=world.now)
    assert collect(world, force=True).removed_count == 1
    with pytest.raises(BlobsMissing) as refused:
        files.put(
            run.run_id, [entry("out", CONTENT)], caller=OWNER, store=world.store, now=world.now
        )
    assert refused.value.facts["sha256"] == [NAME]


def test_who_needs_a_marked_blob_takes_the_mark_off(world: World) -> None:
    run = world.interactive()
    upload(world.store, CONTENT, now=world.now)
    world.pass_time(3 * DAYS)
    moment = world.now.timestamp()
    with world.store.database.transaction() as tx:
        assert store_garbage.mark(tx, [NAME], before=moment, now=moment) == 1
    files.put(run.run_id, [entry("out", CONTENT)], caller=OWNER, store=world.store, now=world.now)
    with world.store.database.transaction() as tx:
        assert store_garbage.remove(tx, world.store.blobs, [NAME]) == []
    assert world.store.blobs.has(NAME, len(CONTENT))


def test_sending_or_asking_for_a_marked_blob_takes_the_mark_off(world: World) -> None:
    for need in (
        lambda: upload(world.store, CONTENT, now=world.now),
        lambda: missing(world, NAME),
    ):
        upload(world.store, CONTENT, now=world.now)
        world.pass_time(3 * DAYS)
        moment = world.now.timestamp()
        with world.store.database.transaction() as tx:
            assert store_garbage.mark(tx, [NAME], before=moment, now=moment) == 1
        need()
        with world.store.database.transaction() as tx:
            assert store_garbage.remove(tx, world.store.blobs, [NAME]) == []
        assert missing(world, NAME) == []


def test_a_blob_that_is_used_while_it_is_being_removed_waits_and_is_told(world: World) -> None:
    """The removal holds the row; whoever needs the blob then waits, and sends it again."""
    run = world.interactive()
    upload(world.store, CONTENT, now=world.now)
    world.pass_time(3 * DAYS)
    moment = world.now.timestamp()
    with world.store.database.transaction() as tx:
        store_garbage.mark(tx, [NAME], before=moment, now=moment)
    refusals: list[BaseException] = []

    def use() -> None:
        try:
            files.put(
                run.run_id,
                [entry("out", CONTENT)],
                caller=OWNER,
                store=world.store,
                now=world.now,
            )
        except BlobsMissing as refusal:
            refusals.append(refusal)

    user = threading.Thread(target=use)
    with world.store.database.transaction() as tx:
        (gone,) = store_garbage.remove(tx, world.store.blobs, [NAME])
        user.start()
        user.join(0.2)
    user.join(20)
    assert gone.aside is not None
    assert len(refusals) == 1
    assert missing(world, NAME) == [NAME]
    upload(world.store, CONTENT, now=world.now)
    use()
    assert len(refusals) == 1


def test_a_row_whose_file_was_lost_counts_as_missing(world: World) -> None:
    """A power loss can leave an empty file behind the rename."""
    upload(world.store, CONTENT, now=world.now)
    world.store.blobs.file_path(NAME).write_bytes(b"")
    assert missing(world, NAME) == [NAME]
    upload(world.store, CONTENT, now=world.now)
    assert missing(world, NAME) == []


def test_a_file_without_a_row_goes_once_it_is_old(world: World) -> None:
    with world.store.blobs.receive() as incoming:
        incoming.write(CONTENT)
        incoming.finish()
        world.store.blobs.place(incoming)
    assert collect(world, force=True).removed_count == 0
    os.utime(world.store.blobs.file_path(NAME), (1, 1))
    assert collect(world).removed_count == 1


def test_a_collection_ends_when_the_server_stops_and_the_next_one_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "_SLICE", 2)
    contents = [b"%d" % number for number in range(6)]
    upload(world.store, *contents, now=world.now)
    set_aside = world.store.blobs.set_aside

    def stop(sha256: str) -> Path | None:
        world.store.hub.closing = True
        return set_aside(sha256)

    monkeypatch.setattr(world.store.blobs, "set_aside", stop)
    assert collect(world, force=True).removed_count == 2
    monkeypatch.undo()
    world.store.hub.closing = False
    assert collect(world, force=True).removed_count == 4


def test_only_the_owner_collects(world: World) -> None:
    runner = world.started()
    with pytest.raises(Forbidden):
        garbage.collect_now(force=False, caller=runner.caller, store=world.store, now=world.now)


def test_a_runs_token_reads_what_its_workspace_uses_and_no_other_blob(world: World) -> None:
    runner = world.started()
    upload(world.store, CONTENT, now=world.now, caller=runner.caller)
    upload(world.store, b"other", now=world.now)
    files.put(
        runner.run_id,
        [entry("out", CONTENT)],
        caller=runner.caller,
        store=world.store,
        now=world.now,
    )
    with blobs.open_blob(NAME, caller=runner.caller, store=world.store) as file:
        assert file.read() == CONTENT
    with pytest.raises(NotFound):
        blobs.open_blob(sha256_of(b"other"), caller=runner.caller, store=world.store)
    stranger = Caller("run", "x", "h", run_id="x", attempt=1, workspace_id="elsewhere")
    with pytest.raises(NotFound):
        blobs.open_blob(NAME, caller=stranger, store=world.store)


def test_a_second_question_within_the_same_hours_writes_nothing(world: World) -> None:
    upload(world.store, CONTENT, now=world.now)
    world.now += timedelta(hours=1)
    assert missing(world, NAME) == []
