from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.conftest import OWNER, World
from tests.server.data import Sender, line

from zaffre.contract.errors import Forbidden, Invalid, NotFound
from zaffre.server.access import Caller
from zaffre.server.usecases import log as logs
from zaffre.server.usecases import run as runs
from zaffre.server.usecases import stream
from zaffre.server.usecases.stream import Cursor, Reading


def read(world: World, run_id: str, since: str = "") -> Reading:
    return stream.read(run_id, stream.parse_cursor(since), store=world.store)


def shown(reading: Reading) -> list[Any]:
    found: list[Any] = []
    for event in reading.events:
        if event.kind == "state":
            found.append(event.data.state.value)
        elif event.kind == "log":
            found.append((event.data["offset"], event.data["text"]))
        else:
            found.append((event.data["first_position"], list(event.data["values"])))
    return found


def append(world: World, run_id: str, offset: int, piece: bytes) -> None:
    logs.append(
        run_id,
        "user_logs/std_log.txt",
        offset,
        piece,
        caller=OWNER,
        store=world.store,
        now=world.now,
    )


def test_a_stream_goes_on_where_its_cursor_stands(world: World) -> None:
    run = world.interactive()
    first = read(world, run.run_id)
    assert shown(first) == ["Running"]
    sender = Sender(world, run.run_id)
    sender.send(line(run.run_id, "a", value=1.5) + line(run.run_id, "a", value=2.5))
    append(world, run.run_id, 0, b"one\n")
    second = read(world, run.run_id, stream.encode_cursor(first.cursor))
    assert shown(second) == [(0, "one\n"), (0, [1.5, 2.5])]
    sender.send(line(run.run_id, "a", value=3.5))
    append(world, run.run_id, 4, b"two\n")
    third = read(world, run.run_id, stream.encode_cursor(second.cursor))
    assert shown(third) == [(4, "two\n"), (2, [3.5])]
    assert not third.ended
    again = read(world, run.run_id, stream.encode_cursor(second.cursor))
    assert shown(again) == shown(third)


def test_the_cursor_of_many_metrics_stays_short_and_loses_nothing(world: World) -> None:
    run = world.interactive()
    sender = Sender(world, run.run_id)
    count = stream.CURSOR_METRICS_MAX + 20
    names = [f"{'m' * 200}{number}" for number in range(count)]
    short, long = names[:30], names[30:]
    sender.send(b"".join(line(run.run_id, name, value=0.5) for name in names + long))
    first = read(world, run.run_id)
    assert len(first.events) == 1 + count
    cursor = stream.encode_cursor(first.cursor)
    assert len(cursor) < 10_000
    sender.send(line(run.run_id, long[0], value=1.5))
    again = read(world, run.run_id, cursor)
    told = {event.data["name"]: event.data["first_position"] for event in again.events}
    assert told.pop(long[0]) == 2
    assert len(told) == 20
    assert set(told) <= set(short)
    assert set(told.values()) == {0}


def test_the_final_state_comes_last_and_ends_the_stream(world: World) -> None:
    run = world.interactive()
    append(world, run.run_id, 0, b"one\n")
    runs.complete(run.run_id, caller=OWNER, store=world.store, now=world.now)
    reading = read(world, run.run_id)
    assert shown(reading) == [(0, "one\n"), "Completed"]
    assert reading.ended
    assert shown(read(world, run.run_id, stream.encode_cursor(reading.cursor))) == []


def test_a_long_log_comes_in_parts_and_the_end_after_all_of_them(world: World) -> None:
    run = world.interactive()
    text = b"0123456789abcde\n" * 200_000
    append(world, run.run_id, 0, text)
    runs.complete(run.run_id, caller=OWNER, store=world.store, now=world.now)
    cursor, found, states = Cursor(), "", []
    while True:
        reading = stream.read(run.run_id, cursor, store=world.store)
        cursor = reading.cursor
        for event in reading.events:
            if event.kind == "log":
                assert event.data["offset"] == len(found)
                found += event.data["text"]
            else:
                states.append((event.data.state.value, len(found)))
        if reading.ended:
            break
        assert reading.more
    assert found.encode() == text
    assert states == [("Completed", len(text))]


def test_many_points_come_in_parts(world: World) -> None:
    run = world.interactive()
    count = stream.POINTS_MAX * 2 + 5
    values = [float(i) for i in range(1, count + 1)]
    Sender(world, run.run_id).send(line(run.run_id, "m", kind="list", values=values))
    cursor, found = Cursor(), []
    for _ in range(3):
        reading = stream.read(run.run_id, cursor, store=world.store)
        cursor = reading.cursor
        found += [v for e in reading.events if e.kind == "metric" for v in e.data["values"]]
    assert found == values
    assert not reading.more


@given(text=st.text(st.characters(exclude_categories=["Cs"])), cut=st.integers(0, 60))
def test_a_character_is_never_cut(text: str, cut: int) -> None:
    whole = text.encode()
    first = stream._whole_text(whole[:cut])
    assert first.decode() + whole[len(first) :].decode() == text
    assert len(whole[:cut]) - len(first) < 4


def test_a_character_that_never_becomes_whole_is_told_at_the_end(world: World) -> None:
    run = world.interactive()
    append(world, run.run_id, 0, b"a\xc3")
    first = read(world, run.run_id)
    assert shown(first) == ["Running", (0, "a")]
    runs.complete(run.run_id, caller=OWNER, store=world.store, now=world.now)
    last = read(world, run.run_id, stream.encode_cursor(first.cursor))
    assert shown(last) == [(1, "\ufffd"), "Completed"]


@pytest.mark.parametrize("since", ["x", "=====", "e30", "eyJsb2dzIjp7ImEiOi0xfX0=", "A" * 99_999])
def test_what_is_no_cursor_is_refused(since: str) -> None:
    with pytest.raises(Invalid):
        stream.parse_cursor(since)


def test_only_those_who_may_read_the_run_listen(world: World) -> None:
    run = world.interactive()
    stranger = Caller("run", "x", "h", run_id="x", attempt=1, workspace_id="elsewhere")
    with pytest.raises(Forbidden):
        stream.check(run.run_id, caller=stranger, store=world.store)
    with pytest.raises(NotFound):
        stream.check("no-such-run", caller=OWNER, store=world.store)
