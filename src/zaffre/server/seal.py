"""Secrets at rest: AES-256-GCM, with the row's id as associated data.

A sealed text that is moved to another row does not open. cryptography is imported when it is
first needed: its import costs more than a small request may.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

_NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed text was changed, moved to another row, or sealed with another key."""


def seal(key: bytes, row_id: str, secret: bytes) -> bytes:
    """Return nonce and ciphertext of `secret`, bound to `row_id`."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, secret, row_id.encode())


def unseal(key: bytes, row_id: str, sealed: bytes) -> bytes:
    """Return what `seal` was given. Raises SealBroken."""
    from cryptography.exceptions import InvalidTag

    try:
        return _cipher(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row_id.encode())
    except InvalidTag as problem:
        raise SealBroken(row_id) from problem


def seal_variables(key: bytes, row_id: str, variables: dict[str, str]) -> bytes:
    """Seal environment variables."""
    return seal(key, row_id, json.dumps(variables).encode())


def unseal_variables(key: bytes, row_id: str, sealed: bytes | None) -> dict[str, str]:
    """Open sealed environment variables; none are an empty dict."""
    return {} if sealed is None else json.loads(unseal(key, row_id, sealed))


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def warm_up() -> None:
    """Import now what the first sealing would wait for."""
    _cipher(bytes(32))
