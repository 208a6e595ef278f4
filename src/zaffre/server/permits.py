"""Permits: what lets programs that send no token read one file for a while.

A permit is one query parameter of the file's address, `permit=UNTIL.WORKSPACE.SIGNATURE`: until
when it is good (Unix seconds), in which workspace, and an HMAC-SHA256 of both and the path. Its key
is made from the home's; whoever has the address may read that one file until then.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import quote

from zaffre.contract.errors import ZaffreError
from zaffre.server.access import Caller

#: For how long a permit is good, seconds.
PERMIT_S = 3_600.0

_PERMIT = re.compile(r"(?P<until>[0-9]{1,12})\.(?P<workspace>[A-Za-z0-9-]{1,64})\.[0-9a-f]{64}\Z")


class PermitRefused(ZaffreError):
    """A permit's time has passed, or it is of another file."""

    code = "permit"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "This address is not good any more: it was for an hour, and for this one file. "
            "Ask Zaffre for a new one, such as by get_details()."
        )


def address(key: bytes, path: str, workspace_id: str, *, now: float) -> str:
    """Return a file's path, percent-encoded, with the permission to read it for PERMIT_S.

    key: the home's. path: plain text. workspace_id: the workspace that the file belongs to.
    """
    return f"{quote(path)}?permit={_permit(key, path, workspace_id, int(now + PERMIT_S))}"


def caller_of(key: bytes, path: str, permit: str, *, now: float) -> Caller:
    """Return whom a permit lets in: somebody who may read in its workspace. Raises PermitRefused.

    The path is part of what was signed, so this caller is never asked about another one.
    """
    match = _PERMIT.match(permit)
    if match is None or int(match["until"]) < now:
        raise PermitRefused
    expected = _permit(key, path, match["workspace"], int(match["until"]))
    if not hmac.compare_digest(expected, permit):
        raise PermitRefused
    return Caller(kind="permit", name="a permit", token_hash="", workspace_id=match["workspace"])


def _permit(key: bytes, path: str, workspace_id: str, until: int) -> str:
    own_key = hmac.digest(key, b"zaffre permits", hashlib.sha256)
    signed = f"{until}\n{workspace_id}\n{path}".encode("utf-8", "surrogateescape")
    signature = hmac.digest(own_key, signed, hashlib.sha256).hex()
    return f"{until}.{workspace_id}.{signature}"
