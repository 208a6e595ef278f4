"""Stage 5: how the run ended, in the words of the contract."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from zaffre.contract.attempt import Report
from zaffre.contract.reason import Reason, ReasonKind, sentence
from zaffre.contract.run import RunError, RunState
from zaffre.runner import traceback_text

_HINTS: dict[int, str] = {
    signal.SIGKILL: " (probably out of memory; the kernel's log would say so)",
    signal.SIGSEGV: " (a crash in compiled code)",
    signal.SIGABRT: " (compiled code gave up)",
    signal.SIGBUS: " (a crash in compiled code, or a file that was cut short)",
    signal.SIGILL: " (compiled for another processor)",
}


@dataclass(frozen=True)
class OfScript:
    """The script's main process ended by itself. status: as waitpid gives it."""

    status: int


@dataclass(frozen=True)
class Canceled:
    """Somebody asked for it; who is known to the server. With a limit: it ran too long."""

    limit_s: int | None = None


@dataclass(frozen=True)
class Broken:
    """Zaffre could not run it, or not to its end."""

    reason: Reason


Ending = OfScript | Canceled | Broken


def final_report(ending: Ending, log: Path, work: Path) -> Report:
    """Return the report that ends the run. log: what the script wrote. work: its folder."""
    if isinstance(ending, Canceled):
        if ending.limit_s is None:
            return Report(RunState.CANCELED)
        facts: dict[str, object] = {"limit_s": ending.limit_s}
        return Report(RunState.CANCELED, reason=Reason(ReasonKind.DURATION_PASSED, facts))
    if isinstance(ending, Broken):
        code = "SystemError"
        if ending.reason.kind is ReasonKind.INTERPRETER_MISSING:
            code = "UserError"
        error = RunError(code, sentence(ending.reason)[: traceback_text.MESSAGE_MAX_CHARS])
        return Report(RunState.FAILED, error=error, reason=ending.reason)
    if ending.status == 0:
        return Report(RunState.COMPLETED)
    return _failed(ending.status, _tail(log), work)


def _failed(status: int, text: str, work: Path) -> Report:
    raised = traceback_text.find_raised(text)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        facts: dict[str, object] = {"signal": _name(number), "hint": _HINTS.get(number, "")}
        reason = Reason(ReasonKind.SCRIPT_SIGNALLED, facts)
    else:
        facts = {"exit_code": os.WEXITSTATUS(status), "exception": ""}
        if raised is not None:
            facts["exception"] = f": {_first_line(raised)}{_where(raised, work)}"
        reason = Reason(ReasonKind.SCRIPT_FAILED, facts)
    words = sentence(reason)
    if raised is None:
        tail = traceback_text.clean_tail(text, traceback_text.MESSAGE_MAX_CHARS - len(words) - 40)
        message = f"{words} The end of its output:\n{tail}" if tail else words
        return Report(RunState.FAILED, error=RunError("UserError", message), reason=reason)
    said = traceback_text.clean_tail(f"{raised.name}: {raised.text}".removesuffix(": "))
    return Report(
        RunState.FAILED,
        error=RunError(
            "UserError",
            said[: traceback_text.MESSAGE_MAX_CHARS],
            exception=raised.name,
            file=_below(raised.file, work),
            line=raised.line,
        ),
        reason=reason,
    )


def _first_line(raised: traceback_text.Raised) -> str:
    text = raised.text.partition("\n")[0][:300]
    return f"{raised.name}: {text}" if text else raised.name


def _where(raised: traceback_text.Raised, work: Path) -> str:
    file = _below(raised.file, work)
    return "" if file is None else f" ({file}, line {raised.line})"


def _below(file: str | None, work: Path) -> str | None:
    """Return a path as the user knows it: relative to the snapshot's root if it is in there."""
    if file is None:
        return None
    return file.removeprefix(f"{work}/")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - traceback_text.TAIL_BYTES))
            # No request takes a NUL, and no text that people read needs one.
            return file.read().decode("utf-8", "replace").replace("\0", "")
    except OSError:
        return ""
