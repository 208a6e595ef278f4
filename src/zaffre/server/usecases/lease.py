"""What becomes of runs whose runner or notebook is silent. When to look: loops.leases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from zaffre.contract.reason import Reason, ReasonKind
from zaffre.contract.run import MOVES, RunState
from zaffre.server.store import attempt as attempts
from zaffre.server.store import run as runs
from zaffre.server.store import token as tokens
from zaffre.server.store.database import repeating
from zaffre.server.store.store import Store
from zaffre.server.usecases import run as usecase


@dataclass(frozen=True)
class Overdue:
    """Runners to kill, as (run_id, attempt): silent for longer than a limit allows."""

    kill: list[tuple[str, int]]


@repeating
def grant(*, store: Store, now: datetime) -> None:
    """Begin all leases anew: the clock was not to be trusted, or nobody could have renewed."""
    until = now.timestamp() + store.settings.lease_s
    with store.database.transaction() as tx:
        attempts.extend_leases(tx, until)
        runs.extend_leases(tx, until)


@repeating
def expire(*, store: Store, now: datetime) -> Overdue:
    """Mark as NotResponding what has not renewed, and name the runners that are past a limit.

    A renewal leads back. A runner that was asked to cancel and is silent is to be killed; so is
    one that has been silent for `silent_limit_s`.
    """
    seconds = now.timestamp()
    kill: list[tuple[str, int]] = []
    with store.database.reading() as tx:
        late = [
            attempt
            for attempt in attempts.find_open(tx)
            if attempt.lease_until is not None and attempt.lease_until < seconds
        ]
        notebooks = runs.find_silent(tx, seconds)
    if not late and not notebooks:
        return Overdue(kill)
    with store.database.transaction() as tx:
        for attempt in late:
            found = runs.lock_key(tx, attempt.run_key)
            present = attempts.find(tx, attempt.run_key, attempt.number)
            if (
                present is None
                or present.ended_at is not None
                or present.lease_until is None
                or present.lease_until >= seconds
            ):
                continue  # it has renewed meanwhile
            state = found.run.state
            silent_s = seconds - present.lease_until
            if state is RunState.CANCEL_REQUESTED or silent_s > store.settings.silent_limit_s:
                kill.append((attempt.run_id, attempt.number))
            elif RunState.NOT_RESPONDING in MOVES[state]:
                heard = present.lease_until - store.settings.lease_s
                reason = Reason(ReasonKind.RUNNER_SILENT, {"since": _words(heard)})
                after = replace(found.run, state=RunState.NOT_RESPONDING, reason=reason)
                runs.change(tx, found, after, now=now)
        for waiting in runs.find_silent(tx, seconds):
            heard = (waiting.lease_until or seconds) - store.settings.lease_s
            reason = Reason(ReasonKind.NOTEBOOK_SILENT, {"since": _words(heard)})
            after = replace(waiting.run, state=RunState.NOT_RESPONDING, reason=reason)
            runs.change(tx, waiting, after, now=now)
    return Overdue(kill)


def find_running(*, store: Store) -> list[tuple[str, int, float]]:
    """Return (run_id, attempt, max_duration_s) of the running runs that have a limit."""
    with store.database.reading() as tx:
        return [
            (found.run.run_id, found.run.attempt, float(found.run.spec.max_duration_s))
            for found in runs.find_in_state(tx, RunState.RUNNING)
            if found.run.spec is not None and found.run.spec.max_duration_s
        ]


@repeating
def cancel_overlong(run_id: str, number: int, *, store: Store, now: datetime) -> None:
    """Cancel a run whose runner should have done so long ago."""
    with store.database.transaction(durable=True) as tx:
        found = runs.lock(tx, run_id)
        run = found.run
        if run.state is RunState.RUNNING and run.attempt == number and run.spec is not None:
            facts: dict[str, object] = {"limit_s": run.spec.max_duration_s}
            reason = Reason(ReasonKind.DURATION_PASSED, facts)
            usecase.cancel_locked(tx, found, who="max_run_duration", now=now, reason=reason)


def remove_expired_tokens(*, store: Store, now: datetime) -> None:
    """Remove the tokens of runs that have ended."""
    with store.database.transaction() as tx:
        tokens.remove_expired(tx, now.timestamp())


def _words(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
