"""Attempts: what a runner claims, reports and renews, and what becomes of its run without it.

One runner counts: the one whose claim the run's present attempt holds. Every other is refused by
AttemptSuperseded and ends. A claimed attempt whose runner dies is followed by a SALVAGE attempt,
which ships what the dead one left and then ends the run; an attempt that no runner claims is
followed by another, up to START_MAX.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from zaffre.compute.driver import Exit
from zaffre.contract.attempt import AttemptKind, Claim, Report
from zaffre.contract.errors import AttemptSuperseded, Forbidden, Invalid
from zaffre.contract.reason import Reason, ReasonKind, sentence
from zaffre.contract.run import FINAL, Run, RunError, RunState
from zaffre.server.access import Caller
from zaffre.server.store import attempt as attempts
from zaffre.server.store import history
from zaffre.server.store import log as logs
from zaffre.server.store import run as runs
from zaffre.server.store import token as tokens
from zaffre.server.store.attempt import Attempt
from zaffre.server.store.database import Transaction, repeating
from zaffre.server.store.run import Found
from zaffre.server.store.store import Store
from zaffre.server.usecases.log import SCRIPT_LOG
from zaffre.server.usecases.run import end_children

#: How often a run's start is tried when no runner claims it, and a salvage.
START_MAX = 3

_STOPPED = frozenset({*FINAL, RunState.CANCEL_REQUESTED})
_WITH_RUNNER = frozenset(
    {RunState.PREPARING, RunState.STARTING, RunState.RUNNING, RunState.FINALIZING}
)


@dataclass(frozen=True)
class Claimed:
    """What a runner is told when it has its attempt."""

    run: Run
    state: RunState


def claim(
    run_id: str, number: int, asked: Claim, *, caller: Caller, store: Store, now: datetime
) -> Claimed:
    """Give an attempt to the runner that asks first; the same one may ask again.

    Raises AttemptSuperseded for any other, and if the run is to stop.
    """
    _require_own(caller, run_id, number)
    seconds = now.timestamp()
    with store.database.transaction() as tx:
        found, attempt = _lock_present(tx, run_id, number)
        if attempt.claim_id == asked.claim_id:
            return Claimed(found.run, found.run.state)
        refused = found.run.state in _STOPPED and attempt.kind is AttemptKind.RUN
        if attempt.claimed or refused:
            raise AttemptSuperseded(run_id, number)
        until = seconds + store.settings.lease_s
        attempts.set_claim(tx, attempt, asked, now=seconds, until=until)
        after = replace(found.run, claimed=True)
        if attempt.kind is AttemptKind.RUN:
            after = replace(after, state=RunState.PREPARING, reason=None)
            runs.forget_environment(tx, found.key)
        tx.notify("attempts")
        changed = runs.change(tx, found, after, now=now)
        return Claimed(changed, changed.state)


def report(
    run_id: str,
    number: int,
    said: Report,
    *,
    claim_id: str,
    caller: Caller,
    store: Store,
    now: datetime,
) -> RunState:
    """Take what a runner reports; return the run's state. Every report may come twice.

    A final one ends attempt, run and token. Any other is set aside once the run is to stop, and
    the answer tells the runner so. claim_id: as the runner's claim had it; scripts have the token
    too, but not this.
    """
    _require_own(caller, run_id, number)
    if said.state in (RunState.QUEUED, RunState.NOT_STARTED, RunState.CANCEL_REQUESTED):
        raise Invalid("state", f"a runner cannot report {said.state.value}")
    if said.state in FINAL:
        return _report_end(run_id, number, said, claim_id=claim_id, store=store, now=now)
    with store.database.transaction() as tx:
        found, attempt = _lock_present(tx, run_id, number)
        if attempt.claim_id != claim_id:
            raise AttemptSuperseded(run_id, number)
        attempts.set_lease(tx, found.key, number, now.timestamp() + store.settings.lease_s)
        run = found.run
        if run.state in _STOPPED or attempt.kind is AttemptKind.SALVAGE:
            return run.state
        if said.state is RunState.RUNNING:
            # A script that prints nothing has a log all the same, without a request for it.
            logs.put(tx, found.key, SCRIPT_LOG, now=now.timestamp())
        after = replace(
            run,
            state=said.state,
            warnings=_joined(run.warnings, said.warnings),
            reason=said.reason if run.error is None else run.reason,
        )
        return runs.change(tx, found, after, now=now).state


def _report_end(
    run_id: str,
    number: int,
    said: Report,
    *,
    claim_id: str,
    store: Store,
    now: datetime,
) -> RunState:
    with store.database.transaction(durable=True) as tx:
        found = runs.lock(tx, run_id)
        run = found.run
        attempt = attempts.find(tx, found.key, number) if run.attempt == number else None
        if attempt is None or attempt.claim_id != claim_id:
            raise AttemptSuperseded(run_id, number)
        if attempt.ended_at is not None:
            if run.state in FINAL:
                return run.state  # the answer to the first one was lost
            raise AttemptSuperseded(run_id, number)
        return end_run(tx, found, attempt, said, now=now).state


def end_run(tx: Transaction, found: Found, attempt: Attempt, said: Report, *, now: datetime) -> Run:
    """End attempt, run and tokens by a final report; a run that has ended keeps its end."""
    run = found.run
    attempts.end(tx, attempt, now.timestamp())
    tokens.expire(tx, run.run_id, now.timestamp())
    tx.notify("attempts")
    tx.notify(f"run:{run.run_id}")
    if run.state in FINAL:
        end_children(tx, run, made_by=f"run {run.run_id}", now=now)
        return run
    state, error, reason = said.state, said.error, said.reason
    if state is RunState.COMPLETED and run.error is not None:
        # The script has called run.fail() and then ended well.
        state, error, reason = RunState.FAILED, run.error, run.reason
    if state is RunState.CANCELED and reason is None:
        who = run.reason.facts.get("who", "?") if run.reason is not None else "?"
        reason = Reason(ReasonKind.CANCELED_BY_USER, {"who": who})
    if state is RunState.FAILED and error is None:
        words = "The run failed." if reason is None else sentence(reason)
        error = RunError(code="SystemError", message=words[:3000])
    after = replace(
        run,
        state=state,
        error=error if state is RunState.FAILED else None,
        reason=reason,
        warnings=_joined(run.warnings, said.warnings),
    )
    ended = runs.change(tx, found, after, now=now)
    end_children(tx, ended, made_by=f"run {run.run_id}", now=now)
    return ended


@repeating
def renew(
    run_id: str, number: int, *, claim_id: str, caller: Caller, store: Store, now: datetime
) -> RunState:
    """Extend a runner's lease; return the run's state. NotResponding is left again.

    claim_id: as the runner's claim had it.
    """
    _require_own(caller, run_id, number)
    with store.database.transaction() as tx:
        found, attempt = _lock_present(tx, run_id, number)
        if attempt.claim_id != claim_id:
            raise AttemptSuperseded(run_id, number)
        attempts.set_lease(tx, found.key, number, now.timestamp() + store.settings.lease_s)
        if found.run.state is not RunState.NOT_RESPONDING:
            return found.run.state
        before = history.last_state_before(tx, found.key, RunState.NOT_RESPONDING)
        again = before if before in _WITH_RUNNER else RunState.RUNNING
        after = replace(found.run, state=again, reason=None)
        return runs.change(tx, found, after, now=now).state


def state_of(run_id: str, number: int, *, store: Store) -> RunState:
    """Return the run's state for the runner of its present attempt."""
    with store.database.reading() as tx:
        found = runs.get(tx, run_id)
        attempt = attempts.find(tx, found.key, number)
    if attempt is None or found.run.attempt != number:
        raise AttemptSuperseded(run_id, number)
    if attempt.ended_at is not None and found.run.state not in FINAL:
        raise AttemptSuperseded(run_id, number)
    return found.run.state


def runner_died(run_id: str, number: int, exit_: Exit, *, store: Store, now: datetime) -> None:
    """Go on without a runner that has ended before its last report was taken.

    One that has reported its end, or never had the attempt, changes nothing.
    """
    with store.database.transaction(durable=True) as tx:
        found = runs.lock(tx, run_id)
        attempt = attempts.find(tx, found.key, number)
        if attempt is None or attempt.ended_at is not None:
            return
        if not attempt.claimed:
            problem = f"it ended before it could ask for the run{exit_.how}"
            _start_again(tx, found, attempt, _not_started(problem), now=now)
        elif (attempt.pid, attempt.start_time) == (exit_.pid, exit_.start_time):
            facts: dict[str, object] = {"pid": exit_.pid, "how": exit_.how}
            _salvage(tx, found, attempt, Reason(ReasonKind.RUNNER_DIED, facts), now=now)


def start_failed(run_id: str, number: int, problem: str, *, store: Store, now: datetime) -> None:
    """End a run whose driver cannot start a runner."""
    with store.database.transaction(durable=True) as tx:
        found = runs.lock(tx, run_id)
        attempt = attempts.find(tx, found.key, number)
        if attempt is None or attempt.ended_at is not None or attempt.claimed:
            return
        end_run(tx, found, attempt, _final(found.run, _not_started(problem)), now=now)


def not_claimed(run_id: str, number: int, *, store: Store, now: datetime) -> None:
    """Follow an attempt that no runner has claimed in time by another one."""
    problem = f"it did not ask for the run within {store.settings.start_limit_s:.0f} s"
    with store.database.transaction() as tx:
        found = runs.lock(tx, run_id)
        attempt = attempts.find(tx, found.key, number)
        if attempt is None or attempt.ended_at is not None or attempt.claimed:
            return
        _start_again(tx, found, attempt, _not_started(problem), now=now)


def is_unclaimed(run_id: str, number: int, *, store: Store) -> bool:
    """Say whether an attempt still waits for its runner."""
    with store.database.reading() as tx:
        attempt = attempts.find(tx, runs.get(tx, run_id).key, number)
    return attempt is not None and not attempt.claimed and attempt.ended_at is None


@repeating
def recover(*, store: Store, target: str, now: datetime) -> list[Attempt]:
    """Look through the attempts that an earlier server has left; return the claimed ones.

    Whether an unclaimed attempt was ever started is not known, so it is forgotten and a new one
    follows it: it does not count as a start that failed. A runner that did start is refused when
    it claims. All leases begin anew.
    """
    claimed: list[Attempt] = []
    with store.database.transaction() as tx:
        attempts.extend_leases(tx, now.timestamp() + store.settings.lease_s)
        runs.extend_leases(tx, now.timestamp() + store.settings.lease_s)
        for found in attempts.find_open(tx, target=target):
            runs.lock_key(tx, found.run_key)
            # Read again under the lock: its runner may claim it at this moment.
            attempt = attempts.find(tx, found.run_key, found.number)
            if attempt is None or attempt.ended_at is not None:
                continue
            if attempt.claimed:
                claimed.append(attempt)
            elif attempt.kind is AttemptKind.RUN:
                attempts.remove(tx, attempt)
    return claimed


def _start_again(
    tx: Transaction, found: Found, attempt: Attempt, reason: Reason, *, now: datetime
) -> None:
    tried = attempts.count_unclaimed(tx, found.key, attempt.kind)
    final = attempt.final or _final(found.run, reason)
    if found.run.attempt != attempt.number:
        attempts.end(tx, attempt, now.timestamp())
    elif tried >= START_MAX or found.run.state in FINAL:
        end_run(tx, found, attempt, final, now=now)
    elif attempt.kind is AttemptKind.SALVAGE:
        attempts.end(tx, attempt, now.timestamp())
        _add_salvage(tx, found, attempt, final, now=now)
    else:
        attempts.end(tx, attempt, now.timestamp())  # still Queued: the dispatcher takes it


def _salvage(
    tx: Transaction, found: Found, attempt: Attempt, reason: Reason, *, now: datetime
) -> None:
    final = attempt.final or _final(found.run, reason)
    if found.run.attempt != attempt.number:
        attempts.end(tx, attempt, now.timestamp())
    elif attempts.count_kind(tx, found.key, AttemptKind.SALVAGE) >= START_MAX:
        end_run(tx, found, attempt, final, now=now)
    else:
        attempts.end(tx, attempt, now.timestamp())
        _add_salvage(tx, found, attempt, final, now=now)


def _add_salvage(
    tx: Transaction, found: Found, dead: Attempt, final: Report, *, now: datetime
) -> None:
    attempts.insert(
        tx,
        found,
        number=dead.number + 1,
        kind=AttemptKind.SALVAGE,
        target=dead.target,
        folder=dead.folder,
        now=now.timestamp(),
        final=final,
    )
    after = replace(found.run, attempt=dead.number + 1, claimed=False)
    runs.change(tx, found, after, now=now)
    tx.notify("queue")
    tx.notify("attempts")


def _final(run: Run, reason: Reason) -> Report:
    """Return how a run ends that no runner will end."""
    if run.state in FINAL:
        return Report(state=run.state)
    if run.state is RunState.CANCEL_REQUESTED:
        return Report(state=RunState.CANCELED)
    error = RunError(code="SystemError", message=sentence(reason)[:3000])
    return Report(state=RunState.FAILED, error=run.error or error, reason=reason)


def _not_started(problem: str) -> Reason:
    return Reason(ReasonKind.RUNNER_NOT_STARTED, {"problem": problem})


def _lock_present(tx: Transaction, run_id: str, number: int) -> tuple[Found, Attempt]:
    found = runs.lock(tx, run_id)
    attempt = attempts.find(tx, found.key, number) if found.run.attempt == number else None
    if attempt is None or attempt.ended_at is not None:
        raise AttemptSuperseded(run_id, number)
    return found, attempt


def _require_own(caller: Caller, run_id: str, number: int) -> None:
    if (caller.run_id, caller.attempt) != (run_id, number):
        raise Forbidden("attempt.report")


def _joined(before: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """A repeated report must not double its warnings."""
    return before + tuple(text for text in more if text not in before)
