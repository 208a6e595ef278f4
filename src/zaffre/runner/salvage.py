"""A salvage: the attempt that follows a dead runner. It ends what is left of the old script, ships
what that had logged and written, and reports the end that the server has decided on.
"""

from __future__ import annotations

import threading

from zaffre.contract.attempt import Report, StartOrder
from zaffre.contract.errors import Refused, ServerUnreachable
from zaffre.contract.run import RunState
from zaffre.runner import process_tree
from zaffre.runner.attempt import Attempt, Stopped, Superseded
from zaffre.runner.folder import RunFolder
from zaffre.runner.lease import Lease
from zaffre.runner.notes import note
from zaffre.runner.stages.outputs import Outputs
from zaffre.runner.stages.stream import Stream
from zaffre.runner.variables import ATTEMPT_MARK, RUN_MARK

#: How long killing what is left may take, seconds.
KILL_LIMIT_S = 10.0

EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, EXIT_SUPERSEDED = 0, 1, 3, 4


def run(order: StartOrder) -> int:
    """Carry out the salvage `order`; return the runner's exit status."""
    attempt = Attempt(order)
    try:
        attempt.claim()
    except Superseded:
        return EXIT_REFUSED
    except ServerUnreachable:
        return EXIT_FAILED
    folder = RunFolder(order.folder)
    folder.make()
    folder.redirect_stderr()
    lease = Lease(attempt, lambda: None)
    lease.start()
    kill_leftovers(order)
    final = order.final or Report(RunState.FAILED)
    stream = Stream(attempt, folder, lease, log_max_bytes=order.log_max_bytes)
    outputs = Outputs(attempt, folder.work, live_max_count=0)
    try:
        stream.finish(threading.Event())
        outputs.has_news()
        outputs.finish(threading.Event())
    except Stopped:
        note("salvage.given_up")
    except Superseded:
        return EXIT_SUPERSEDED
    warnings = (*final.warnings, *stream.warnings, *outputs.warnings)
    report = Report(final.state, final.error, final.reason, warnings=warnings)
    try:
        attempt.patience(threading.Event()).call(lambda: attempt.report(report))
    except Superseded:
        return EXIT_SUPERSEDED
    except Refused as problem:
        note("report.refused", code=problem.code, problem=problem.message)
        return EXIT_FAILED
    lease.stop()
    if not warnings:
        folder.remove()
    return EXIT_DONE


def kill_leftovers(order: StartOrder) -> None:
    """Kill whatever carries the marks of an earlier attempt of this run.

    Inside a namespace nothing outlived the runner; outside of one its reaper has killed the tree
    too. This is for the case that both were killed at once.
    """
    run_mark = f"{RUN_MARK}={order.run_id}".encode()

    def find() -> list[int]:
        return process_tree.marked([run_mark, ATTEMPT_MARK.encode() + b"="])

    stayed = process_tree.kill_until_none(find, limit_s=KILL_LIMIT_S)
    if stayed:
        note("salvage.not_killed", pids=stayed)
