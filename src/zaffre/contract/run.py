"""Runs: their states and moves, what is asked for (the spec) and what is recorded.

    NotStarted --> Queued --> Preparing --> Starting --> Running --> Finalizing --> Completed
                                                                                |-> Failed
    any state that is not final --> CancelRequested --> Canceled
    any state with a runner <--> NotResponding

The names are those of SDK v1. `MOVES` is the only table of moves; the store refuses any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from zaffre.contract.errors import RunStateConflict
from zaffre.contract.reason import Reason
from zaffre.contract.run_input import RunInput


class RunState(str, Enum):
    """A run's state, by v1's names."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    RUNNING = "Running"
    CANCEL_REQUESTED = "CancelRequested"
    FINALIZING = "Finalizing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    NOT_RESPONDING = "NotResponding"


FINAL = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELED})

_ENDS = (RunState.COMPLETED, RunState.FAILED, RunState.CANCELED)
_UNHAPPY = (RunState.FAILED, RunState.CANCELED, RunState.CANCEL_REQUESTED)
_WITH_RUNNER = (RunState.PREPARING, RunState.STARTING, RunState.RUNNING, RunState.FINALIZING)


def _to(*states: RunState) -> frozenset[RunState]:
    return frozenset(states)


#: From each state, the states that a run may move to.
MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.NOT_STARTED: _to(RunState.QUEUED, RunState.RUNNING, *_ENDS, RunState.CANCEL_REQUESTED),
    RunState.QUEUED: _to(
        RunState.PROVISIONING, RunState.PREPARING, RunState.STARTING, RunState.RUNNING, *_UNHAPPY
    ),
    RunState.PROVISIONING: _to(
        RunState.QUEUED, RunState.PREPARING, RunState.STARTING, RunState.RUNNING, *_UNHAPPY
    ),
    RunState.PREPARING: _to(
        RunState.QUEUED,
        RunState.STARTING,
        RunState.RUNNING,
        RunState.FINALIZING,
        RunState.NOT_RESPONDING,
        *_UNHAPPY,
    ),
    RunState.STARTING: _to(
        RunState.QUEUED,
        RunState.RUNNING,
        RunState.FINALIZING,
        RunState.NOT_RESPONDING,
        RunState.COMPLETED,
        *_UNHAPPY,
    ),
    RunState.RUNNING: _to(
        RunState.QUEUED,
        RunState.FINALIZING,
        RunState.NOT_RESPONDING,
        RunState.COMPLETED,
        *_UNHAPPY,
    ),
    RunState.FINALIZING: _to(*_ENDS, RunState.NOT_RESPONDING, RunState.CANCEL_REQUESTED),
    RunState.NOT_RESPONDING: _to(*_WITH_RUNNER, *_ENDS, RunState.CANCEL_REQUESTED, RunState.QUEUED),
    # A script may end by itself, well or badly, before the cancel reaches it.
    RunState.CANCEL_REQUESTED: _to(*_ENDS),
    RunState.COMPLETED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELED: frozenset(),
}


@dataclass(frozen=True)
class RunError:
    """Why a run failed, as v1 shows it.

    code: 'UserError' for what the script did, 'SystemError' for what Zaffre did.
    message: at most 3,000 characters. exception: class name; file, line: where it was raised.
    """

    code: str
    message: str
    exception: str | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class RunSpec:
    """What was asked for when a run was submitted: frozen, and all that its runner needs.

    script: path below the snapshot's root, run as `interpreter script *arguments`.
    command: a shell command instead of a script; exactly one of the two is given.
    arguments: command-line strings. interpreter: absolute path of the Python that runs the script.
    environment_variables: what the run configuration and the environment ask for.
    max_duration_s: longer runs are canceled; None is no limit.
    isolated: run the script in a PID namespace of its own where the kernel allows it.
    definition: v1's `runDefinition`, shown by `get_details()` and never interpreted.
    inputs: the paths of data that the runner makes before it starts the script.
    """

    target: str
    interpreter: str
    script: str | None = None
    command: str | None = None
    arguments: tuple[str, ...] = ()
    snapshot_id: str | None = None
    environment_variables: dict[str, str] = field(default_factory=dict)
    max_duration_s: int | None = None
    isolated: bool = True
    definition: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[RunInput, ...] = ()


@dataclass(frozen=True)
class Run:
    """One run as the store records it. Times are aware and in UTC.

    number: 1, 2, ... within the experiment. type: v1's run type, None for interactive runs.
    attempt: number of the present attempt, 0 before the first.
    tags: values may be None. spec: None for runs that no runner executes.
    """

    run_id: str
    workspace_id: str
    experiment_id: str
    experiment_name: str
    number: int
    state: RunState
    created_at: datetime
    type: str | None = None
    target: str | None = None
    parent_run_id: str | None = None
    root_run_id: str | None = None
    display_name: str | None = None
    description: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    snapshot_id: str | None = None
    attempt: int = 0
    claimed: bool = False
    error: RunError | None = None
    reason: Reason | None = None
    warnings: tuple[str, ...] = ()
    submitted_by: str | None = None
    spec: RunSpec | None = None


@dataclass(frozen=True)
class RunRequest:
    """The body of a request that makes a run.

    run_id: client-made; asking again with the same id and experiment returns the run that is there
    (the first answer may have been lost). idempotency_key tells such a repeat from two runs that
    were given the same id. state: `Queued` with a spec, else `Running` (interactive) or
    `NotStarted` (batch children). process_environment: variables of the process that submits,
    kept encrypted until the runner has them. warnings: what was noticed at submit.
    """

    run_id: str
    idempotency_key: str
    state: RunState
    type: str | None = None
    parent_run_id: str | None = None
    display_name: str | None = None
    description: str | None = None
    target: str | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    snapshot_id: str | None = None
    spec: RunSpec | None = None
    process_environment: dict[str, str] | None = None
    warnings: tuple[str, ...] = ()


def is_final(state: RunState) -> bool:
    """Say whether nothing more can happen to a run in `state`."""
    return state in FINAL


def move(run: Run, to: RunState) -> Run:
    """Return `run` in state `to`, or raise RunStateConflict if `MOVES` has no such move.

    A move to the run's own state returns it unchanged, because a runner repeats its report
    when the answer to the first one was lost.
    """
    if to is run.state:
        return run
    if to not in MOVES[run.state]:
        raise RunStateConflict(run.run_id, current=run.state.value, wanted=to.value)
    return replace(run, state=to)
