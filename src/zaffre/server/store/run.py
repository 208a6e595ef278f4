"""SQL of runs: their record, labels, and the only place where a state changes.

`change` refuses a move that `contract.run.MOVES` does not have, writes the history line and wakes
who waits. Who changes a run reads it with `lock`, so that on PostgreSQL two changes come one
after the other (on SQLite all writes do).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from zaffre.contract import parameters
from zaffre.contract.errors import NotFound
from zaffre.contract.reason import Reason
from zaffre.contract.run import FINAL, Run, RunError, RunSpec, RunState, move
from zaffre.server.store import history
from zaffre.server.store.database import Prepared, Transaction
from zaffre.server.store.tables import (
    attempts,
    run_history,
    run_parameters,
    run_properties,
    run_tags,
    runs,
    snapshots,
)

_SUMMARY = tuple(
    column
    for column in runs.c
    if column.name not in ("spec", "sealed_environment", "idempotency_key", "lease_until")
)
_WHOLE = (*_SUMMARY, runs.c.lease_until, runs.c.spec)
_STATES = {state.value: state for state in RunState}
_of_id = sa.select(*_WHOLE).where(runs.c.run_id == sa.bindparam("run_id"))
_by_id = Prepared(_of_id)
_by_id_locked = Prepared(_of_id.with_for_update())
_by_key_locked = Prepared(
    sa.select(*_WHOLE).where(runs.c.run_key == sa.bindparam("run_key")).with_for_update()
)
_insert = sa.insert(runs).returning(runs.c.run_key)
_update = sa.update(runs).where(runs.c.run_key == sa.bindparam("of_key"))
_repeat = sa.select(runs.c.experiment_id, runs.c.idempotency_key).where(
    runs.c.run_id == sa.bindparam("run_id")
)
_sealed = sa.select(runs.c.sealed_environment).where(runs.c.run_key == sa.bindparam("run_key"))
_first_line = sa.insert(run_history).values(
    run_key=sa.bindparam("run_key"),
    position=0,
    at=sa.bindparam("at"),
    state=sa.bindparam("state"),
    attempt=0,
)
_waiting = (
    sa.select(*_WHOLE)
    .where(
        runs.c.state == RunState.QUEUED.value,
        runs.c.target == sa.bindparam("target"),
        sa.not_(
            sa.select(sa.literal(1))
            .where(attempts.c.run_key == runs.c.run_key, attempts.c.ended_at.is_(None))
            .exists()
        ),
    )
    .order_by(runs.c.run_key)
    .limit(sa.bindparam("most"))
    .with_for_update()
)
_children = (
    sa.select(*_WHOLE)
    .where(
        runs.c.parent_run_id == sa.bindparam("run_id"),
        runs.c.submitted_by == sa.bindparam("submitted_by"),
        runs.c.spec.is_(None),
        runs.c.state.not_in([state.value for state in FINAL]),
    )
    .with_for_update()
)
_encode = msgspec.json.Encoder().encode
_tags = msgspec.json.Decoder(dict[str, str | None])
_properties = msgspec.json.Decoder(dict[str, str])
_warnings = msgspec.json.Decoder(tuple[str, ...])
_error = msgspec.json.Decoder(RunError)
_reason = msgspec.json.Decoder(Reason)
_spec = msgspec.json.Decoder(RunSpec)

#: How far up `ancestors` looks.
DEPTH_MAX = 100


@dataclass(frozen=True)
class Found:
    """A run as it stands in its row. lease_until: of an interactive run that is renewed."""

    key: int
    run: Run
    lease_until: float | None


@dataclass(frozen=True)
class Filter:
    """Which runs a list holds; None and empty do not select. Labels are (key, value or None)."""

    workspace_id: str | None = None
    experiment_id: str | None = None
    parent_run_id: str | None = None
    root_run_id: str | None = None
    top_level: bool = False
    type: str | None = None
    target: str | None = None
    states: Sequence[RunState] = ()
    tags: Sequence[tuple[str, str | None]] = ()
    properties: Sequence[tuple[str, str | None]] = ()


def get(tx: Transaction, run_id: str) -> Found:
    """Return a run. Raises NotFound."""
    return _found(tx.fetch_one(_by_id, {"run_id": run_id}), run_id)


def lock(tx: Transaction, run_id: str) -> Found:
    """Return a run that this transaction is about to change."""
    return _found(tx.fetch_one(_by_id_locked, {"run_id": run_id}), run_id)


def lock_key(tx: Transaction, run_key: int) -> Found:
    """Return a run by its key, to change it."""
    return _found(tx.fetch_one(_by_key_locked, {"run_key": run_key}), str(run_key))


def find_repeat(tx: Transaction, run_id: str) -> tuple[str, str] | None:
    """Return (experiment_id, idempotency_key) of the run that has this id, if one has."""
    row: Any = tx.execute(_repeat, {"run_id": run_id}).first()
    return None if row is None else (row.experiment_id, row.idempotency_key)


def insert(
    tx: Transaction,
    run: Run,
    *,
    idempotency_key: str,
    sealed_environment: bytes | None = None,
    lease_until: float | None = None,
) -> int:
    """Store a new run and the first line of its history; return its key.

    lease_until: of an interactive run that is renewed.

    Raises sqlalchemy's IntegrityError if the id is taken.
    """
    values = {
        "run_id": run.run_id,
        "workspace_id": run.workspace_id,
        "experiment_id": run.experiment_id,
        "experiment_name": run.experiment_name,
        "number": run.number,
        "state": run.state.value,
        "type": run.type,
        "target": run.target,
        "parent_run_id": run.parent_run_id,
        "root_run_id": run.root_run_id or run.run_id,
        "display_name": run.display_name,
        "description": run.description,
        "created_at": run.created_at.timestamp(),
        "started_at": _seconds(run.started_at),
        "snapshot_id": run.snapshot_id,
        "attempt": 0,
        "claimed": False,
        "submitted_by": run.submitted_by,
        "idempotency_key": idempotency_key,
        "warnings": _text(run.warnings),
        "tags": _text(run.tags),
        "properties": _text(run.properties),
        "spec": None if run.spec is None else _text(run.spec),
        "sealed_environment": sealed_environment,
        "lease_until": lease_until,
    }
    key = int(tx.execute(_insert, values).scalar_one())
    _index(tx, run_tags, key, run.tags)
    _index(tx, run_properties, key, run.properties)
    given = parameters.of_spec(run.spec)
    if given:
        tx.execute(
            sa.insert(run_parameters),
            [
                {"run_key": key, "key": name, "value": text, "number": parameters.as_number(text)}
                for name, text in given.items()
            ],
        )
    tx.execute(
        _first_line,
        {"run_key": key, "at": run.created_at.timestamp(), "state": run.state.value},
    )
    tx.notify(f"run:{run.run_id}")
    return key


def change(tx: Transaction, before: Found, after: Run, *, now: datetime) -> Run:
    """Store what differs between `before` (as locked) and `after`; return `after`.

    A change of state must stand in MOVES, else RunStateConflict; it sets started_at and ended_at,
    adds a line to the history and wakes who waits for the run. A changed reason adds a line too.
    """
    run = before.run
    if after.state is not run.state:
        move(run, after.state)  # refuses what is no move
        if after.state is RunState.RUNNING and after.started_at is None:
            after = replace(after, started_at=now)
        if after.state in FINAL:
            after = replace(after, ended_at=now)
    values = _changed_columns(run, after)
    if after.state in FINAL and run.state not in FINAL:
        values["sealed_environment"] = None
        values["lease_until"] = None
    if not values:
        return after
    tx.execute(_update, {**values, "of_key": before.key})
    if after.tags != run.tags:
        _reindex(tx, run_tags, before.key, after.tags)
    if after.properties != run.properties:
        _reindex(tx, run_properties, before.key, after.properties)
    if after.state is not run.state or (after.reason != run.reason and after.reason is not None):
        history.add(
            tx,
            before.key,
            at=now.timestamp(),
            state=after.state.value,
            attempt=after.attempt,
            reason=None if after.reason is None else _text(after.reason),
        )
    if after.state is not run.state or after.attempt != run.attempt:
        tx.notify(f"run:{run.run_id}")
    return after


def set_lease(tx: Transaction, run_key: int, until: float | None) -> None:
    """Store until when an interactive run counts as alive."""
    tx.execute(_update, {"of_key": run_key, "lease_until": until})


def sealed_environment(tx: Transaction, run_key: int) -> bytes | None:
    """Return the submitter's variables, sealed; None if there are none (any more)."""
    return tx.execute(_sealed, {"run_key": run_key}).scalar()


def forget_environment(tx: Transaction, run_key: int) -> None:
    """Remove the submitter's variables: the runner has them."""
    tx.execute(_update, {"of_key": run_key, "sealed_environment": None})


def has_snapshot(tx: Transaction, workspace_id: str, snapshot_id: str) -> bool:
    """Say whether a workspace holds a snapshot that a run may name."""
    return (
        tx.execute(
            sa.select(snapshots.c.created_at).where(
                snapshots.c.workspace_id == workspace_id, snapshots.c.snapshot_id == snapshot_id
            )
        ).first()
        is not None
    )


def ancestors(tx: Transaction, run: Run) -> frozenset[str]:
    """Return the ids of the runs above `run`."""
    found: set[str] = set()
    parent = run.parent_run_id
    while parent is not None and parent not in found and len(found) < DEPTH_MAX:
        found.add(parent)
        parent = tx.execute(sa.select(runs.c.parent_run_id).where(runs.c.run_id == parent)).scalar()
    return frozenset(found)


def find_waiting(tx: Transaction, target: str, limit: int) -> list[Found]:
    """Return queued runs of a target that have no attempt under way, oldest first."""
    rows = tx.execute(_waiting, {"target": target, "most": limit})
    return [_found(row, "") for row in rows]


def find_silent(tx: Transaction, now: float) -> list[Found]:
    """Return interactive runs whose lease has passed and that still count as alive."""
    rows = tx.execute(
        sa.select(*_WHOLE)
        .where(runs.c.lease_until < now, runs.c.state == RunState.RUNNING.value)
        .with_for_update()
    )
    return [_found(row, "") for row in rows]


def find_in_state(tx: Transaction, state: RunState) -> list[Found]:
    """Return all runs in one state, oldest first."""
    rows = tx.execute(
        sa.select(*_WHOLE).where(runs.c.state == state.value).order_by(runs.c.run_key)
    )
    return [_found(row, "") for row in rows]


def find_children(tx: Transaction, run_id: str, submitted_by: str) -> list[Found]:
    """Return the unfinished children that `submitted_by` has made and that nothing runs."""
    rows = tx.execute(_children, {"run_id": run_id, "submitted_by": submitted_by})
    return [_found(row, "") for row in rows]


def count_waiting_before(tx: Transaction, target: str, run_key: int) -> int:
    """Return how many runs of a target are queued before this one."""
    return tx.execute(
        sa.select(sa.func.count())
        .select_from(runs)
        .where(
            runs.c.state == RunState.QUEUED.value,
            runs.c.target == target,
            runs.c.run_key < run_key,
        )
    ).scalar_one()


def extend_leases(tx: Transaction, until: float) -> None:
    """Give every leased interactive run a lease until `until`."""
    tx.execute(sa.update(runs).where(runs.c.lease_until.is_not(None)).values(lease_until=until))


def _found(row: Any, run_id: str) -> Found:
    """Return a row of _SUMMARY, the lease and the spec."""
    if row is None:
        raise NotFound("run", run_id)
    lease_until, spec = row[-2:]
    run = _read(row, spec=None if spec is None else _spec.decode(spec))
    return Found(key=row[0], run=run, lease_until=lease_until)


def _read(row: Any, *, spec: RunSpec | None) -> Run:
    """Return the run of a row that begins with _SUMMARY, in the order of its columns.

    By position, which is twice as fast as by name.
    """
    (
        _key, run_id, workspace_id, experiment_id, experiment_name, number, state, kind, target,
        parent_run_id, root_run_id, display_name, description, created_at, started_at, ended_at,
        snapshot_id, attempt, claimed, submitted_by, error, reason, warnings, tags, properties,
    ) = row[: len(_SUMMARY)]  # fmt: skip
    return Run(
        run_id=run_id,
        workspace_id=workspace_id,
        experiment_id=experiment_id,
        experiment_name=experiment_name,
        number=number,
        state=_STATES[state],
        created_at=datetime.fromtimestamp(created_at, UTC),
        type=kind,
        target=target,
        parent_run_id=parent_run_id,
        root_run_id=root_run_id,
        display_name=display_name,
        description=description,
        started_at=None if started_at is None else datetime.fromtimestamp(started_at, UTC),
        ended_at=None if ended_at is None else datetime.fromtimestamp(ended_at, UTC),
        tags={} if tags == "{}" else _tags.decode(tags),
        properties={} if properties == "{}" else _properties.decode(properties),
        snapshot_id=snapshot_id,
        attempt=attempt,
        claimed=bool(claimed),
        error=None if error is None else _error.decode(error),
        reason=None if reason is None else _reason.decode(reason),
        warnings=() if warnings == "[]" else _warnings.decode(warnings),
        submitted_by=submitted_by,
        spec=spec,
    )


#: How the changeable fields of a Run stand in its row.
_JSON_FIELDS = ("tags", "properties", "warnings")
_JSON_OR_NULL = ("error", "reason")
_TIMES = ("started_at", "ended_at")
_PLAIN = ("display_name", "description", "attempt", "claimed", "snapshot_id")


def _changed_columns(before: Run, after: Run) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if after.state is not before.state:
        values["state"] = after.state.value
    for name in (*_PLAIN, *_TIMES, *_JSON_FIELDS, *_JSON_OR_NULL):
        new = getattr(after, name)
        if new == getattr(before, name):
            continue
        if name in _TIMES:
            new = _seconds(new)
        elif name in _JSON_FIELDS or (name in _JSON_OR_NULL and new is not None):
            new = _text(new)
        values[name] = new
    return values


def _index(tx: Transaction, table: sa.Table, key: int, labels: dict[str, Any]) -> None:
    if labels:
        tx.execute(
            sa.insert(table),
            [{"run_key": key, "key": name, "value": value} for name, value in labels.items()],
        )


def _reindex(tx: Transaction, table: sa.Table, key: int, labels: dict[str, Any]) -> None:
    tx.execute(sa.delete(table).where(table.c.run_key == key))
    _index(tx, table, key, labels)


def _text(value: Any) -> str:
    return _encode(value).decode()


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
