"""A store of the test's own on SQLite and on PostgreSQL, and what lives in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from zaffre.contract.attempt import Claim, Report, StartOrder
from zaffre.contract.run import Run, RunRequest, RunSpec, RunState
from zaffre.contract.workspace import WorkspaceRequest
from zaffre.server.access import Caller, hash_token
from zaffre.server.events import Hub
from zaffre.server.settings import Settings
from zaffre.server.store.blob import BlobFolder
from zaffre.server.store.database import Database
from zaffre.server.store.store import Store
from zaffre.server.usecases import attempt as attempts
from zaffre.server.usecases import dispatch, experiment, workspace
from zaffre.server.usecases import run as runs
from zaffre.server.usecases.dispatch import Target
from zaffre.server.usecases.server import Address

OWNER = Caller(kind="owner", name="ann", token_hash="owner")
START = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(prepared_database_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    hub = Hub()
    database = Database(prepared_database_url, hub.publish)
    yield Store(
        database=database,
        blobs=BlobFolder(tmp_path / "blobs"),
        logs_path=tmp_path / "logs",
        hub=hub,
        key=bytes(32),
        settings=Settings(home=tmp_path, local_slots=2),
    )
    database.close()


class World:
    """A store with one workspace, one experiment and a clock that stands still until moved."""

    def __init__(self, store: Store, home: Path) -> None:
        self.store = store
        self.now = START
        self.address = Address(1, 1, "b", "http://x", "/s", "0", "0001", str(home), 0.0)
        self.target = Target("local", store.settings.slots)
        request = WorkspaceRequest(name="ws1", subscription_id="s", resource_group="r")
        self.workspace = workspace.open_named(
            request, caller=OWNER, store=store, now=self.now
        ).workspace
        self.experiment = experiment.open_named(
            self.workspace.workspace_id, "exp", caller=OWNER, store=store, now=self.now
        )

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def queue(self, run_id: str | None = None, **changes: Any) -> Run:
        request = replace(queued_request(run_id), **changes)
        return self.create(request)

    def interactive(self, run_id: str | None = None, **changes: Any) -> Run:
        request = RunRequest(run_id or new_id(), new_id(), RunState.RUNNING)
        return self.create(replace(request, **changes))

    def create(self, request: RunRequest, caller: Caller = OWNER) -> Run:
        made = runs.create(
            self.experiment.experiment_id,
            [request],
            caller=caller,
            store=self.store,
            now=self.now,
        )
        return made.runs[0]

    def get(self, run_id: str) -> Run:
        return runs.get(run_id, caller=OWNER, store=self.store)

    def dispatch(self, handed: frozenset[tuple[str, int]] = frozenset()) -> list[StartOrder]:
        return dispatch.next_orders(
            self.target, store=self.store, address=self.address, handed=handed, now=self.now
        )

    def started(self, run_id: str | None = None) -> Runner:
        """Queue a run and let a runner claim it."""
        run = self.queue(run_id)
        (order,) = self.dispatch()
        assert order.run_id == run.run_id
        return Runner(self, order)


class Runner:
    """What a runner does with its order, without the process."""

    def __init__(self, world: World, order: StartOrder, *, claims: bool = True) -> None:
        self.world = world
        self.order = order
        self.run_id = order.run_id
        self.number = order.attempt
        self.claim_id = new_id()
        self.pid = int(uuid.uuid4()) % 100_000
        self.caller = Caller(
            kind="run",
            name=f"run {order.run_id}",
            token_hash=hash_token(order.token),
            run_id=order.run_id,
            attempt=order.attempt,
            workspace_id=world.workspace.workspace_id,
        )
        if claims:
            self.claim()

    def claim(self) -> attempts.Claimed:
        claim = Claim(self.claim_id, self.pid, 77, "boot")
        return attempts.claim(
            self.run_id,
            self.number,
            claim,
            caller=self.caller,
            store=self.world.store,
            now=self.world.now,
        )

    def report(self, state: RunState, **more: Any) -> RunState:
        return attempts.report(
            self.run_id,
            self.number,
            Report(state=state, **more),
            claim_id=self.claim_id,
            caller=self.caller,
            store=self.world.store,
            now=self.world.now,
        )

    def complete(self) -> RunState:
        self.report(RunState.RUNNING)
        return self.report(RunState.COMPLETED)

    def renew(self) -> RunState:
        return attempts.renew(
            self.run_id,
            self.number,
            claim_id=self.claim_id,
            caller=self.caller,
            store=self.world.store,
            now=self.world.now,
        )

    @property
    def run(self) -> Run:
        return self.world.get(self.run_id)


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    """A store with a workspace and an experiment."""
    return World(store, tmp_path)


def queued_request(run_id: str | None = None) -> RunRequest:
    return RunRequest(
        run_id=run_id or new_id(),
        idempotency_key=new_id(),
        state=RunState.QUEUED,
        spec=RunSpec(target="local", interpreter="/usr/bin/python3", script="train.py"),
        process_environment={"SECRET": "s3cret"},
    )


def new_id() -> str:
    return uuid.uuid4().hex
