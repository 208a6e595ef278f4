"""How a refusal looks on the wire: `{"error": {"code", "message", "field", "facts"}}`.

Nothing of the inside leaves: an unforeseen exception is logged here and answered by one sentence;
an unknown path is not repeated.
"""

from __future__ import annotations

import errno
import re
import sqlite3
from typing import Any

import msgspec
import sqlalchemy.exc
from litestar import Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from zaffre.contract.errors import Invalid, StoreFull, Unauthenticated, ZaffreError
from zaffre.server import log

#: On every answer.
COMMON_HEADERS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}

#: What the framework says of a parameter that was not given.
_MISSING = re.compile(r"Missing required [a-z]+ parameter '(?P<name>[^']+)'")


def encode_error(error: ZaffreError) -> bytes:
    """Return the JSON body of a refusal."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.field is not None:
        body["field"] = error.field
    if error.facts:
        body["facts"] = error.facts
    return msgspec.json.encode({"error": body}, enc_hook=str)


def answer(error: ZaffreError) -> Response[bytes]:
    """Return the response for a refusal."""
    headers = dict(COMMON_HEADERS)
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = 'Bearer realm="zaffre"'
    return Response(
        encode_error(error),
        status_code=error.status,
        media_type="application/json",
        headers=headers,
    )


def on_refusal(_request: object, error: ZaffreError) -> Response[bytes]:
    """Answer what a use case or a parser refused."""
    return answer(error)


def on_http(_request: object, error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused: routes, parameters, sizes."""
    if isinstance(error, NotFoundException):
        refusal = _plain("There is nothing at this address.", "not_found", 404)
    elif isinstance(error, MethodNotAllowedException):
        refusal = _plain("This address does not take that method.", "method_not_allowed", 405)
    elif isinstance(error, ValidationException):
        refusal = _invalid(error)
    elif error.status_code == 413:
        refusal = _plain("The request's body is too long for this route.", "too_long", 413)
    elif isinstance(error, ClientException):
        refusal = _plain("The request could not be read.", "invalid", error.status_code)
    else:
        refusal = _plain("The server could not answer.", "internal", error.status_code)
    return answer(refusal)


def on_exception(request: Any, error: Exception) -> Response[bytes]:
    """Answer what nobody foresaw, and log it."""
    if _disk_full(error):
        return answer(StoreFull())
    log.exception("request.failed", error, method=request.method, path=request.url.path)
    return answer(
        _plain("The server failed to answer this request; its log says why.", "internal", 500)
    )


def _invalid(error: ValidationException) -> ZaffreError:
    missing = _MISSING.match(error.detail)
    if missing is not None:
        return Invalid(missing["name"], "is missing")
    extra = error.extra
    first = extra[0] if isinstance(extra, list) and extra else {}
    key = str(first.get("key") or "body")
    if key == "data":
        key = "body"
    message = str(first.get("message") or "is not valid")
    if "missing required field" in message:
        message = "is missing"
    return Invalid(key, message)


def _plain(message: str, code: str, status: int) -> ZaffreError:
    refusal = ZaffreError(message)
    refusal.code = code
    refusal.status = status
    return refusal


def _disk_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, sqlalchemy.exc.DBAPIError):
            error = error.orig
            continue
        if isinstance(error, sqlite3.OperationalError) and "disk is full" in str(error):
            return True
        if getattr(error, "sqlstate", None) == "53100":  # PostgreSQL: disk_full
            return True
        error = error.__cause__
    return False
