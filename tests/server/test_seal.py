from __future__ import annotations

import pytest

from zaffre.server import seal

KEY = bytes(range(32))


def test_what_is_sealed_opens_again() -> None:
    sealed = seal.seal_variables(KEY, "run1", {"A": "ä", "B": ""})
    assert seal.unseal_variables(KEY, "run1", sealed) == {"A": "ä", "B": ""}
    assert seal.unseal_variables(KEY, "run1", None) == {}


def test_a_secret_moved_to_another_row_does_not_open() -> None:
    sealed = seal.seal_variables(KEY, "run1", {"A": "x"})
    with pytest.raises(seal.SealBroken):
        seal.unseal_variables(KEY, "run2", sealed)
    with pytest.raises(seal.SealBroken):
        seal.unseal_variables(bytes(32), "run1", sealed)
