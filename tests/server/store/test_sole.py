from __future__ import annotations

import multiprocessing
import os
import signal

import pytest
from tests.conftest import ServerProcess

from zaffre.server.store import sole
from zaffre.server.store.sole import DatabaseTaken, sole_server


def test_a_second_server_on_a_database_is_refused_until_the_first_lets_it_go(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sole, "GONE_S", 0.3)
    with (
        sole_server(database_url),
        pytest.raises(DatabaseTaken, match="uses the database"),
        sole_server(database_url),
    ):
        pass
    with sole_server(database_url):
        pass


def _hold(url: str, held: multiprocessing.synchronize.Event) -> None:
    with sole_server(url):
        held.set()
        signal.pause()


def test_a_killed_server_leaves_its_database_free(database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(database_url, held))
    holder.start()
    assert held.wait(30)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(10)
    with sole_server(database_url):
        pass


def test_a_server_of_another_home_is_refused_and_the_first_goes_on(
    new_server: object, database_url: str
) -> None:
    assert callable(new_server)
    first: ServerProcess = new_server("--database", database_url)
    with pytest.raises(AssertionError, match="Another Zaffre server uses the database"):
        new_server("--database", database_url)
    assert first.client.get("/api/v1/server").status == 200
