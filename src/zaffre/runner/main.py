"""One order, from its claim to its last report: the stages of a run, in order.

    claim -> snapshot -> inputs -> launch -> [stream | outputs | lease, a thread each]
          -> finish -> remove

Whatever forks does so before the first thread starts. The main thread watches the script and the
demands to end it; what speaks to the server while the script runs has a thread of its own, so
that no outage holds up the end of a script.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import traceback
from base64 import b64decode

from zaffre.client import process
from zaffre.client.response import Response
from zaffre.contract import wire
from zaffre.contract.attempt import AttemptKind, Report, StartOrder
from zaffre.contract.dataset import Dataset
from zaffre.contract.datastore import Datastore
from zaffre.contract.errors import Refused, ServerUnreachable
from zaffre.contract.reason import Reason, ReasonKind, sentence
from zaffre.contract.run import RunSpec, RunState
from zaffre.data.stores import reach
from zaffre.data.stores.file_store import FileStore
from zaffre.runner.attempt import REPORT_FAULTS_MAX, Attempt, Stopped, Superseded
from zaffre.runner.folder import RunFolder
from zaffre.runner.lease import Demand, Lease
from zaffre.runner.notes import note
from zaffre.runner.script_tree import ScriptTree
from zaffre.runner.stages import snapshot
from zaffre.runner.stages.finish import Broken, Ending, OfScript, final_report
from zaffre.runner.stages.inputs import InputFailed, Inputs
from zaffre.runner.stages.launch import LaunchFailed, launch
from zaffre.runner.stages.outputs import Outputs
from zaffre.runner.stages.snapshot import Ahead, SnapshotBroken
from zaffre.runner.stages.stream import Stream
from zaffre.runner.stages.watch import Watch, ending_of

#: Exit statuses of a runner. `compute.driver` knows the second by its own name.
EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, EXIT_SUPERSEDED = 0, 1, 3, 4
_NEVER = threading.Event()


def read_order(fd: int) -> StartOrder:
    """Return the order that the file `fd` holds, and close it."""
    with open(fd, "rb", buffering=0) as file:
        file.seek(0)
        return wire.decode(StartOrder, json.loads(file.readall()))


def run_order(order_fd: int, *, isolated: bool, tree: ScriptTree | None = None) -> int:
    """Be the runner of the order in the file `order_fd`; return the exit status.

    isolated: whether PID namespaces can be made here. tree: made ahead, if one was.
    """
    order = read_order(order_fd)
    if order.kind is AttemptKind.SALVAGE:
        from zaffre.runner import salvage

        if tree is not None:
            tree.close()
        return salvage.run(order)
    if order.spec is None:
        raise ValueError("an order to run has no spec")
    isolated = isolated and order.spec.isolated
    if tree is not None and tree.isolated is not isolated:
        tree.close()
        tree = None
    return Execution(order, order.spec, tree or ScriptTree(isolated=isolated)).run()


def wait_for_order(sock: socket.socket, *, isolated: bool) -> int:
    """Be a spare runner: make ready what does not depend on the order, then wait for it."""
    _block_sigterm()
    tree = ScriptTree(isolated=isolated)
    tree.wait_ready()
    warm_up()
    fds = socket.recv_fds(sock, 1, 1)[1]
    sock.close()
    if not fds:
        tree.close()
        return EXIT_DONE
    return run_order(fds[0], isolated=tree.isolated, tree=tree)


def _block_sigterm() -> None:
    # It is taken by a thread: a handler could meet the main thread inside the lock that it needs.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def warm_up() -> None:
    """Touch what a start touches: the first write to a page after a fork costs a copy of it."""
    sample = StartOrder(
        run_id="r",
        attempt=1,
        kind=AttemptKind.RUN,
        token="",
        folder="/nonexistent",
        url="http://localhost",
        spec=RunSpec(target="local", interpreter="/nonexistent"),
    )
    order = wire.decode(StartOrder, json.loads(json.dumps(wire.encode(sample))))
    attempt = Attempt(order)
    Lease(attempt, lambda: None)
    process.start_time(os.getpid())
    with contextlib.suppress(ServerUnreachable):
        attempt.client.request("GET", "/healthz", timeout_s=0.0)
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: x/y\r\ncontent-length: 2\r\n\r\n{}")
        answer = Response(here)
        answer.begin()
        answer.read_all()


class Execution:
    """One script's run."""

    def __init__(self, order: StartOrder, spec: RunSpec, tree: ScriptTree) -> None:
        self._order = order
        self._spec = spec
        self._folder = RunFolder(order.folder)
        self._wake, self._waker = socket.socketpair()
        self._wake.settimeout(0)
        self._waker.settimeout(0)
        _block_sigterm()
        self._tree = tree
        self._is_listening = False
        self._attempt = Attempt(order)
        self._lease = Lease(self._attempt, self._awake)
        self._stream = Stream(
            self._attempt, self._folder, self._lease, log_max_bytes=order.log_max_bytes
        )
        self._outputs = Outputs(self._attempt, self._folder.work)
        self._stores: dict[str, FileStore] = {}
        self._inputs = Inputs(
            self._folder,
            stores=self._store,
            datasets=self._dataset,
            bind=self._tree.bind,
            say=self._say,
            check=self._check_demand,
        )

    def run(self) -> int:
        """Walk the stages; return the runner's exit status."""
        ahead = self._ask_ahead()
        try:
            self._attempt.claim()
        except Superseded:
            self._tree.close()
            return EXIT_REFUSED
        except ServerUnreachable:
            self._tree.close()
            return EXIT_FAILED
        self._tree.wait_ready()
        try:
            return self._finish(self._execute_or_tell(ahead))
        except Superseded:
            note("runner.superseded")
            self._tree.kill()
            return EXIT_SUPERSEDED
        finally:
            self._lease.stop()
            self._tree.close()

    def _execute_or_tell(self, ahead: Ahead | None) -> Ending:
        """Execute; a fault of ours, or a disk without room, becomes the run's reason."""
        try:
            self._folder.make()
            self._folder.redirect_stderr()
            return self._execute(ahead)
        except Superseded:
            raise
        except Exception as problem:
            note("runner.failed", traceback=traceback.format_exc())
            self._tree.kill()
            text = str(problem) if isinstance(problem, OSError) else repr(problem)
            return Broken(Reason(ReasonKind.RUNNER_FAILED, {"stage": "run", "problem": text}))

    def _execute(self, ahead: Ahead | None) -> Ending:
        """Prepare, launch and watch the script. Raises Superseded."""
        try:
            self._prepare(ahead)
            spec = self._make_inputs()
        except InputFailed as failure:
            return Broken(failure.reason)
        except (SnapshotBroken, OSError) as problem:
            return Broken(Reason(ReasonKind.SNAPSHOT_BROKEN, {"problem": str(problem)}))
        except Stopped:
            self._raise_if_superseded()
            return ending_of(self._lease.demand or Demand.CANCEL)
        try:
            launch(self._order, spec, self._folder, self._tree)
        except LaunchFailed as failure:
            return Broken(failure.reason)
        except OSError as problem:
            facts: dict[str, object] = {"stage": "launch", "problem": str(problem)}
            return Broken(Reason(ReasonKind.RUNNER_FAILED, facts))
        self._listen()
        self._stream.start()
        self._outputs.start()
        limit_s = self._spec.max_duration_s
        return Watch(self._tree, self._lease, self._wake, limit_s=limit_s).run()

    def _ask_ahead(self) -> Ahead | None:
        # A tree that is not ready yet may still have to fork, so there must be no thread then.
        if self._spec.snapshot_id is None or self._order.snapshot or not self._tree.is_ready:
            return None
        workspace_id = self._order.workspace.get("workspace_id", "")
        return Ahead(self._attempt.client, workspace_id, self._spec.snapshot_id)

    def _prepare(self, ahead: Ahead | None) -> None:
        if self._spec.snapshot_id is None:
            return
        client = self._attempt.client
        workspace_id = self._order.workspace.get("workspace_id", "")
        snapshot_id = self._spec.snapshot_id
        patience = self._attempt.patience(self._lease.demanded)
        if self._order.snapshot is not None:
            got = snapshot.unpack(snapshot_id, b64decode(self._order.snapshot))
        else:
            got = None if ahead is None else ahead.take()
        if got is None or not got[1]:
            # This may take long, and a cancel must be heard meanwhile. Else the threads can wait.
            self._listen()
        try:
            manifest, contents = got or (
                patience.call(lambda: snapshot.get_manifest(client, workspace_id, snapshot_id)),
                {},
            )
            work, check = self._folder.work, self._check_demand
            patience.call(lambda: snapshot.download(client, manifest, work, check, contents))
        except Refused as problem:
            raise snapshot.refused(problem) from problem

    def _make_inputs(self) -> RunSpec:
        """Make the run's paths of data; return the spec with them. Raises InputFailed, Stopped."""
        if not self._spec.inputs:
            return self._spec
        self._listen()
        try:
            return self._inputs.make(self._spec)
        except OSError as problem:
            raise InputFailed("inputs", problem) from problem

    def _store(self, name: str) -> FileStore:
        """Return the files of a datastore of the run's workspace. Raises Stopped, Refused."""
        if name not in self._stores:
            workspace_id = self._order.workspace.get("workspace_id", "")
            path = f"/workspaces/{workspace_id}/datastores/{name}/credentials"
            patience = self._attempt.patience(self._lease.demanded)
            answer = patience.call(lambda: self._attempt.client.request("GET", path))
            self._stores[name] = reach.file_store(wire.decode(Datastore, answer))
        return self._stores[name]

    def _dataset(self, dataset_id: str) -> Dataset:
        """Return a dataset of the run's workspace. Raises Stopped, Refused."""
        workspace_id = self._order.workspace.get("workspace_id", "")
        path = f"/workspaces/{workspace_id}/datasets/{dataset_id}"
        patience = self._attempt.patience(self._lease.demanded)
        answer = patience.call(lambda: self._attempt.client.request("GET", path))
        return wire.decode(Dataset, answer)

    def _check_demand(self) -> None:
        if self._lease.demanded.is_set():
            raise Stopped

    def _finish(self, ending: Ending) -> int:
        """Ship all, report the end, remove the folder. Raises Superseded."""
        self._listen()
        self._stream.stop()
        self._outputs.stop()
        self._raise_if_superseded()
        if isinstance(ending, Broken):
            self._say(sentence(ending.reason))
        if isinstance(ending, OfScript):
            with contextlib.suppress(Stopped):  # the outputs hear it too
                self._inputs.send()
        report = final_report(ending, self._folder.log, self._folder.work)
        has_news = self._outputs.has_news()
        # From Preparing there is no move to Completed.
        is_unknown = report.state is RunState.COMPLETED and not self._stream.is_running_reported
        if has_news or is_unknown:
            self._report_patiently(Report(RunState.FINALIZING))
        self._stream.finish(_NEVER)
        try:
            self._outputs.finish(self._lease.given_up if isinstance(ending, OfScript) else _NEVER)
        except Stopped:
            self._raise_if_superseded()
            report = Report(RunState.CANCELED)
        warnings = (*self._stream.warnings, *self._inputs.warnings, *self._outputs.warnings)
        taken = self._report_patiently(
            Report(report.state, report.error, report.reason, warnings=warnings)
        )
        if taken and not warnings:
            self._tree.close()
            self._folder.remove()
        return EXIT_DONE if taken else EXIT_FAILED

    def _report_patiently(self, report: Report) -> bool:
        """Report a state, for as long as it takes; return whether the server took it.

        The answer to an earlier try may have been lost, so a refusal of a later one is no
        surprise: the run has ended then, which is what was reported. Raises Superseded.
        """
        tries = 0

        def once() -> RunState:
            nonlocal tries
            tries += 1
            return self._attempt.report(report)

        try:
            patience = self._attempt.patience(_NEVER, faults_max=REPORT_FAULTS_MAX)
            state = patience.call(once)
        except Superseded:
            if tries > 1 and report.state is not RunState.FINALIZING:
                return True
            raise
        except Refused as problem:
            note("report.refused", state=report.state, code=problem.code, problem=problem.message)
            return False
        if report.state is RunState.FINALIZING:
            self._lease.heed(state)
        return True

    def _raise_if_superseded(self) -> None:
        if self._lease.is_superseded:
            raise Superseded

    def _say(self, words: str) -> None:
        """Put a line into the script's log, where people look first."""
        with contextlib.suppress(OSError), self._folder.log.open("ab") as file:
            file.write(f"[zaffre] {words}\n".encode())

    def _awake(self) -> None:
        """Have the main thread look at the demands."""
        try:
            self._waker.send(b"!")
        except BlockingIOError:
            return  # it is awake as it is

    def _listen(self) -> None:
        """Begin to renew the lease and to take SIGTERM, unless that has begun."""
        if not self._is_listening:
            self._is_listening = True
            self._lease.start()
            threading.Thread(target=self._take_signal, name="signals", daemon=True).start()

    def _take_signal(self) -> None:
        signal.sigwait({signal.SIGTERM})
        self._lease.set_demand(Demand.TERMINATED)


def main() -> None:
    """Run the order on standard input: for targets that have no zygote."""
    sys.exit(run_order(0, isolated=True))
