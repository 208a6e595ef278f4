from __future__ import annotations

from dataclasses import replace

import pytest
from tests.server.conftest import OWNER, World
from tests.server.data import entry, sha256_of, upload

from zaffre.contract.errors import BlobsMissing, Forbidden, Invalid, NotFound, OffsetConflict
from zaffre.contract.run import RunState
from zaffre.contract.snapshot import FileEntry, snapshot_id
from zaffre.server.access import Caller
from zaffre.server.store.sent import Sent
from zaffre.server.usecases import blob as blobs
from zaffre.server.usecases import file as files
from zaffre.server.usecases import log as logs
from zaffre.server.usecases import run as runs
from zaffre.server.usecases import snapshot as snapshots
from zaffre.server.usecases.log import LogTooLong

STD_LOG = "user_logs/std_log.txt"
DRIVER_LOG = "azureml-logs/70_driver_log.txt"


def put(world: World, run_id: str, *entries: FileEntry, caller: Caller = OWNER) -> None:
    files.put(run_id, entries, caller=caller, store=world.store, now=world.now)


def read(world: World, run_id: str, name: str) -> bytes:
    opened = files.open_file(run_id, name, caller=OWNER, store=world.store)
    with opened.file as file:
        return file.read()


def append(
    world: World, run_id: str, offset: int, piece: bytes, name: str = STD_LOG, **more: Caller
) -> int:
    return logs.append(
        run_id,
        name,
        offset,
        piece,
        caller=more.get("caller", OWNER),
        store=world.store,
        now=world.now,
    )


def names(world: World, run_id: str, prefix: str = "") -> list[str]:
    return [f.name for f in files.find_all(run_id, prefix, caller=OWNER, store=world.store)]


def test_the_last_file_of_a_name_wins(world: World) -> None:
    run = world.interactive()
    upload(world.store, b"one", b"two", now=world.now)
    put(world, run.run_id, entry("out/a b.txt", b"one"))
    put(world, run.run_id, entry("out/a b.txt", b"two"), entry("b", b"one"))
    assert read(world, run.run_id, "out/a b.txt") == b"two"
    assert read(world, run.run_id, "./out\\a b.txt") == b"two"
    assert names(world, run.run_id) == ["b", "out/a b.txt"]
    assert names(world, run.run_id, "out/") == ["out/a b.txt"]
    assert names(world, run.run_id, "%") == []


def test_all_files_of_a_request_are_there_or_none(world: World) -> None:
    run = world.interactive()
    upload(world.store, b"one", now=world.now)
    with pytest.raises(BlobsMissing):
        put(world, run.run_id, entry("a", b"one"), entry("b", b"never sent"))
    assert names(world, run.run_id) == []


def test_a_runs_token_names_only_blobs_that_its_workspace_has_or_that_it_has_sent(
    world: World,
) -> None:
    runner = world.started()
    upload(world.store, b"of another", b"of mine", now=world.now)
    put(world, world.interactive().run_id, entry("a", b"of mine"))
    put(world, runner.run_id, entry("mine", b"of mine"), caller=runner.caller)
    foreign = entry("foreign", b"of another")
    asked = {"caller": runner.caller, "store": world.store, "now": world.now}
    for _ in range(2):  # to ask is not to have
        assert blobs.find_missing([foreign.sha256], **asked) == [foreign.sha256]
        with pytest.raises(BlobsMissing) as refused:
            put(world, runner.run_id, foreign, caller=runner.caller)
        assert refused.value.facts["sha256"] == [foreign.sha256]
    upload(world.store, b"of another", now=world.now, caller=runner.caller)
    assert blobs.find_missing([foreign.sha256], **asked) == []
    put(world, runner.run_id, foreign, caller=runner.caller)
    assert read(world, runner.run_id, "foreign") == b"of another"


def test_of_very_many_sent_blobs_the_oldest_are_forgotten() -> None:
    sent = Sent(most=2)
    one, two, three = (sha256_of(content) for content in (b"1", b"2", b"3"))
    sent.add("w", [one, two])
    sent.add("w", [one, three])
    assert sent.without("w", [one, two, three]) == [two]
    assert sent.without("other", [one]) == [one]


def test_a_wrong_size_is_refused(world: World) -> None:
    run = world.interactive()
    upload(world.store, b"one", now=world.now)
    with pytest.raises(Invalid):
        put(world, run.run_id, replace(entry("a", b"one"), size_bytes=4))


def test_a_log_grows_by_offset_and_is_a_file_of_the_run(world: World) -> None:
    run = world.interactive()
    assert append(world, run.run_id, 0, b"line 1\n") == 7
    assert append(world, run.run_id, 7, b"line 2\n") == 14
    with pytest.raises(OffsetConflict) as refused:
        append(world, run.run_id, 7, b"line 2\n")
    assert refused.value.facts["offset"] == 14
    assert read(world, run.run_id, STD_LOG) == b"line 1\nline 2\n"
    piece = logs.read(run.run_id, STD_LOG, 7, 4, caller=OWNER, store=world.store)
    assert (piece.content, piece.size_bytes) == (b"line", 14)
    (found,) = files.find_all(run.run_id, "", caller=OWNER, store=world.store)
    assert (found.size_bytes, found.live, found.sha256) == (14, True, None)
    runs.complete(run.run_id, caller=OWNER, store=world.store, now=world.now)
    (found,) = files.find_all(run.run_id, "", caller=OWNER, store=world.store)
    assert not found.live


def test_both_generations_of_a_logs_name_answer(world: World) -> None:
    new, old = world.interactive(), world.interactive()
    append(world, new.run_id, 0, b"x")
    append(world, old.run_id, 0, b"y", DRIVER_LOG)
    assert read(world, new.run_id, DRIVER_LOG) == b"x"
    assert read(world, old.run_id, STD_LOG) == b"y"
    piece = logs.read(new.run_id, DRIVER_LOG, 0, 9, caller=OWNER, store=world.store)
    assert piece.content == b"x"
    with pytest.raises(NotFound):
        read(world, new.run_id, "azureml-logs/75_job_post.txt")


def test_a_script_that_prints_nothing_has_a_log(world: World) -> None:
    runner = world.started()
    runner.report(RunState.RUNNING)
    assert names(world, runner.run_id) == [STD_LOG]
    assert read(world, runner.run_id, STD_LOG) == b""


def test_an_empty_log_is_there(world: World) -> None:
    run = world.interactive()
    assert append(world, run.run_id, 0, b"") == 0
    assert names(world, run.run_id) == [STD_LOG]
    assert read(world, run.run_id, STD_LOG) == b""


def test_a_log_has_a_limit(world: World) -> None:
    run = world.interactive()
    with pytest.raises(LogTooLong):
        append(world, run.run_id, world.store.settings.log_max_bytes + 2**20, b"x")


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../x", "", "a\0b", "C:x", "a/" + "é" * 128 + "/b"]
)
def test_names_that_lead_out_are_refused(world: World, name: str) -> None:
    run = world.interactive()
    with pytest.raises(Invalid):
        append(world, run.run_id, 0, b"x", name)
    with pytest.raises(Invalid):
        read(world, run.run_id, name)


def test_a_run_writes_to_its_own_files_and_its_relatives(world: World) -> None:
    runner = world.started()
    upload(world.store, b"one", now=world.now, caller=runner.caller)
    other = world.interactive()
    child = world.interactive(parent_run_id=runner.run_id)
    put(world, runner.run_id, entry("a", b"one"), caller=runner.caller)
    put(world, child.run_id, entry("a", b"one"), caller=runner.caller)
    append(world, child.run_id, 0, b"x", caller=runner.caller)
    with pytest.raises(Forbidden):
        put(world, other.run_id, entry("a", b"one"), caller=runner.caller)
    with pytest.raises(Forbidden):
        append(world, other.run_id, 0, b"x", caller=runner.caller)
    with pytest.raises(Forbidden):
        files.remove(other.run_id, "a", caller=runner.caller, store=world.store)
    of_child = replace(runner.caller, run_id=child.run_id)
    put(world, runner.run_id, entry("b", b"one"), caller=of_child)
    with pytest.raises(Forbidden):
        append(world, runner.run_id, 0, b"x", caller=of_child)


def test_a_snapshot_is_named_by_its_content(world: World) -> None:
    upload(world.store, b"one", b"two", now=world.now)
    entries = [entry("b/x.py", b"one"), replace(entry("a.sh", b"two"), executable=True)]
    where = world.workspace.workspace_id
    for order in (entries, entries[::-1]):
        made = snapshots.put(where, order, caller=OWNER, store=world.store, now=world.now)
        assert made == snapshot_id(entries)
    found = snapshots.get(where, made, caller=OWNER, store=world.store)
    assert [f.name for f in found.files] == ["a.sh", "b/x.py"]
    assert found.files[0].executable


def test_a_small_snapshot_comes_with_its_content_and_a_larger_one_without(world: World) -> None:
    upload(world.store, b"one", b"two", now=world.now)
    where = world.workspace.workspace_id
    entries = [entry("a", b"one"), entry("b", b"two"), entry("c", b"one"), entry("d", b"")]
    upload(world.store, b"", now=world.now)
    made = snapshots.put(where, entries, caller=OWNER, store=world.store, now=world.now)
    for max_bytes, is_sent in ((6, True), (5, False)):
        snapshot, content = snapshots.get_content(
            where, made, max_bytes=max_bytes, caller=OWNER, store=world.store
        )
        assert [file.name for file in snapshot.files] == ["a", "b", "c", "d"]
        assert content.count(b" 3\n") == (2 if is_sent else 0)


@pytest.mark.parametrize(
    "file_names", [["a", "a"], ["a", "a/b"], ["../a"], ["/a"], ["a/./b"], ["a\\b"], [""]]
)
def test_a_snapshot_that_cannot_be_a_folder_is_refused(world: World, file_names: list[str]) -> None:
    upload(world.store, b"one", now=world.now)
    with pytest.raises(Invalid):
        snapshots.put(
            world.workspace.workspace_id,
            [entry(name, b"one") for name in file_names],
            caller=OWNER,
            store=world.store,
            now=world.now,
        )


def test_a_snapshot_beyond_the_limit_names_its_largest_files(world: World) -> None:
    limited = replace(world.store, settings=replace(world.store.settings, snapshot_max_bytes=10))
    with pytest.raises(Invalid, match="big"):
        snapshots.put(
            world.workspace.workspace_id,
            [entry("big", b"x" * 11)],
            caller=OWNER,
            store=limited,
            now=world.now,
        )


def test_a_snapshot_of_another_workspace_is_closed_to_a_run(world: World) -> None:
    stranger = Caller("run", "x", "h", run_id="x", attempt=1, workspace_id="elsewhere")
    with pytest.raises(Forbidden):
        snapshots.get(world.workspace.workspace_id, "0" * 64, caller=stranger, store=world.store)
    with pytest.raises(Forbidden):
        snapshots.get_content(
            world.workspace.workspace_id,
            "0" * 64,
            max_bytes=9,
            caller=stranger,
            store=world.store,
        )


def test_files_of_an_ended_run_can_be_added_by_the_owner(world: World) -> None:
    upload(world.store, b"one", now=world.now)
    run = world.interactive()
    runs.complete(run.run_id, caller=OWNER, store=world.store, now=world.now)
    put(world, run.run_id, entry("late", b"one"))
    assert world.get(run.run_id).state is RunState.COMPLETED
