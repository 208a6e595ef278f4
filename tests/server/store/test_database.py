from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlalchemy.exc
from tests.server.conftest import World

from zaffre.server.store import database as module
from zaffre.server.store import run as runs
from zaffre.server.store.database import Database, repeating, sqlite_url


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was synced and who was told, in order."""
    events: list[str] = []
    sync = module._sync

    def noted(path: Path) -> None:
        sync(path)
        events.append(f"synced {path.name}")

    monkeypatch.setattr(module, "_sync", noted)
    return events


@pytest.fixture
def database(tmp_path: Path, happened: list[str]) -> Iterator[Database]:
    folder = tmp_path / "store"
    folder.mkdir()
    database = Database(
        sqlite_url(folder / "zaffre.db"),
        lambda topics: happened.extend(f"told {topic}" for topic in sorted(topics)),
    )
    with database.transaction() as tx:
        tx.execute(sa.text("CREATE TABLE t (a)"))
    yield database
    database.close()


def test_what_must_survive_power_loss_is_synced_before_anybody_but_the_loops_is_told(
    database: Database, happened: list[str]
) -> None:
    for _ in range(2):
        with database.transaction(durable=True) as tx:
            tx.execute(sa.text("INSERT INTO t VALUES (1)"))
            tx.notify("run:r")
            tx.notify("queue")
        happened.append("returned")
    first = ["told queue", "synced zaffre.db-wal", "synced store", "told run:r", "returned"]
    assert happened == [*first, *(event for event in first if event != "synced store")]


def test_other_commits_do_not_wait_for_the_disk(database: Database, happened: list[str]) -> None:
    with database.transaction() as tx:
        tx.notify("run:r")
    assert happened == ["told run:r"]


def test_a_sync_is_no_part_of_the_writers_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_path: Path) -> None:
        with database.transaction() as tx:
            tx.execute(sa.text("INSERT INTO t VALUES (2)"))

    monkeypatch.setattr(module, "_sync", write)
    with database.transaction(durable=True) as tx:
        tx.execute(sa.text("INSERT INTO t VALUES (1)"))
    with database.reading() as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM t")).scalar() == 3


def test_nothing_is_synced_or_told_of_what_is_rolled_back(
    database: Database, happened: list[str]
) -> None:
    def fail() -> None:
        with database.transaction(durable=True) as tx:
            tx.notify("queue")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert happened == []


def test_an_error_does_not_tell_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(sqlalchemy.exc.OperationalError) as caught, database.transaction() as tx:
        tx.execute(sa.text("INSERT INTO missing VALUES (:a)"), {"a": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_of_two_transactions_that_wait_for_each_other_the_one_taken_back_is_repeated(
    world: World,
) -> None:
    database = world.store.database
    made = [world.interactive().run_id for _ in range(2)]
    locked = {run_id: threading.Event() for run_id in made}

    @repeating
    def change_both(first: str, second: str) -> None:
        with database.transaction() as tx:
            runs.lock(tx, first)
            locked[first].set()
            assert database.is_sqlite or locked[second].wait(20)
            for run_id in (first, second):
                found = runs.lock(tx, run_id)
                tags = {**found.run.tags, f"by {first}": ""}
                runs.change(tx, found, replace(found.run, tags=tags), now=world.now)

    with ThreadPoolExecutor(2) as threads:
        tasks = [threads.submit(change_both, *ids) for ids in (made, made[::-1])]
    assert [task.exception() for task in tasks] == [None, None]
    assert all(len(world.get(run_id).tags) == 2 for run_id in made)


def test_what_fails_for_another_reason_is_not_repeated() -> None:
    calls: list[int] = []

    @repeating
    def fail() -> None:
        calls.append(1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert calls == [1]
