"""Why something waits, failed or did not happen: a kind and its facts, and the words for people.

Whatever makes someone wait, fails or does not happen stores one `Reason`. The words live here
alone, so `zaffre why`, pages and exceptions say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class ReasonKind(str, Enum):
    """What kind of thing happened; each has its sentence in `SENTENCES`."""

    WAITS_FOR_SLOT = "waits_for_slot"
    WAITS_FOR_RUNNER = "waits_for_runner"
    WAITS_FOR_CANCEL = "waits_for_cancel"
    SCRIPT_FAILED = "script_failed"
    SCRIPT_SIGNALLED = "script_signalled"
    MARKED_FAILED = "marked_failed"
    CANCELED_BY_USER = "canceled_by_user"
    DURATION_PASSED = "duration_passed"
    RUNNER_DIED = "runner_died"
    RUNNER_SILENT = "runner_silent"
    RUNNER_NOT_STARTED = "runner_not_started"
    RUNNER_FAILED = "runner_failed"
    INTERPRETER_MISSING = "interpreter_missing"
    SNAPSHOT_BROKEN = "snapshot_broken"
    INPUT_FAILED = "input_failed"
    UPLOAD_FAILED = "upload_failed"
    NOTEBOOK_SILENT = "notebook_silent"
    FOLDER_REMOVED = "folder_removed"


SENTENCES: dict[ReasonKind, str] = {
    ReasonKind.WAITS_FOR_SLOT: (
        "Waiting for compute target {target}: {running} of {slots} runs are running there, "
        "{ahead} wait before this one."
    ),
    ReasonKind.WAITS_FOR_RUNNER: "Given to compute target {target}; its runner is starting.",
    ReasonKind.WAITS_FOR_CANCEL: "A cancel was asked for; the runner is ending the script.",
    ReasonKind.SCRIPT_FAILED: "The script ended with exit code {exit_code}{exception}.",
    ReasonKind.SCRIPT_SIGNALLED: "The script was ended by signal {signal}{hint}.",
    ReasonKind.MARKED_FAILED: "The run was marked as failed: {message}",
    ReasonKind.CANCELED_BY_USER: "Canceled by {who}.",
    ReasonKind.DURATION_PASSED: (
        "Canceled: it ran longer than its max_run_duration_seconds, {limit_s} s."
    ),
    ReasonKind.RUNNER_DIED: (
        "The run's runner (process {pid}) was killed or crashed{how}. "
        "What the script had logged is stored."
    ),
    ReasonKind.RUNNER_SILENT: (
        "The runner has not been heard of since {since}. It counts again as soon as it renews."
    ),
    ReasonKind.RUNNER_NOT_STARTED: "The runner could not be started: {problem}",
    ReasonKind.RUNNER_FAILED: "The runner failed in stage {stage}: {problem}",
    ReasonKind.INTERPRETER_MISSING: (
        "The interpreter {interpreter} that submitted the run cannot be started: {problem}"
    ),
    ReasonKind.SNAPSHOT_BROKEN: "The run's folder could not be made from its snapshot: {problem}",
    ReasonKind.INPUT_FAILED: "The run's data {name!r} could not be made ready: {problem}",
    ReasonKind.UPLOAD_FAILED: "Some of the run's files could not be stored: {problem}",
    ReasonKind.NOTEBOOK_SILENT: (
        "The process that started this interactive run has not been heard of since {since}. "
        "It counts again when that process is back; 'zaffre sync' ships what it left."
    ),
    ReasonKind.FOLDER_REMOVED: (
        "The run's folder {folder}, kept because not all of it could be stored, was removed after "
        "{days} days."
    ),
}


@dataclass(frozen=True)
class Reason:
    """One recorded reason. `facts` fill the sentence of `kind`."""

    kind: ReasonKind
    facts: dict[str, object] = field(default_factory=dict)


class _Facts(dict):  # type: ignore[type-arg]
    """Facts for a sentence; one that an older or newer release did not record reads '?'."""

    def __missing__(self, key: str) -> str:
        return "?"


def sentence(reason: Reason) -> str:
    """Return the words for people."""
    return SENTENCES[reason.kind].format_map(_Facts(reason.facts))
