"""`wait_for_completion`: waiting by requests that the server holds open, and v1's printed layout.

    RunId: ID
    Web View: URL

    Streaming NAME OF A LOG
    =======================

    its text as it comes

    Execution Summary
    =================
    RunId: ID
    Web View: URL

Logs come one after another in the order of their names: when one with a later name exists, the
present one is drained and left for good. Only the script's own logs are streamed.
"""

from __future__ import annotations

import codecs
import re
import sys

from zaffre.contract.errors import ZaffreError
from zaffre.sdk import run_details, session
from zaffre.sdk.exceptions import (
    ActivityFailedException,
    ExperimentExecutionException,
    from_refusal,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.run import Run

FINAL = ("Completed", "Failed", "Canceled")

_HOLD_S = 30.0
_STREAMED = re.compile(
    r"(azureml-logs/\d\d_.+|azureml-logs/hyperdrive\.txt|user_logs/std_log.*\.txt)\Z"
)
_CHUNK_BYTES = 1 << 20
#: What stands for bytes that are no text.
_REPLACED = "\ufffd"


def wait(run: Run, *, show_output: bool, raise_on_error: bool) -> dict[str, Any]:
    """Return the run's details once it has ended and all of it is stored.

    Raises ActivityFailedException if it failed, unless `raise_on_error` is off, and
    AzureMLException if the server is stopped meanwhile and does not come back soon.
    """
    from zaffre.client.connection import LeavingStopped

    run.refresh_record()  # this may start a server; what follows asks on and on
    with LeavingStopped():
        return _wait(run, show_output=show_output, raise_on_error=raise_on_error)


def _wait(run: Run, *, show_output: bool, raise_on_error: bool) -> dict[str, Any]:
    if show_output:
        try:
            record = _stream(run)
        except KeyboardInterrupt:
            raise ExperimentExecutionException(
                "The output streaming for the run interrupted.\n"
                "But the run is still executing on the compute target.\n"
                f"To cancel it, call run.cancel() or 'zaffre run cancel {run.id}'."
            ) from None
    else:
        record = wait_for_end(run)
    details = run_details.details_of(run, record)
    if "zaffre.sdk.run_details_follow" in sys.modules:
        from zaffre.sdk import run_details_follow

        run_details_follow.settle(run.id)  # what a notebook shows of the run is over too
    error = details.get("error")
    if show_output:
        _say_end(run, details, error if not raise_on_error else None)
    if error is not None and details["status"] == "Failed" and raise_on_error:
        import json

        raise ActivityFailedException(json.dumps(error, indent=4))
    return details


def wait_for_end(run: Run) -> dict[str, Any]:
    """Return the run's record once it has ended; the server holds the request until then."""
    from zaffre.contract.run import RunState

    unfinished = [state.value for state in RunState if state.value not in FINAL]
    while True:
        record = session.current().request(
            "GET", f"/runs/{run.id}/wait", query={"state": unfinished, "timeout_s": _HOLD_S}
        )
        run.take_record(record)
        if record["state"] in FINAL:
            return record


def _stream(run: Run) -> dict[str, Any]:
    """Print what comes; return the run's record once it has ended."""
    _say(f"RunId: {run.id}\nWeb View: {run.get_portal_url()}")
    logs = _Logs(run.id)
    while True:
        record = run.refresh_record()
        if record["state"] in FINAL:
            break
        _follow(run, logs)
    logs.drain(run_details.log_names(run))
    return record


def _follow(run: Run, logs: _Logs) -> None:
    """Print what comes until the server ends the stream or the connection is cut."""
    try:
        for kind, data in session.current().client.events(f"/runs/{run.id}/events"):
            if kind == "log":
                logs.take(data["name"], int(data["offset"]), data["text"])
            elif kind == "state" and data.get("state") in FINAL:
                return
    except ZaffreError as refusal:
        raise from_refusal(refusal) from refusal
    except OSError:
        return  # cut: the caller looks at the run's state, and asks again


class _Logs:
    """Which log is being printed, and how far."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._name = ""
        self._offset = 0
        self._at_line_start = True

    def take(self, name: str, offset: int, text: str) -> None:
        """Print text of a log that begins at byte `offset`."""
        if not _STREAMED.match(name) or name < self._name:
            return
        if name != self._name:
            self._begin(name)
        size = len(text.encode("utf-8", "replace"))
        if offset == self._offset and _REPLACED not in text:
            self._print(text)
            self._offset += size
        elif offset + size > self._offset:
            # A lost connection took a piece, or brought one again; or there are bytes that are
            # no text, so that the offset of what follows is not known. The log itself knows.
            self._read_on()

    def drain(self, names: list[str]) -> None:
        """Print what is left of the present log and of those that come after it."""
        for name in sorted(names):
            if _STREAMED.match(name) and name >= self._name:
                if name != self._name:
                    self._begin(name)
                self._read_on()
        self._end_line()

    def _begin(self, name: str) -> None:
        if self._name:
            self._read_on()
            self._end_line()
        title = f"Streaming {name}"
        self._name, self._offset = name, 0
        _say(f"\n{title}\n{'=' * len(title)}\n")

    def _read_on(self) -> None:
        """Print what the log holds behind what is printed."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while True:
            content = self._read()
            self._offset += len(content)
            self._print(decode(content, not content))
            if not content:
                return

    def _read(self) -> bytes:
        try:
            content, _ = session.current().client.fetch(
                "GET",
                f"/runs/{self._run_id}/logs/{self._name}",
                query={"offset": self._offset, "limit": _CHUNK_BYTES},
            )
        except ZaffreError as refusal:
            raise from_refusal(refusal) from refusal
        return content

    def _print(self, text: str) -> None:
        if text:
            sys.stdout.write(text)
            sys.stdout.flush()
            self._at_line_start = text.endswith("\n")

    def _end_line(self) -> None:
        if not self._at_line_start:
            _say("")
            self._at_line_start = True


def _say_end(run: Run, details: dict[str, Any], error: Any) -> None:
    _say(f"\nExecution Summary\n=================\nRunId: {run.id}")
    _say(f"Web View: {run.get_portal_url()}\n")
    if details.get("warnings"):
        messages = [warning["message"] for warning in details["warnings"]]
        _say("\n".join(["Warnings:", *messages, ""]))
    if error is not None:
        import json

        _say(f"Error:\n{json.dumps(error, indent=4)}\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
