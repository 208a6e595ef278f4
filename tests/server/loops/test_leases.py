from __future__ import annotations

import pytest

from zaffre.server.loops.leases import Clocks, jumped

BEFORE = Clocks(monotonic=100.0, boottime=500.0, wall=1000.0)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (Clocks(110.0, 510.0, 1010.0), False),
        (Clocks(110.4, 510.4, 1010.3), False),
        (Clocks(110.0, 4110.0, 4610.0), True),  # the machine slept an hour
        (Clocks(110.0, 510.0, 4610.0), True),  # the clock was set forth
        (Clocks(110.0, 510.0, 1.0), True),  # and back
        (Clocks(150.0, 550.0, 1050.0), True),  # this process was stopped
    ],
)
def test_leases_are_judged_only_where_the_clocks_ran_evenly(
    after: Clocks, *, expected: bool
) -> None:
    assert jumped(BEFORE, after, pause_s=10.0) is expected
