"""SQL of attempts: the numbered starts of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from zaffre.contract.attempt import AttemptKind, Claim, Report
from zaffre.server.store.database import Prepared, Transaction
from zaffre.server.store.run import Found
from zaffre.server.store.tables import attempts, runs

_SLICE = 500
_encode = msgspec.json.Encoder().encode
_report = msgspec.json.Decoder(Report)
_columns = (*attempts.c, runs.c.run_id)
_one = Prepared(
    sa.select(*_columns)
    .join(runs, runs.c.run_key == attempts.c.run_key)
    .where(
        attempts.c.run_key == sa.bindparam("run_key"), attempts.c.number == sa.bindparam("number")
    )
)
_change = sa.update(attempts).where(
    attempts.c.run_key == sa.bindparam("of_key"), attempts.c.number == sa.bindparam("of_number")
)
_remove = sa.delete(attempts).where(
    attempts.c.run_key == sa.bindparam("of_key"), attempts.c.number == sa.bindparam("of_number")
)
_insert = sa.insert(attempts)
_open = (
    sa.select(*_columns)
    .join(runs, runs.c.run_key == attempts.c.run_key)
    .where(attempts.c.ended_at.is_(None))
    .order_by(attempts.c.run_key, attempts.c.number)
)
_open_on = _open.where(attempts.c.target == sa.bindparam("target"))


@dataclass(frozen=True)
class Attempt:
    """One start of a run as it stands in its row. Times are Unix seconds."""

    run_key: int
    run_id: str
    number: int
    kind: AttemptKind
    target: str
    folder: str
    created_at: float
    claim_id: str | None = None
    claimed_at: float | None = None
    pid: int | None = None
    start_time: int | None = None
    boot_id: str | None = None
    lease_until: float | None = None
    ended_at: float | None = None
    final: Report | None = None

    @property
    def claimed(self) -> bool:
        """Whether a runner has it."""
        return self.claim_id is not None


def find(tx: Transaction, run_key: int, number: int) -> Attempt | None:
    """Return an attempt of a run."""
    row = tx.fetch_one(_one, {"run_key": run_key, "number": number})
    return None if row is None else _read(row)


def insert(
    tx: Transaction,
    of: Found,
    *,
    number: int,
    kind: AttemptKind,
    target: str,
    folder: str,
    now: float,
    final: Report | None = None,
) -> Attempt:
    """Store a new attempt, before its driver is called."""
    tx.execute(
        _insert,
        {
            "run_key": of.key,
            "number": number,
            "kind": kind.value,
            "target": target,
            "folder": folder,
            "created_at": now,
            "final": None if final is None else _encode(final).decode(),
        },
    )
    return Attempt(
        run_key=of.key,
        run_id=of.run.run_id,
        number=number,
        kind=kind,
        target=target,
        folder=folder,
        created_at=now,
        final=final,
    )


def set_claim(tx: Transaction, attempt: Attempt, claim: Claim, *, now: float, until: float) -> None:
    """Give an attempt to the runner that claims it."""
    _update(
        tx,
        attempt,
        claim_id=claim.claim_id,
        claimed_at=now,
        pid=claim.pid,
        start_time=claim.start_time,
        boot_id=claim.boot_id,
        lease_until=until,
    )


def set_lease(tx: Transaction, run_key: int, number: int, until: float) -> None:
    """Store until when a runner counts as alive."""
    tx.execute(_change, {"of_key": run_key, "of_number": number, "lease_until": until})


def end(tx: Transaction, attempt: Attempt, now: float) -> None:
    """End an attempt: its slot is free."""
    _update(tx, attempt, ended_at=now)
    tx.notify("queue")


def remove(tx: Transaction, attempt: Attempt) -> None:
    """Forget an attempt: its slot is free, and its number is not given again."""
    tx.execute(_remove, {"of_key": attempt.run_key, "of_number": attempt.number})
    tx.notify("queue")


def find_open(tx: Transaction, *, target: str | None = None) -> list[Attempt]:
    """Return the attempts that have not ended, oldest run first."""
    rows = tx.execute(_open) if target is None else tx.execute(_open_on, {"target": target})
    return [_read(row) for row in rows]


def find_folders(tx: Transaction, folders: Sequence[str], *, ended_before: float) -> list[Attempt]:
    """Return the attempts of these folders whose run has ended before a time, and each attempt."""
    others = attempts.alias()
    still = sa.exists().where(others.c.run_key == attempts.c.run_key, others.c.ended_at.is_(None))
    found: list[Attempt] = []
    for start in range(0, len(folders), _SLICE):
        rows = tx.execute(
            sa.select(*_columns)
            .join(runs, runs.c.run_key == attempts.c.run_key)
            .where(
                attempts.c.folder.in_(folders[start : start + _SLICE]),
                runs.c.ended_at < ended_before,
                ~still,
            )
            .order_by(attempts.c.run_key, attempts.c.number.desc())
        )
        newest = {(row.run_key, row.folder): row for row in reversed(rows.all())}
        found += [_read(row) for row in newest.values()]
    return found


def count_open(tx: Transaction, target: str) -> int:
    """Return how many slots of a target are taken."""
    return tx.execute(
        sa.select(sa.func.count())
        .select_from(attempts)
        .where(attempts.c.ended_at.is_(None), attempts.c.target == target)
    ).scalar_one()


def count_unclaimed(tx: Transaction, run_key: int, kind: AttemptKind) -> int:
    """Return how many attempts of a kind a run has had that no runner ever claimed."""
    return tx.execute(
        sa.select(sa.func.count())
        .select_from(attempts)
        .where(
            attempts.c.run_key == run_key,
            attempts.c.kind == kind.value,
            attempts.c.claim_id.is_(None),
        )
    ).scalar_one()


def count_kind(tx: Transaction, run_key: int, kind: AttemptKind) -> int:
    """Return how many attempts of a kind a run has had."""
    return tx.execute(
        sa.select(sa.func.count())
        .select_from(attempts)
        .where(attempts.c.run_key == run_key, attempts.c.kind == kind.value)
    ).scalar_one()


def extend_leases(tx: Transaction, until: float) -> None:
    """Give every runner a lease until `until`."""
    tx.execute(
        sa.update(attempts)
        .where(attempts.c.ended_at.is_(None), attempts.c.lease_until.is_not(None))
        .values(lease_until=until)
    )


def _update(tx: Transaction, attempt: Attempt, **values: object) -> None:
    tx.execute(_change, {"of_key": attempt.run_key, "of_number": attempt.number, **values})


def _read(row: Any) -> Attempt:
    """Return the attempt of a row of `_columns`."""
    (
        run_key, number, kind, target, folder, created_at, claim_id, claimed_at, pid, start_time,
        boot_id, lease_until, ended_at, final, run_id,
    ) = row  # fmt: skip
    return Attempt(
        run_key=run_key,
        run_id=run_id,
        number=number,
        kind=AttemptKind(kind),
        target=target,
        folder=folder,
        created_at=created_at,
        claim_id=claim_id,
        claimed_at=claimed_at,
        pid=pid,
        start_time=start_time,
        boot_id=boot_id,
        lease_until=lease_until,
        ended_at=ended_at,
        final=None if final is None else _report.decode(final),
    )
