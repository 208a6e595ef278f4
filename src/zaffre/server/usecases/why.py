"""Why a run waits, failed or did not happen, and where its time went."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from zaffre.contract.reason import Reason, ReasonKind, sentence
from zaffre.contract.run import FINAL, RunState
from zaffre.server.access import Caller, require
from zaffre.server.store import attempt as attempts
from zaffre.server.store import history
from zaffre.server.store import run as runs
from zaffre.server.store.database import Transaction
from zaffre.server.store.run import Found
from zaffre.server.store.store import Store


@dataclass(frozen=True)
class Line:
    """One thing that happened to a run."""

    at: datetime
    state: RunState
    attempt: int
    sentence: str | None


@dataclass(frozen=True)
class Why:
    """What `zaffre why` shows. durations: seconds in each state so far."""

    run_id: str
    state: RunState
    sentence: str | None = None
    reason: Reason | None = None
    history: list[Line] = field(default_factory=list)
    durations: dict[str, float] = field(default_factory=dict)


def why(run_id: str, *, caller: Caller, store: Store, now: datetime) -> Why:
    """Return a run's present reason in words, its history and its durations."""
    with store.database.reading() as tx:
        found = runs.get(tx, run_id)
        require(caller, "run.read", found.run)
        happened = history.of_run(tx, found.key)
        reason = _present(tx, found, store)
    run = found.run
    ends = [line.at for line in happened[1:]]
    ends.append(happened[-1].at if run.state in FINAL else now.timestamp())
    durations: dict[str, float] = {}
    for line, end in zip(happened, ends, strict=True):
        if line.state not in FINAL:
            spent = max(0.0, end - line.at)
            durations[line.state.value] = durations.get(line.state.value, 0.0) + spent
    return Why(
        run_id=run_id,
        state=run.state,
        sentence=_words(reason),
        reason=reason,
        history=[
            Line(
                at=datetime.fromtimestamp(line.at, UTC),
                state=line.state,
                attempt=line.attempt,
                sentence=_words(line.reason),
            )
            for line in happened
        ],
        durations={name: round(seconds, 6) for name, seconds in durations.items()},
    )


def _present(tx: Transaction, found: Found, store: Store) -> Reason | None:
    """Return the run's reason; how many wait before it is counted now, not when it was stored."""
    reason, target = found.run.reason, found.run.target
    if found.run.state is not RunState.QUEUED or target is None:
        return reason
    if reason is not None and reason.kind is not ReasonKind.WAITS_FOR_SLOT:
        return reason
    facts: dict[str, object] = {
        "target": target,
        "running": attempts.count_open(tx, target),
        "slots": store.settings.slots,
        "ahead": runs.count_waiting_before(tx, target, found.key),
    }
    waits = reason or Reason(ReasonKind.WAITS_FOR_SLOT)
    return replace(waits, facts=facts)


def _words(reason: Reason | None) -> str | None:
    return None if reason is None else sentence(reason)
