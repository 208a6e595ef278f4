"""Stage 2: the script is started, in the run's folder, with the run's variables."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from zaffre.contract.attempt import StartOrder
from zaffre.contract.reason import Reason, ReasonKind
from zaffre.contract.run import RunSpec
from zaffre.runner.folder import RunFolder
from zaffre.runner.script_tree import LaunchRefused, ScriptTree
from zaffre.runner.variables import script_variables

SHELL = "/bin/sh"


class LaunchFailed(Exception):
    """The script could not be started; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.kind.value)
        self.reason = reason


def launch(order: StartOrder, spec: RunSpec, folder: RunFolder, tree: ScriptTree) -> int:
    """Start the run's script; return its pid in its own namespace. Raises LaunchFailed, OSError."""
    # v1's scripts find both there, and those that make them themselves must not fail (exist_ok).
    for name in ("outputs", "logs"):
        with contextlib.suppress(FileExistsError):  # the snapshot has a file of that name
            (folder.work / name).mkdir(exist_ok=True)
    argv = command_line(spec)
    if spec.command is None and (problem := _why_not_executable(spec.interpreter)):
        raise LaunchFailed(_missing(spec, problem))
    try:
        return tree.launch(
            argv,
            script_variables(order, spec, folder),
            cwd=str(folder.work),
            log=str(folder.log),
        )
    except LaunchRefused as refusal:
        if spec.command is None and _why_not_executable(spec.interpreter):
            raise LaunchFailed(_missing(spec, refusal.problem)) from refusal
        facts: dict[str, object] = {"stage": "launch", "problem": f"{argv[0]}: {refusal.problem}"}
        raise LaunchFailed(Reason(ReasonKind.RUNNER_FAILED, facts)) from refusal


def command_line(spec: RunSpec) -> list[str]:
    """Return what is executed: the interpreter with the script, or a shell with the command."""
    if spec.command is not None:
        # What follows a shell's command are its $0, $1 ...: so are the arguments.
        rest = ["sh", *spec.arguments] if spec.arguments else []
        return [SHELL, "-c", spec.command, *rest]
    return [spec.interpreter, spec.script or "", *spec.arguments]


def _missing(spec: RunSpec, problem: str) -> Reason:
    facts: dict[str, object] = {"interpreter": spec.interpreter, "problem": problem}
    return Reason(ReasonKind.INTERPRETER_MISSING, facts)


def _why_not_executable(path: str) -> str | None:
    if not path.startswith("/"):
        return "it is not an absolute path"
    if not Path(path).exists():
        return "there is no such file"
    if Path(path).is_dir():
        return "it is a folder"
    return None if os.access(path, os.X_OK) else "it is not executable"
