"""Runs: created, read, labelled, and ended from outside.

What a runner says of its run is in usecases.attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy.exc

from zaffre.contract import names
from zaffre.contract.attempt import AttemptKind
from zaffre.contract.errors import (
    AlreadyExists,
    Invalid,
    NotFound,
    PropertyImmutable,
    RunStateConflict,
)
from zaffre.contract.reason import Reason, ReasonKind
from zaffre.contract.run import FINAL, Run, RunError, RunRequest, RunState
from zaffre.contract.search import Field, Query, SearchTooSlow
from zaffre.contract.workspace import Experiment
from zaffre.server import seal
from zaffre.server.access import Caller, require, require_change
from zaffre.server.store import attempt as attempts
from zaffre.server.store import experiment as experiments
from zaffre.server.store import run as runs
from zaffre.server.store import run_key as run_keys
from zaffre.server.store import run_list, run_table
from zaffre.server.store import token as tokens
from zaffre.server.store.attempt import Attempt
from zaffre.server.store.database import Transaction
from zaffre.server.store.run import Filter, Found
from zaffre.server.store.run_list import RunLine
from zaffre.server.store.store import Store
from zaffre.server.usecases.experiment import open_active
from zaffre.server.usecases.run_access import require_related

#: Compute targets that runs may name.
TARGETS = ("local",)
#: Longest page of a list; most runs of one batch.
PAGE_MAX = 1_000
BATCH_MAX = 10_000
#: Most columns and rows of a table.
COLUMNS_MAX = 200
ROWS_MAX = 1_000_000
NAME_MAX_CHARS = 500
DESCRIPTION_MAX_CHARS = 5_000
ERROR_MAX_CHARS = 3_000
WARNINGS_MAX = 20

_FIRST_STATES = (RunState.QUEUED, RunState.RUNNING, RunState.NOT_STARTED)


@dataclass(frozen=True)
class Created:
    """Runs, in the order asked for, and whether this request has made one of them."""

    runs: list[Run]
    created: bool


def create(
    experiment_id: str,
    requests: Sequence[RunRequest],
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> Created:
    """Record runs, all in one transaction; one that was recorded before is returned as it is.

    Raises AlreadyExists if a run of that id was made by another request.
    """
    if len(requests) > BATCH_MAX:
        raise Invalid("items", f"has {len(requests)} runs, at most {BATCH_MAX}")
    for request in requests:
        _check(request)
        if store.settings.team and request.spec is not None and request.spec.target == "local":
            raise Invalid(
                "spec.target",
                "'local' is off on a team's server: users' code would run under its account",
            )
    sealed = [
        None
        if not request.process_environment
        else seal.seal_variables(store.key, request.run_id, request.process_environment)
        for request in requests
    ]
    try:
        return _create(experiment_id, requests, sealed, caller=caller, store=store, now=now)
    except sqlalchemy.exc.IntegrityError:
        # Another server process has stored one of the ids meanwhile; now it is found.
        return _create(experiment_id, requests, sealed, caller=caller, store=store, now=now)


def _create(
    experiment_id: str,
    requests: Sequence[RunRequest],
    sealed: Sequence[bytes | None],
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> Created:
    with store.database.transaction(durable=True) as tx:
        repeats = [runs.find_repeat(tx, request.run_id) for request in requests]
        added = repeats.count(None)
        experiment, last = _count(tx, experiment_id, added, now=now)
        require(caller, "run.create", experiment)
        number = last - added
        made: list[Run] = []
        roots: dict[str | None, str] = {}
        for request, secret, repeat in zip(requests, sealed, repeats, strict=True):
            if repeat is not None:
                if repeat != (experiment.experiment_id, request.idempotency_key):
                    raise AlreadyExists("run", request.run_id, "Give the new run another id.")
                made.append(runs.get(tx, request.run_id).run)
                continue
            number += 1
            parent = request.parent_run_id
            if parent is not None and parent not in roots:
                roots[parent] = _root(tx, parent, experiment.workspace_id, caller)
            run = Run(
                run_id=request.run_id,
                workspace_id=experiment.workspace_id,
                experiment_id=experiment.experiment_id,
                experiment_name=experiment.name,
                number=number,
                state=request.state,
                created_at=now,
                started_at=now if request.state is RunState.RUNNING else None,
                type=request.type,
                target=request.target or (request.spec.target if request.spec else None),
                parent_run_id=parent,
                root_run_id=roots.get(parent, request.run_id),
                display_name=request.display_name,
                description=request.description,
                tags=names.label(request.tags, "tags"),
                properties=_properties(request.properties),
                snapshot_id=_snapshot(tx, request, experiment.workspace_id),
                submitted_by=caller.name,
                spec=request.spec,
                warnings=request.warnings,
            )
            # A notebook renews its run; what a notebook or a script begins below one lives with it.
            leased = run.state is RunState.RUNNING and parent is None and caller.is_owner
            runs.insert(
                tx,
                run,
                idempotency_key=request.idempotency_key,
                sealed_environment=secret,
                lease_until=now.timestamp() + store.settings.lease_s if leased else None,
            )
            made.append(run)
        if any(run.state is RunState.QUEUED for run in made):
            tx.notify("queue")
    return Created(made, created=added > 0)


def _count(
    tx: Transaction, experiment_id: str, added: int, *, now: datetime
) -> tuple[Experiment, int]:
    """Take run numbers of an experiment; one that is archived gives way to an active namesake."""
    counted = experiments.count_runs(tx, experiment_id, added)
    if counted is None:
        archived = experiments.get(tx, experiment_id)
        active = open_active(tx, archived.workspace_id, archived.name, now=now)
        counted = experiments.count_runs(tx, active.experiment_id, added)
    if counted is None:  # deleted at this moment, by another server
        raise NotFound("experiment", experiment_id)
    return counted


def _check(request: RunRequest) -> None:
    names.run_id(request.run_id)
    if not 1 <= len(request.idempotency_key) <= 200:
        raise Invalid("idempotency_key", "has 1 to 200 characters")
    if request.state not in _FIRST_STATES:
        raise Invalid("state", "must be Queued, Running or NotStarted")
    _check_text(request.display_name, "display_name", NAME_MAX_CHARS)
    _check_text(request.description, "description", DESCRIPTION_MAX_CHARS)
    _check_text(request.type, "type", NAME_MAX_CHARS)
    if len(request.warnings) > WARNINGS_MAX:
        raise Invalid("warnings", f"has {len(request.warnings)} sentences, at most {WARNINGS_MAX}")
    for sentence in request.warnings:
        _check_text(sentence, "warnings", ERROR_MAX_CHARS)
    spec = request.spec
    if (spec is not None) != (request.state is RunState.QUEUED):
        raise Invalid("spec", "a Queued run has one, and no other")
    if spec is None:
        return
    if spec.target not in TARGETS:
        raise NotFound(
            "compute_target", spec.target, f"This server has {', '.join(map(repr, TARGETS))}."
        )
    if (spec.script is None) == (spec.command is None):
        raise Invalid("spec.script", "give either a script or a command")
    if spec.script is not None:
        names.file_name(spec.script)
    if spec.max_duration_s is not None and spec.max_duration_s <= 0:
        raise Invalid("spec.max_duration_s", "must be more than 0")


def _check_text(value: str | None, field: str, max_chars: int) -> None:
    if value is not None:
        names.plain_text(value, field, max_chars=max_chars)


def _properties(given: dict[str, str]) -> dict[str, str]:
    return {key: value or "" for key, value in names.label(given, "properties").items()}


def _root(tx: Transaction, parent_id: str, workspace_id: str, caller: Caller) -> str:
    """Return the root of what is made below a run; refuse who may not make anything there."""
    parent = runs.get(tx, parent_id).run
    if parent.workspace_id != workspace_id:
        raise NotFound("run", parent_id, "It is to be the parent of the new run.")
    require_related(tx, caller, "run.create", run_keys.get(tx, parent_id))
    return parent.root_run_id or parent.run_id


def _snapshot(tx: Transaction, request: RunRequest, workspace_id: str) -> str | None:
    wanted = request.snapshot_id or (request.spec.snapshot_id if request.spec else None)
    if wanted is not None and not runs.has_snapshot(tx, workspace_id, wanted):
        raise NotFound("snapshot", wanted, "Send its files first.")
    return wanted


def get(run_id: str, *, caller: Caller, store: Store) -> Run:
    """Return one run."""
    with store.database.reading() as tx:
        run = runs.get(tx, run_id).run
    require(caller, "run.read", run)
    return run


def find_page(
    wanted: Filter,
    query: Query = Query(),  # noqa: B008 - frozen
    *,
    limit: int,
    cursor: str | None = None,
    caller: Caller,
    store: Store,
    now: datetime,
) -> tuple[list[RunLine], str | None]:
    """Return a page of runs and the next one's cursor; a run's token sees its workspace alone.

    Newest first, or as `query` orders. Raises SearchTooSlow.
    """
    if not 1 <= limit <= PAGE_MAX:
        raise Invalid("limit", f"must be from 1 to {PAGE_MAX}")
    wanted = _visible(wanted, caller)
    behind = None if cursor is None else run_list.read_cursor(cursor, query)
    limit_s = store.settings.search_limit_s if query != Query() else None
    try:
        with store.database.reading(limit_s=limit_s) as tx:
            page, place = run_list.find_page(
                tx, wanted, query, limit=limit, behind=behind, now=now.timestamp()
            )
    except TimeoutError as problem:
        raise SearchTooSlow(store.settings.search_limit_s) from problem
    return page, None if place is None else run_list.write_cursor(place)


def find_table(
    wanted: Filter,
    query: Query,
    columns: Sequence[Field],
    *,
    limit: int | None = None,
    caller: Caller,
    store: Store,
    now: datetime,
) -> list[bytes]:
    """Return columns of all matching runs as JSON arrays, joined by commas, in pieces.

    limit: at most so many rows. Raises SearchTooSlow.
    """
    if not 1 <= len(columns) <= COLUMNS_MAX:
        raise Invalid("column", f"must be given 1 to {COLUMNS_MAX} times")
    if limit is not None and not 1 <= limit <= ROWS_MAX:
        raise Invalid("limit", f"must be from 1 to {ROWS_MAX:,}")
    wanted = _visible(wanted, caller)
    try:
        with store.database.reading(limit_s=store.settings.search_limit_s) as tx:
            return run_table.find(
                tx, wanted, query, columns, limit=limit or ROWS_MAX, now=now.timestamp()
            )
    except TimeoutError as problem:
        raise SearchTooSlow(store.settings.search_limit_s) from problem


def _visible(wanted: Filter, caller: Caller) -> Filter:
    """Return what of a list the caller may see."""
    if caller.is_owner:
        return wanted
    require(caller, "run.read", wanted.workspace_id or caller.workspace_id or "")
    return replace(wanted, workspace_id=caller.workspace_id)


@dataclass(frozen=True)
class Change:
    """What to change of a run. texts: display_name and description, those that are given."""

    texts: dict[str, str | None]
    set_tags: dict[str, str | None]
    remove_tags: list[str]
    add_properties: dict[str, str]


def change(run_id: str, changes: Change, *, caller: Caller, store: Store, now: datetime) -> Run:
    """Change texts and tags, add properties. Raises PropertyImmutable."""
    added = names.label(changes.set_tags, "set_tags")
    properties = _properties(changes.add_properties)
    _check_text(changes.texts.get("display_name"), "display_name", NAME_MAX_CHARS)
    _check_text(changes.texts.get("description"), "description", DESCRIPTION_MAX_CHARS)
    with store.database.transaction() as tx:
        found = _lock(tx, run_id, caller, "run.change")
        run = found.run
        for key, value in properties.items():
            if run.properties.get(key, value) != value:
                raise PropertyImmutable(key, old=run.properties[key], new=value)
        tags = {k: v for k, v in (run.tags | added).items() if k not in changes.remove_tags}
        after = replace(
            run,
            **changes.texts,  # pyright: ignore[reportArgumentType]
            tags=tags,
            properties=run.properties | properties,
        )
        return runs.change(tx, found, after, now=now)


def require_may_change(run_id: str, *, caller: Caller, store: Store) -> None:
    """Raise Forbidden unless the caller may change the run."""
    with store.database.reading() as tx:
        found = runs.get(tx, run_id)
        require_change(caller, "run.change", found.run, runs.ancestors(tx, found.run))


def start(run_id: str, *, caller: Caller, store: Store, now: datetime) -> Run:
    """Let an interactive run begin; one that runs already stays as it is."""
    with store.database.transaction() as tx:
        found = _lock(tx, run_id, caller, "run.change")
        if found.run.spec is not None:
            raise RunStateConflict(
                run_id, current=found.run.state.value, wanted=RunState.RUNNING.value
            )
        return runs.change(tx, found, replace(found.run, state=RunState.RUNNING), now=now)


def complete(run_id: str, *, caller: Caller, store: Store, now: datetime) -> Run:
    """End an interactive run well. Raises RunStateConflict for one that a runner will end."""
    with store.database.transaction(durable=True) as tx:
        found = _lock(tx, run_id, caller, "run.change")
        if present_attempt(tx, found) is not None:
            raise RunStateConflict(
                run_id, current=found.run.state.value, wanted=RunState.COMPLETED.value
            )
        after = replace(found.run, state=RunState.COMPLETED, reason=None)
        return runs.change(tx, found, after, now=now)


def fail(
    run_id: str,
    error: RunError,
    reason: Reason | None,
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> Run:
    """Mark a run as failed.

    From its own script: recorded, and the run is Failed when the script has ended. From outside:
    Failed at once, and its runner ends the script when it hears of it.
    """
    error = replace(error, message=error.message[:ERROR_MAX_CHARS])
    reason = reason or Reason(ReasonKind.MARKED_FAILED, {"message": error.message[:300]})
    with store.database.transaction(durable=True) as tx:
        found = _lock(tx, run_id, caller, "run.change")
        run = found.run
        attempt = present_attempt(tx, found)
        marked = replace(run, error=error, reason=reason)
        if attempt is not None and caller.run_id == run_id and run.state not in FINAL:
            return runs.change(tx, found, marked, now=now)
        if run.state is RunState.FAILED:
            return run
        failed = runs.change(tx, found, replace(marked, state=RunState.FAILED), now=now)
        if not _goes_on(attempt):
            drop_attempt(tx, run_id, attempt, now)
            _end_interactive_children(tx, failed, now)
        return failed


def cancel(run_id: str, *, caller: Caller, store: Store, now: datetime) -> Run:
    """Ask a run to stop: at once if no runner has it, else through the request its runner holds.

    Asking again changes nothing: the answer to the first request may have been lost. Raises
    RunStateConflict for a run that has ended otherwise.
    """
    with store.database.transaction(durable=True) as tx:
        found = _lock(tx, run_id, caller, "run.cancel")
        if found.run.state is RunState.CANCELED:
            return found.run
        if found.run.state in FINAL:
            raise RunStateConflict(
                run_id, current=found.run.state.value, wanted=RunState.CANCELED.value
            )
        return cancel_locked(tx, found, who=caller.name, now=now)


def cancel_locked(
    tx: Transaction, found: Found, *, who: str, now: datetime, reason: Reason | None = None
) -> Run:
    """Cancel a run that has not ended and is locked. reason: why, if no user asked."""
    run = found.run
    if run.state is RunState.CANCEL_REQUESTED:
        return run
    attempt = present_attempt(tx, found)
    if _goes_on(attempt):
        waits = Reason(
            ReasonKind.WAITS_FOR_CANCEL, {"who": who} if reason is None else reason.facts
        )
        asked = replace(run, state=RunState.CANCEL_REQUESTED, reason=waits)
        return runs.change(tx, found, asked, now=now)
    ended = replace(
        run,
        state=RunState.CANCELED,
        reason=reason or Reason(ReasonKind.CANCELED_BY_USER, {"who": who}),
    )
    drop_attempt(tx, run.run_id, attempt, now)
    canceled = runs.change(tx, found, ended, now=now)
    _end_interactive_children(tx, canceled, now)
    return canceled


def _end_interactive_children(tx: Transaction, ended: Run, now: datetime) -> None:
    if ended.spec is None and ended.submitted_by is not None:
        end_children(tx, ended, made_by=ended.submitted_by, now=now)


def end_children(tx: Transaction, ended: Run, *, made_by: str, now: datetime) -> None:
    """End what was begun below a run that has not ended well, and that nobody else will end.

    Children need not end before their parent, so below one that has ended well they go on.
    made_by: who made the children that count; what a runner runs is not among them.
    """
    if ended.state is RunState.COMPLETED:
        return
    parents = [ended.run_id]
    while parents:
        for child in runs.find_children(tx, parents.pop(), made_by):
            after = replace(
                child.run,
                state=ended.state,
                reason=ended.reason,
                error=ended.error if ended.state is RunState.FAILED else None,
            )
            runs.change(tx, child, after, now=now)
            parents.append(child.run.run_id)


def _goes_on(attempt: Attempt | None) -> bool:
    """Say whether an attempt has its end still to report: a salvage ships, claimed or not."""
    return attempt is not None and (attempt.claimed or attempt.kind is AttemptKind.SALVAGE)


def drop_attempt(tx: Transaction, run_id: str, attempt: Attempt | None, now: datetime) -> None:
    """End an attempt that no runner has, and the run's tokens: those of earlier attempts too."""
    tokens.expire(tx, run_id, now.timestamp())
    if attempt is not None:
        attempts.end(tx, attempt, now.timestamp())
        tx.notify("attempts")


def renew(run_id: str, *, caller: Caller, store: Store, now: datetime) -> float:
    """Extend an interactive run's lease; return until when (Unix seconds).

    A run that was NotResponding goes on. One that has ended keeps its end, and one with a runner
    has its attempt's lease alone: a notebook that logs to it does not answer for it.
    """
    until = now.timestamp() + store.settings.lease_s
    with store.database.transaction() as tx:
        found = _lock(tx, run_id, caller, "run.change")
        run = found.run
        if run.state in FINAL or run.spec is not None:
            return until
        if run.state is RunState.NOT_RESPONDING:
            again = replace(run, state=RunState.RUNNING, reason=None)
            runs.change(tx, found, again, now=now)
        runs.set_lease(tx, found.key, until)
    return until


def present_attempt(tx: Transaction, found: Found) -> Attempt | None:
    """Return the run's attempt that is under way, if there is one."""
    if found.run.attempt == 0:
        return None
    attempt = attempts.find(tx, found.key, found.run.attempt)
    return None if attempt is None or attempt.ended_at is not None else attempt


def _lock(tx: Transaction, run_id: str, caller: Caller, action: str) -> Found:
    found = runs.lock(tx, run_id)
    above = frozenset[str]()
    if not caller.is_owner and caller.run_id != run_id:
        above = runs.ancestors(tx, found.run)
    require_change(caller, action, found.run, above)
    return found
