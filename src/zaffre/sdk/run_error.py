"""Why a run failed: from what `run.fail` is given, and to what `get_details` shows."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Longest message of an error, characters (v1's limit).
MESSAGE_MAX_CHARS = 3_000
_NO_DETAILS = "The run was marked as failed."


def encode(error_details: Any, error_code: Any) -> dict[str, Any]:
    """Return the server's form of an error: a text, or an exception with its place."""
    code = str(error_code) if error_code else "UserError"
    if not isinstance(error_details, BaseException):
        text = _NO_DETAILS if error_details is None else str(error_details)
        return {"code": code, "message": text[:MESSAGE_MAX_CHARS]}
    name = type(error_details).__name__
    message = f"User program failed with {name}: {error_details}"
    error: dict[str, Any] = {
        "code": code,
        "message": message[:MESSAGE_MAX_CHARS],
        "exception": name,
    }
    trace = error_details.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None:
        error["file"] = trace.tb_frame.f_code.co_filename
        error["line"] = trace.tb_lineno
    return error


def as_v1(record: dict[str, Any]) -> dict[str, Any]:
    """Return a run's error as v1's details have it."""
    error = record["error"]
    shown: dict[str, Any] = {
        "code": error["code"],
        "message": error["message"],
        "messageParameters": {},
        "details": [],
    }
    if error.get("exception"):
        place = ""
        if error.get("file"):
            place = f"{error['file']}:{error.get('line')}"
        shown["innerError"] = {"code": error["exception"], "message": place}
    return {"error": shown, "time": record.get("ended_at") or "0001-01-01T00:00:00.000Z"}
