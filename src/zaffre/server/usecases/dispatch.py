"""Which runs get a runner now.

An attempt is stored, with its token, before the driver is called. If the server dies between, the
next server finds the attempt unclaimed and follows it by another (usecases.attempt.recover).
Runs of one target start in the order in which they came.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec

from zaffre.contract.attempt import AttemptKind, StartOrder
from zaffre.contract.errors import NotFound
from zaffre.contract.reason import Reason, ReasonKind, sentence
from zaffre.contract.run import RunError, RunState
from zaffre.contract.version import ZAFFRE_VERSION
from zaffre.contract.workspace import Workspace
from zaffre.server import seal
from zaffre.server.store import attempt as attempts
from zaffre.server.store import run as runs
from zaffre.server.store import snapshot as snapshots
from zaffre.server.store import token as tokens
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.attempt import Attempt
from zaffre.server.store.database import Transaction, repeating
from zaffre.server.store.run import Found
from zaffre.server.store.store import Store
from zaffre.server.usecases.server import Address
from zaffre.server.usecases.snapshot import bundle_of

#: Largest snapshot that an order holds, bytes; each file counts for so many besides its content.
_SNAPSHOT_MAX_BYTES = 256 << 10
_ENTRY_BYTES = 256
#: How many waiting runs are told why they wait, a round.
_TOLD_MAX = 100
#: Longer run ids name their folder by a hash: a file name has at most 255 bytes.
_FOLDER_NAME_MAX_BYTES = 200


@dataclass(frozen=True)
class Target:
    """A compute target as the dispatcher sees it. slots: how many runners it takes at once."""

    name: str
    slots: int


@repeating
def next_orders(
    target: Target,
    *,
    store: Store,
    address: Address,
    handed: AbstractSet[tuple[str, int]],
    now: datetime,
) -> list[StartOrder]:
    """Store the attempts that may start now and return what their runners are told.

    handed: (run_id, attempt) of the salvages that this server has given to the driver already.
    Runs that find no slot are told so.
    """
    orders: list[StartOrder] = []
    with store.database.transaction() as tx:
        present = attempts.find_open(tx, target=target.name)
        for due in present:
            if not _is_due(due) or (due.run_id, due.number) in handed:
                continue
            found = runs.lock_key(tx, due.run_key)
            # Read again under the lock: it may have ended, or been claimed, meanwhile.
            attempt = attempts.find(tx, due.run_key, due.number)
            if attempt is not None and _is_due(attempt) and found.run.attempt == attempt.number:
                orders.append(_order(tx, store, address, found, attempt, variables={}, now=now))
        free = max(0, target.slots - len(present))
        waiting = runs.find_waiting(tx, target.name, free + _TOLD_MAX)
        for found in waiting[:free]:
            order = _start(tx, store, address, target, found, now=now)
            if order is not None:
                orders.append(order)
        for found in waiting[free:]:
            if found.run.reason is None:
                _tell(tx, found, target, now=now)
    return [_with_snapshot(order, store) for order in orders]


def _is_due(attempt: Attempt) -> bool:
    """Say whether an attempt is a salvage that no runner has."""
    return attempt.kind is AttemptKind.SALVAGE and not attempt.claimed and attempt.ended_at is None


def _with_snapshot(order: StartOrder, store: Store) -> StartOrder:
    """Give a small snapshot along: its runner has one request less to wait for."""
    spec = order.spec
    if order.kind is AttemptKind.SALVAGE or spec is None or spec.snapshot_id is None:
        return order
    try:
        with store.database.reading() as tx:
            snapshot = snapshots.get(tx, order.workspace["workspace_id"], spec.snapshot_id)
        size = sum(file.size_bytes + _ENTRY_BYTES for file in snapshot.files)
        if size > _SNAPSHOT_MAX_BYTES:
            return order
        bundle = bundle_of(snapshot, store, max_bytes=_SNAPSHOT_MAX_BYTES)
    except (NotFound, OSError):
        # The runner will be told so, and say it in the run's own words. Nobody else may be held up
        # by it: the attempts of all these orders are stored already.
        return order
    text = b64encode(msgspec.json.encode(snapshot) + b"\n" + bundle).decode()
    return replace(order, snapshot=text)


def _start(
    tx: Transaction,
    store: Store,
    address: Address,
    target: Target,
    found: Found,
    *,
    now: datetime,
) -> StartOrder | None:
    try:
        sealed = runs.sealed_environment(tx, found.key)
        variables = seal.unseal_variables(store.key, found.run.run_id, sealed)
    except seal.SealBroken:
        # One such run must not keep the others from starting.
        _refuse(tx, found, "its environment variables were sealed with another key", now=now)
        return None
    number = found.run.attempt + 1
    folder = store.settings.home / "runs" / _folder_name(found.run.run_id) / str(number)
    attempt = attempts.insert(
        tx,
        found,
        number=number,
        kind=AttemptKind.RUN,
        target=target.name,
        folder=str(folder),
        now=now.timestamp(),
    )
    waits = Reason(ReasonKind.WAITS_FOR_RUNNER, {"target": target.name})
    after = replace(found.run, attempt=number, claimed=False, reason=waits)
    run = runs.change(tx, found, after, now=now)
    there = replace(found, run=run)
    return _order(tx, store, address, there, attempt, variables=variables, now=now)


def _refuse(tx: Transaction, found: Found, problem: str, *, now: datetime) -> None:
    reason = Reason(ReasonKind.RUNNER_NOT_STARTED, {"problem": problem})
    error = RunError(code="SystemError", message=sentence(reason))
    after = replace(found.run, state=RunState.FAILED, reason=reason, error=error)
    runs.change(tx, found, after, now=now)
    tokens.expire(tx, found.run.run_id, now.timestamp())


def _order(
    tx: Transaction,
    store: Store,
    address: Address,
    found: Found,
    attempt: Attempt,
    *,
    variables: dict[str, str],
    now: datetime,
) -> StartOrder:
    run = found.run
    token = tokens.new_token()
    tokens.add_for_attempt(
        tx,
        token,
        run_id=run.run_id,
        attempt=attempt.number,
        workspace_id=run.workspace_id,
        now=now.timestamp(),
    )
    home = Path(address.home)
    return StartOrder(
        run_id=run.run_id,
        attempt=attempt.number,
        kind=attempt.kind,
        token=token,
        folder=attempt.folder,
        url=address.url,
        socket_path=address.socket_path,
        address_file=str(home / "server.json"),
        sdk_path=str(home / "sdk" / ZAFFRE_VERSION),
        workspace=_names(workspaces.get(tx, run.workspace_id)),
        experiment_id=run.experiment_id,
        experiment_name=run.experiment_name,
        root_run_id=run.root_run_id or run.run_id,
        process_environment=variables,
        spec=run.spec,
        final=attempt.final,
        log_max_bytes=store.settings.log_max_bytes,
    )


def _names(workspace: Workspace) -> dict[str, str]:
    return {
        "workspace_id": workspace.workspace_id,
        "name": workspace.name,
        "subscription_id": workspace.subscription_id,
        "resource_group": workspace.resource_group,
        "location": workspace.location,
    }


def _tell(tx: Transaction, found: Found, target: Target, *, now: datetime) -> None:
    facts: dict[str, object] = {
        "target": target.name,
        "running": target.slots,
        "slots": target.slots,
        "ahead": runs.count_waiting_before(tx, target.name, found.key),
    }
    after = replace(found.run, reason=Reason(ReasonKind.WAITS_FOR_SLOT, facts))
    runs.change(tx, found, after, now=now)


def _folder_name(run_id: str) -> str:
    if len(run_id.encode()) <= _FOLDER_NAME_MAX_BYTES:
        return run_id
    return f"{run_id[:40]}-{hashlib.sha256(run_id.encode()).hexdigest()[:32]}"
