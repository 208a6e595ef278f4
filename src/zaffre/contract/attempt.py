"""Attempts: each numbered start of a run, and what a runner is told and reports.

An attempt is stored before its driver is called and claimed once by its runner; a report that
names another attempt than the run's present one is refused, and its runner ends its script.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from zaffre.contract.reason import Reason
from zaffre.contract.run import RunError, RunSpec, RunState

#: Until when a runner counts as alive without a renewal, seconds.
LEASE_S = 60.0
#: How long a runner's renewal request is held open by the server, seconds.
RENEW_HOLD_S = 15.0
#: How long a script may take to end after SIGTERM, seconds.
CANCEL_GRACE_S = 10.0


class AttemptKind(str, Enum):
    """RUN executes the script; SALVAGE only ships what a dead runner left, then ends the run."""

    RUN = "run"
    SALVAGE = "salvage"


@dataclass(frozen=True)
class StartOrder:
    """What a driver hands a runner through a socket or standard input, never as arguments.

    address_file: where the server's present address stands (None: `url` alone).
    token: the run's own. folder: the run's folder on this machine.
    process_environment: variables of the process that submitted (already without the kernel's own).
    sdk_path: a folder that holds nothing but `azureml` and `zaffre`, for the script's PYTHONPATH.
    final: for a SALVAGE attempt, the state and reason that end the run.
    log_max_bytes: of a longer log, head and tail are stored.
    snapshot: of a small one all of it, in base64: a line of JSON (a Snapshot), then the bundle of
    its blobs. The runner asks the server for others.
    """

    run_id: str
    attempt: int
    kind: AttemptKind
    token: str
    folder: str
    url: str
    socket_path: str | None = None
    address_file: str | None = None
    sdk_path: str | None = None
    workspace: dict[str, str] = field(default_factory=dict)
    experiment_id: str = ""
    experiment_name: str = ""
    root_run_id: str = ""
    process_environment: dict[str, str] = field(default_factory=dict)
    spec: RunSpec | None = None
    final: Report | None = None
    log_max_bytes: int = 1_000_000_000
    snapshot: str | None = None


@dataclass(frozen=True)
class Report:
    """What a runner says of its attempt: the state reached, and at the end why.

    claim_id (in the request's query) is the runner's own random id: a repeat of a claim by the
    same runner is answered as the first one, by another runner it is refused.
    """

    state: RunState
    error: RunError | None = None
    reason: Reason | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """Who claims an attempt: claim_id is random; pid, start_time (clock ticks since boot) and
    boot_id let the driver find the process again after a restart of the server.
    """

    claim_id: str
    pid: int
    start_time: int
    boot_id: str
