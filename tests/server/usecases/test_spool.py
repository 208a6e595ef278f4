from __future__ import annotations

import json
import math
import uuid
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.conftest import OWNER, World
from tests.server.data import Sender, line, wait_for_all

from zaffre.contract.errors import Forbidden, Invalid, NotFound, OffsetConflict
from zaffre.contract.metric import decode_value, encode_value
from zaffre.server.access import Caller
from zaffre.server.store import metric as metrics
from zaffre.server.store import run_key as run_keys
from zaffre.server.store.tables import spools
from zaffre.server.usecases import metric as usecase
from zaffre.server.usecases import spool
from zaffre.server.usecases.metric import Found
from zaffre.server.usecases.spool import Batch, SpoolWriter


def all_found(world: World, run_id: str, *, recursive: bool = False) -> Found:
    return usecase.find_all(run_id, None, recursive=recursive, caller=OWNER, store=world.store)


def whole(world: World, run_id: str, *, recursive: bool = False) -> dict[str, Any]:
    found = all_found(world, run_id, recursive=recursive)
    return usecase.read_whole(found, store=world.store)


def series(world: World, run_id: str) -> dict[str, Any]:
    """What a client gets: decoded values by metric."""
    found = json.loads(msgspec.json.encode(whole(world, run_id)))[run_id]
    return {one["name"]: [decode_value(value) for value in one["values"]] for one in found}


def test_records_are_stored_in_the_order_of_the_spool(world: World) -> None:
    run = world.interactive()
    sender = Sender(world, run.run_id)
    sender.send(line(run.run_id, "a", value=1.5) + line(run.run_id, "b", value=7.5))
    sender.send(line(run.run_id, "a", value=2.5))
    assert series(world, run.run_id) == {"a": [1.5, 2.5], "b": [7.5]}


def test_a_repeated_batch_changes_nothing_and_is_told_the_offset(world: World) -> None:
    run = world.interactive()
    sender = Sender(world, run.run_id)
    body = line(run.run_id, "a", value=1.5)
    sender.send(body)
    with pytest.raises(OffsetConflict) as refused:
        sender.send_at(0, body)
    assert refused.value.facts["offset"] == len(body)
    assert series(world, run.run_id) == {"a": [1.5]}


def test_a_batch_beyond_the_end_is_told_where_the_end_is(world: World) -> None:
    run = world.interactive()
    with pytest.raises(OffsetConflict) as refused:
        Sender(world, run.run_id).send_at(10, line(run.run_id, "a", value=1.5))
    assert refused.value.facts["offset"] == 0


def test_of_many_that_send_the_same_range_at_once_one_counts(world: World) -> None:
    run = world.interactive()
    body = line(run.run_id, "a", value=1.5)
    batch = Batch(OWNER, run.run_id, "s-1", 0, body)
    writers = [SpoolWriter(world.store.database) for _ in range(4)]
    outcomes = [o for w in writers for o in wait_for_all(w, [batch] * 3)]
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert series(world, run.run_id) == {"a": [1.5]}


def test_batches_that_arrive_together_do_not_share_a_failure(world: World) -> None:
    runs = [world.interactive() for _ in range(5)]
    batches = [Batch(OWNER, run.run_id, "s-1", 0, line(run.run_id, "a", value=1.5)) for run in runs]
    batches.insert(2, Batch(OWNER, "no-such-run", "s-1", 0, line("x", "a", value=1.5)))
    batches.insert(4, Batch(OWNER, runs[0].run_id, "s-2", 9, line("x", "a", value=1.5)))
    outcomes = wait_for_all(SpoolWriter(world.store.database), batches)
    assert [type(o).__name__ for o in outcomes] == [
        "Stored",
        "Stored",
        "NotFound",
        "Stored",
        "OffsetConflict",
        "Stored",
        "Stored",
    ]
    assert all(series(world, run.run_id) == {"a": [1.5]} for run in runs)


def test_two_writers_that_log_the_same_metrics_crosswise_both_succeed(world: World) -> None:
    run = world.interactive()
    forth = b"".join(line(run.run_id, f"m{i}", value=1.5) for i in range(20))
    back = b"".join(line(run.run_id, f"m{i}", value=1.5) for i in reversed(range(20)))
    writers = [SpoolWriter(world.store.database) for _ in range(2)]
    senders = [Sender(world, run.run_id, f"s-{i}") for i in range(2)]
    for sender, writer in zip(senders, writers, strict=True):
        sender.writer = writer
    for _ in range(10):
        senders[0].send(forth)
        senders[1].send(back)
    assert {len(values) for values in series(world, run.run_id).values()} == {20}


def test_halves_of_records_are_skipped_and_counted(world: World) -> None:
    run = world.interactive()
    whole = line(run.run_id, "a", value=1.5)
    sender = Sender(world, run.run_id)
    stored = sender.send(whole + whole[: len(whole) // 2] + b"\n" + whole + b"\xff\xfe\n")
    assert stored.skipped_count == 2
    assert series(world, run.run_id) == {"a": [1.5, 1.5]}
    with world.store.database.reading() as tx:
        key = spool.stored_id(run.run_id, "s-1")
        found = sa.select(spools.c.skipped_count).where(spools.c.spool_id == key)
        assert tx.execute(found).scalar_one() == 2


def test_a_record_of_a_run_that_no_run_can_be_called_is_skipped(world: World) -> None:
    run = world.interactive()
    body = line(run.run_id, "a", value=1.5) + line("a\0b", "a", value=1.5)
    assert Sender(world, run.run_id).send(body).skipped_count == 1
    assert series(world, run.run_id) == {"a": [1.5]}


@pytest.mark.parametrize(
    "parts",
    [
        {"value": [1]},
        {"value": {"a": 1}},
        {"values": [[1]]},
        {"row": {"a": [1]}},
        {"columns": {"a": [1], "b": [1, 2]}},
        {"value": 1.0, "step": 2**63},
        {"value": 1.0, "kind": "no-such-kind"},
        {"value": 1.0, "at": "now"},
    ],
)
def test_a_record_that_cannot_be_one_is_skipped_alone(world: World, parts: dict[str, Any]) -> None:
    run = world.interactive()
    good = line(run.run_id, "a", value=1.5)
    stored = Sender(world, run.run_id).send(good + line(run.run_id, "b", **parts) + good)
    assert stored.skipped_count == 1
    assert series(world, run.run_id) == {"a": [1.5, 1.5]}


def test_records_of_unknown_runs_and_bad_names_are_skipped_alone(world: World) -> None:
    run = world.interactive()
    good = line(run.run_id, "a", value=1.5)
    bad = line("no-such-run", "a", value=1.5) + line(run.run_id, "", value=1.5)
    bad += line(run.run_id, "x" * 256, value=1.5) + line(run.run_id, "a\0b", value=1.5)
    stored = Sender(world, run.run_id).send(good + bad + good)
    assert stored.skipped_count == 4
    assert series(world, run.run_id) == {"a": [1.5, 1.5]}


def test_a_blank_at_the_end_of_a_name_is_kept(world: World) -> None:
    run = world.interactive()
    Sender(world, run.run_id).send(line(run.run_id, "loss ", value=1.5))
    assert series(world, run.run_id) == {"loss ": [1.5]}


def test_a_run_logs_to_those_above_and_below_it_and_to_no_other(world: World) -> None:
    runner = world.started()
    other = world.interactive()
    child = world.interactive(parent_run_id=runner.run_id)
    grandchild = world.interactive(parent_run_id=child.run_id)
    body = b"".join(
        line(run_id, "a", value=1.5)
        for run_id in (runner.run_id, child.run_id, grandchild.run_id, other.run_id)
    )
    stored = Sender(world, runner.run_id, caller=runner.caller).send(body)
    assert stored.skipped_count == 1
    assert series(world, grandchild.run_id) == {"a": [1.5]}
    assert series(world, other.run_id) == {}
    with pytest.raises(Forbidden):
        Sender(world, other.run_id, caller=runner.caller).send(body)


def test_a_run_of_another_workspace_is_closed_to_a_run(world: World) -> None:
    run = world.interactive()
    stranger = Caller("run", "run x", "h", run_id="x", attempt=1, workspace_id="elsewhere")
    with pytest.raises(Forbidden):
        Sender(world, run.run_id, caller=stranger).send(line(run.run_id, "a", value=1.5))


def test_what_cannot_be_a_batch_is_refused(world: World) -> None:
    run = world.interactive()
    sender = Sender(world, run.run_id)
    for body in (b"", b'{"run":'):
        with pytest.raises(Invalid):
            sender.send(body)
    with pytest.raises(Invalid):
        Sender(world, run.run_id, "../s").send(b"\n")
    with pytest.raises(NotFound):
        Sender(world, "no-such-run").send(b"\n")


def test_spools_of_two_runs_never_meet(world: World) -> None:
    one, two = world.interactive(), world.interactive()
    for run in (one, two):
        Sender(world, run.run_id, "same-name").send(line(run.run_id, "a", value=1.5))
    assert spool.get_offset(one.run_id, "same-name", caller=OWNER, store=world.store) > 0
    assert series(world, two.run_id) == {"a": [1.5]}


def test_listeners_hear_of_each_run_that_was_logged_to(world: World) -> None:
    heard: set[str] = set()
    world.store.hub.listen(heard.update)
    run = world.interactive()
    child = world.interactive(parent_run_id=run.run_id)
    body = line(run.run_id, "a", value=1.5) + line(child.run_id, "a", value=1.5)
    Sender(world, run.run_id).send(body)
    assert {f"metric:{run.run_id}", f"metric:{child.run_id}"} <= heard


_cells = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**53 - 2, max_value=2**53 + 2)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["NaN", "'NaN", "Infinity", "-Infinity", "'", "", -0.0, 0.0, 0, 1e308])
)
_rows = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), _cells, max_size=4)


def _same(one: Any, other: Any) -> bool:
    """Equal in type and value; NaN is itself, and -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, float):
        return repr(one) == repr(other)
    return one == other


@given(
    logged=st.lists(
        st.one_of(
            st.tuples(st.just("value"), _cells),
            st.tuples(st.just("row"), _rows),
            st.tuples(st.just("values"), st.lists(_cells, max_size=4)),
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_was_logged_is_what_is_read(world: World, logged: list[tuple[str, Any]]) -> None:
    run = world.interactive(uuid.uuid4().hex)
    expected: list[Any] = []
    body = b"\n"
    for kind, value in logged:
        if kind == "values":
            expected += value
            encoded = [encode_value(cell) for cell in value]
        elif kind == "row":
            expected.append(value)
            encoded = {key: encode_value(cell) for key, cell in value.items()}
        else:
            expected.append(value)
            encoded = encode_value(value)
        body += line(run.run_id, "m", **{kind: encoded})
    assert Sender(world, run.run_id).send(body).skipped_count == 0
    found = series(world, run.run_id).get("m", [])
    assert len(found) == len(expected)
    assert all(_same(*pair) for pair in zip(found, expected, strict=True))
    steps = whole(world, run.run_id)
    assert all(len(one["steps"]) == len(expected) for one in steps[run.run_id])


def test_the_newest_number_can_be_searched_and_others_are_none(world: World) -> None:
    run = world.interactive()
    sender = Sender(world, run.run_id)
    for value, number in [(1.5, 1.5), (3, 3.0), (True, 1.0), ("NaN", None), ("x", None)]:
        sender.send(line(run.run_id, "m", value=value))
        with world.store.database.driver_turn() as connection:
            row = connection.execute("SELECT last_number FROM metrics").fetchone()
            connection.rollback()
        assert row[0] == number


def test_buckets_cover_all_points_and_count_what_is_no_number(world: World) -> None:
    run = world.interactive()
    values = [float(i) for i in range(1, 1000)] + ["NaN"]
    Sender(world, run.run_id).send(line(run.run_id, "m", kind="list", values=values))
    metric, buckets = usecase.get_buckets(run.run_id, "m", 10, caller=OWNER, store=world.store)
    assert metric.point_count == sum(buckets.count) == 1000
    assert sum(buckets.number_count) == 999
    assert list(buckets.position) == list(range(0, 1000, 100))
    assert buckets.minimum[0] == 1.0
    assert buckets.maximum[-1] == 999.0
    assert math.isclose(buckets.mean[0] or 0.0, 50.5)
    assert list(buckets.last) == [*(float(last) for last in range(100, 1000, 100)), None]


def test_the_newest_point_of_each_metric_is_read_alone(world: World) -> None:
    run = world.interactive()
    body = line(run.run_id, "a", value=1.5) + line(run.run_id, "a", value=2.5, step=7)
    Sender(world, run.run_id).send(body + line(run.run_id, "b", value="NaN"))
    metrics = usecase.find_all(run.run_id, None, recursive=False, caller=OWNER, store=world.store)
    a, b = usecase.read_whole(metrics, newest=True, store=world.store)[run.run_id]
    assert (a["name"], list(a["values"]), list(a["steps"])) == ("a", [2.5], [7])
    assert (b["name"], len(b["values"])) == ("b", 1)


def test_buckets_keep_a_spike_and_the_last_point_of_an_uneven_rest(world: World) -> None:
    run = world.interactive()
    values = [0.0] * 7 + [-50.0, 1.0, 2.0]
    Sender(world, run.run_id).send(line(run.run_id, "m", kind="list", values=values))
    _, buckets = usecase.get_buckets(run.run_id, "m", 3, caller=OWNER, store=world.store)
    columns = (buckets.position, buckets.count, buckets.minimum, buckets.last)
    assert list(zip(*columns, strict=True)) == [
        (0, 4, 0.0, 0.0),
        (4, 4, -50.0, -50.0),
        (8, 2, 1.0, 2.0),
    ]
    _, single = usecase.get_buckets(run.run_id, "m", 99, caller=OWNER, store=world.store)
    assert list(single.last) == values


def test_a_slice_starts_behind_the_given_position(world: World) -> None:
    run = world.interactive()
    Sender(world, run.run_id).send(line(run.run_id, "m", kind="list", values=[1.5, 2, 3.5]))
    part = usecase.get_slice(run.run_id, "m", after=0, limit=1, caller=OWNER, store=world.store)
    assert part.first_position == 1
    assert json.loads(msgspec.json.encode(part.columns.values)) == [2]


def test_descendants_without_metrics_are_named_too(world: World) -> None:
    run = world.interactive()
    child = world.interactive(parent_run_id=run.run_id)
    grandchild = world.interactive(parent_run_id=child.run_id)
    Sender(world, run.run_id).send(line(grandchild.run_id, "m", value=1.5))
    answer = whole(world, run.run_id, recursive=True)
    assert list(answer) == [run.run_id, child.run_id, grandchild.run_id]
    assert answer[child.run_id] == []
    assert answer[grandchild.run_id][0]["name"] == "m"


def test_an_answer_in_pieces_is_the_whole_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecase, "_SLICE", 3)
    monkeypatch.setattr(usecase, "_PIECE_BYTES", 64)
    run = world.interactive()
    child = world.interactive(parent_run_id=run.run_id)
    sender = Sender(world, run.run_id)
    sender.send(line(run.run_id, "ü", kind="list", values=[1.5, 2, True, "NaN", "x", None, -0.0]))
    sender.send(line(run.run_id, "short", value=1.5, step=7) + line(run.run_id, "t", row={"a": 1}))
    sender.send(line(child.run_id, "six", kind="list", values=[0.5] * 6))
    for run_id in (run.run_id, child.run_id):
        found = all_found(world, run_id, recursive=True)
        pieces = list(usecase.read_in_pieces(found, store=world.store))
        assert len(pieces) > 2
        expected = msgspec.json.encode({"runs": usecase.read_whole(found, store=world.store)})
        assert b"".join(pieces) == expected


def test_a_metric_of_many_points_and_many_metrics_read_back_alike(world: World) -> None:
    run = world.interactive()
    sender = Sender(world, run.run_id)
    sender.send(line(run.run_id, "big", kind="list", values=[float(i) for i in range(1, 2001)]))
    sender.send(b"".join(line(run.run_id, f"m{i}", value=i + 0.5) for i in range(700)))
    found = series(world, run.run_id)
    assert found["big"] == [float(i) for i in range(1, 2001)]
    assert [found[f"m{i}"] for i in range(700)] == [[i + 0.5] for i in range(700)]
    with world.store.database.reading() as tx:
        key = run_keys.get(tx, run.run_id).run_key
        assert metrics.find_all(tx, [key])[0].name == "big"
