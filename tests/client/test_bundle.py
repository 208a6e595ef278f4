"""The reader of bundles: the same blobs in whatever pieces they come, and none by halves."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zaffre.client.bundle import read_blobs
from zaffre.client.http import AnswerCut

CONTENTS = st.lists(st.binary(max_size=40), min_size=1, max_size=6)


def packed(contents: list[bytes]) -> bytes:
    return b"".join(b"%064x %d\n%b" % (i, len(one), one) for i, one in enumerate(contents))


@given(CONTENTS, st.integers(1, 90))
def test_blobs_are_the_same_in_whatever_pieces_they_come(
    contents: list[bytes], piece_bytes: int
) -> None:
    bundle = io.BytesIO(packed(contents))
    found = list(read_blobs(lambda most: bundle.read(min(most, piece_bytes))))
    assert found == [(f"{i:064x}", one) for i, one in enumerate(contents)]


@given(CONTENTS, st.data())
def test_a_bundle_that_is_cut_gives_its_whole_blobs_and_no_other(
    contents: list[bytes], data: st.DataObject
) -> None:
    whole = packed(contents)
    ends = {len(packed(contents[:count])) for count in range(len(contents) + 1)}
    cut = data.draw(st.integers(1, len(whole)).filter(lambda end: end not in ends))
    found: list[bytes] = []
    with pytest.raises(AnswerCut):
        found.extend(one for _, one in read_blobs(io.BytesIO(whole[:cut]).read))
    assert found == contents[: len(found)]
