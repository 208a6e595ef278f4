from __future__ import annotations

import asyncio

from zaffre.server.loops.attempts import insist


def test_a_store_that_is_away_is_told_again_until_it_has_taken_it() -> None:
    told: list[int] = []

    def tell() -> None:
        told.append(len(told))
        if len(told) < 2:
            raise OSError("the disk is full")

    asyncio.run(insist(tell, run_id="r", attempt=1))
    assert told == [0, 1]
