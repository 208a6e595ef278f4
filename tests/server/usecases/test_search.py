"""Searches on both databases, beside a reading of the same query that knows no SQL."""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.server.conftest import OWNER, START, World, queued_request
from tests.server.data import Sender, line

from zaffre.contract import search
from zaffre.contract.errors import Forbidden, Invalid
from zaffre.contract.run import RunSpec
from zaffre.contract.search import (
    Ago,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Field,
    IsNull,
    Kind,
    Not,
    OneOf,
    Order,
    Query,
    SearchTooSlow,
)
from zaffre.contract.search_parser import parse, parse_field
from zaffre.server.access import Caller
from zaffre.server.store.run import Filter
from zaffre.server.usecases import run as usecase

#: What each run of `searched` is: its parameters, metrics (all values) and tags.
RUNS: list[dict[str, Any]] = [
    {"params": {"lr": "0.1", "opt": "sgd"}, "metrics": {"loss": [3.0, 0.5]}, "tags": {"a": "x"}},
    {"params": {"lr": "1e-1"}, "metrics": {"loss": [0.5, 2.0]}, "tags": {"a": "X", "é": "ü"}},
    {"params": {"lr": "big"}, "metrics": {"loss": [0.5]}, "tags": {"a": "xy%_*["}},
    {"params": {"lr": "0.02"}, "metrics": {"loss": [1.0, math.nan]}, "tags": {"a": None}},
    {"params": {}, "metrics": {"acc": [0.9]}, "tags": {}},
    {
        "params": {"lr": "-3"},
        "metrics": {"loss": [-1.0], "acc": [0.1]},
        "tags": {"a": "\U0001f600"},
    },
    {"params": {"opt": "adam"}, "metrics": {}, "tags": {"a": "\ufffd"}},
]


class Searched:
    """A world with runs, and each run's fields as plain values."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fields: dict[str, dict[str, Any]] = {}
        self.order: list[str] = []
        for position, one in enumerate(RUNS):
            arguments = [
                text for name, value in one["params"].items() for text in (f"--{name}={value}",)
            ]
            request = replace(
                queued_request(f"run_{position}"),
                spec=RunSpec("local", "python", script="a.py", arguments=tuple(arguments)),
                display_name=None if position % 3 == 2 else f"Name {position // 2}",
                tags=one["tags"],
                properties={"p": str(position % 2)},
                parent_run_id="run_0" if position in (2, 3) else None,
            )
            run = world.create(request)
            if position % 2 == 0:
                usecase.cancel(
                    run.run_id,
                    caller=OWNER,
                    store=world.store,
                    now=world.now + timedelta(seconds=position),
                )
            sender = Sender(world, run.run_id)
            for name, values in one["metrics"].items():
                for value in values:
                    shown = "NaN" if math.isnan(value) else value
                    sender.send(line(run.run_id, name, value=shown))
            world.pass_time(3600 if position != 4 else 0)
            self.order.append(run.run_id)
        for run_id, one in zip(self.order, RUNS, strict=True):
            self.fields[run_id] = self._fields(world.get(run_id), one)

    def _fields(self, run: Any, one: dict[str, Any]) -> dict[str, Any]:
        seconds = lambda moment: None if moment is None else moment.timestamp()  # noqa: E731
        started, ended = seconds(run.started_at), seconds(run.ended_at)
        fields: dict[str, Any] = {
            "id": run.run_id,
            "name": run.display_name,
            "experiment": run.experiment_name,
            "number": run.number,
            "status": run.state.value,
            "target": run.target,
            "submitter": run.submitted_by,
            "parent": run.parent_run_id,
            "created": seconds(run.created_at),
            "started": started,
            "ended": ended,
            "duration": None if started is None or ended is None else ended - started,
        }
        for name, value in one["tags"].items():
            fields["tags", name, "last"] = value
            fields["has", "tags", name] = True
        for name, value in run.properties.items():
            fields["properties", name, "last"] = value
        for name, value in one["params"].items():
            fields["params", name, "last"] = value
        for name, values in one["metrics"].items():
            finite = [value for value in values if math.isfinite(value)]
            if math.isfinite(values[-1]):
                fields["metrics", name, "last"] = values[-1]
            fields["metrics", name, "min"] = min(finite)
            fields["metrics", name, "max"] = max(finite)
        return fields

    def value(self, run_id: str, field: Field) -> Any:
        key = field.key if field.group is None else (field.group, field.key, field.of)
        return self.fields[run_id].get(key)

    def holds(self, run_id: str, condition: Condition) -> bool:
        if isinstance(condition, Not):
            return not self.holds(run_id, condition.condition)
        if isinstance(condition, AllOf):
            return all(self.holds(run_id, one) for one in condition.conditions)
        if isinstance(condition, AnyOf):
            return any(self.holds(run_id, one) for one in condition.conditions)
        own = self.value(run_id, condition.field)
        if isinstance(condition, IsNull):
            return own is None and ("has", "tags", condition.field.key) not in self.fields[run_id]
        if own is None:
            if ("has", "tags", condition.field.key) not in self.fields[run_id]:
                return False
            own = ""
        if isinstance(condition, OneOf):
            return any(self._compare(condition.field, own, "=", v) for v in condition.values)
        return self._compare(condition.field, own, condition.operator, condition.value)

    def _compare(self, field: Field, own: Any, operator: str, value: Any) -> bool:
        if isinstance(value, Ago):
            value = self.world.now.timestamp() - value.seconds
        elif field.kind is Kind.TIME:
            value = search.time_of(value)
        if isinstance(value, float) and isinstance(own, str):
            try:
                own = float(own)
            except ValueError:
                return False
        if operator in ("like", "ilike"):
            pattern = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in value)
            flags = re.DOTALL | (re.IGNORECASE if operator == "ilike" else 0)
            return re.fullmatch(pattern, own, flags) is not None
        compare = {
            "=": lambda: own == value,
            "!=": lambda: own != value,
            "<": lambda: own < value,
            "<=": lambda: own <= value,
            ">": lambda: own > value,
            ">=": lambda: own >= value,
            "contains": lambda: value in own,
        }
        return compare[operator]()

    def expected(self, query: Query) -> list[str]:
        found = [r for r in self.order if query.where is None or self.holds(r, query.where)]
        descending = not query.orders or query.orders[-1].descending
        found.sort(key=self.order.index, reverse=descending)
        for order in reversed(query.orders):
            for values in reversed(self._sort_values(order.field)):
                having = [r for r in found if values[r] is not None]
                lacking = [r for r in found if values[r] is None]
                having.sort(key=values.__getitem__, reverse=False)
                if order.descending:
                    groups = itertools.groupby(having, key=values.__getitem__)
                    having = [r for group in [list(g) for _, g in groups][::-1] for r in group]
                found = having + lacking
        return found

    def _sort_values(self, field: Field) -> list[dict[str, Any]]:
        own = {run_id: self.value(run_id, field) for run_id in self.order}
        if field.group != "params":
            return [own]
        numbers: dict[str, Any] = {}
        for run_id, text in own.items():
            try:
                numbers[run_id] = float(text)
            except (TypeError, ValueError):
                numbers[run_id] = None
        return [numbers, own]

    def found(self, query: Query, *, limit: int = 100, wanted: Filter | None = None) -> list[str]:
        """Return the ids of all pages."""
        wanted = wanted or Filter(experiment_id=self.world.experiment.experiment_id)
        ids: list[str] = []
        cursor: str | None = None
        while True:
            page, cursor = usecase.find_page(
                wanted,
                query,
                limit=limit,
                cursor=cursor,
                caller=OWNER,
                store=self.world.store,
                now=self.world.now,
            )
            ids += [run.run_id for run in page]
            if cursor is None:
                return ids
            assert len(page) == limit


@pytest.fixture
def searched(world: World) -> Searched:
    return Searched(world)


CONDITIONS: list[tuple[str, list[int]]] = [
    ("metrics.loss < 1", [0, 2, 5]),
    ("max(metrics.loss) >= 2", [0, 1]),
    ("min(metrics.loss) = 1", [3]),
    ("metrics.loss is null", [3, 4, 6]),
    ("params.lr = 0.1", [0, 1]),
    ("params.lr = '0.1'", [0]),
    ("params.lr in (0.1, 'big')", [0, 1, 2]),
    ("params.lr != 'big'", [0, 1, 3, 5]),
    ("not params.lr = 'big'", [0, 1, 3, 4, 5, 6]),
    ("tags.a like 'x%'", [0, 2]),
    ("tags.a ilike 'X%'", [0, 1, 2]),
    ("tags.a like 'xy\\%'", []),
    ("tags.a contains '%_*['", [2]),
    ("tags.a like '%*['", [2]),
    ("tags.a is null", [4]),
    ("tags.a not in ('x')", [1, 2, 3, 5, 6]),
    ("tags.a = ''", [3]),
    ("tags.é = 'ü'", [1]),
    ("tags.a > 'z'", [5, 6]),
    ("status = 'canceled' and not tags.a = 'x'", [2, 4, 6]),
    ("properties.p = '1' or number = 1", [0, 1, 3, 5]),
    ("number in (1.5, 2)", [1]),
    ("parent = 'run_0'", [2, 3]),
    ("parent is null and name is not null", [0, 1, 4, 6]),
    ("name contains 'ame 2'", [4]),
    ("created >= '2030-01-01T14:00:00' and created < '2030-01-01T17:00:00+01:00'", [2, 3]),
    ("created > 2.5h ago", [4, 5, 6]),
    ("submitter = 'ann' and target = 'local' and type is null", [0, 1, 2, 3, 4, 5, 6]),
    ("id = 'run_3' or experiment != 'exp'", [3]),
    ("tags.\"a'; DROP TABLE runs; --\" = '%s ? :x'", []),
]


def test_a_condition_finds_the_runs_for_which_it_holds(searched: Searched) -> None:
    for text, found in CONDITIONS:
        ids = [f"run_{number}" for number in reversed(found)]
        assert searched.found(parse(text)) == ids, text
        assert searched.expected(parse(text)) == ids, text


ORDERS: list[tuple[str, list[int]]] = [
    ("order by metrics.loss", [5, 0, 2, 1, 3, 4, 6]),
    ("order by metrics.loss desc", [1, 2, 0, 5, 6, 4, 3]),
    ("metrics.loss < 1 order by metrics.loss", [5, 0, 2]),
    ("tags.a is not null order by metrics.loss", [5, 0, 2, 1, 3, 6]),
    ("order by params.lr", [5, 3, 0, 1, 2, 4, 6]),
    ("order by params.lr desc", [1, 0, 3, 5, 2, 6, 4]),
    ("order by tags.a", [1, 0, 2, 6, 5, 3, 4]),
    ("order by status, created desc", [6, 4, 2, 0, 5, 3, 1]),
    ("order by name, metrics.acc desc", [1, 0, 3, 4, 6, 5, 2]),
    ("order by created", [0, 1, 2, 3, 4, 5, 6]),
]


def test_an_order_puts_last_what_lacks_it(searched: Searched) -> None:
    for text, found in ORDERS:
        ids = [f"run_{number}" for number in found]
        assert searched.expected(parse(text)) == ids, text
        for limit in (100, 1, 2, 3):
            assert searched.found(parse(text), limit=limit) == ids, text


_texts = st.sampled_from(["x", "X", "xy%_*[", "", "%", "x%", "_", "*", "0.1", "big", "Name 1", "é"])
_numbers = st.sampled_from([-1.0, 0.02, 0.1, 0.5, 1.0, 2.0, 3.0])
_plain = sorted(set(search.FIELDS) - {"description", "type"})
_fields = st.one_of(
    st.sampled_from([Field(name) for name in _plain]),
    st.sampled_from([Field(k, "metrics", of) for k in ("loss", "acc") for of in ("last", "max")]),
    st.sampled_from([Field("a", "tags"), Field("p", "properties")]),
    st.sampled_from([Field("lr", "params"), Field("opt", "params")]),
)
_VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: _texts,
    Kind.EITHER: _texts | _numbers,
    Kind.STATUS: st.sampled_from(["Queued", "Canceled"]),
    Kind.NUMBER: _numbers,
    Kind.TIME: st.sampled_from(["2030-01-01T13:00:00", Ago(7_200.0)]),
    Kind.DURATION: _numbers,
}


@st.composite
def _comparisons(draw: st.DrawFn) -> Condition:
    field = draw(_fields)
    values = _VALUES[field.kind]
    operators = ["=", "!="]
    if field.kind is not Kind.STATUS:
        operators += search.ORDERING
    if field.kind in (Kind.TEXT, Kind.EITHER, Kind.STATUS):
        operators += search.PATTERNS
    operator = draw(st.sampled_from(operators))
    compared = _texts if operator in search.PATTERNS else values
    return draw(
        st.one_of(
            st.builds(Comparison, st.just(field), st.just(operator), compared),
            st.builds(OneOf, st.just(field), st.lists(values, min_size=1, max_size=3).map(tuple)),
            st.just(IsNull(field)),
        )
    )


def _several(conditions: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    some = st.lists(conditions, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, conditions), st.builds(AllOf, some), st.builds(AnyOf, some))


_queries = st.builds(
    Query,
    st.none() | st.recursive(_comparisons(), _several, max_leaves=6),
    st.lists(
        st.builds(Order, _fields, st.booleans()), max_size=3, unique_by=lambda order: order.field
    ).map(tuple),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=_queries, limit=st.integers(1, 8))
@example(Query(None, (Order(Field("name")), Order(Field("loss", "metrics")))), 2)
def test_any_search_finds_what_a_reading_without_sql_finds(
    searched: Searched, query: Query, limit: int
) -> None:
    assert searched.found(query, limit=limit) == searched.expected(query)


def test_pages_go_on_behind_a_run_while_others_come(searched: Searched) -> None:
    world, query = searched.world, parse("order by metrics.loss")
    wanted = Filter(workspace_id=world.workspace.workspace_id)
    options: dict[str, Any] = {"caller": OWNER, "store": world.store, "now": world.now}
    page, cursor = usecase.find_page(wanted, query, limit=3, **options)
    assert [run.run_id for run in page] == ["run_5", "run_0", "run_2"]
    for value in (-5.0, 0.4, 9.0):
        run = world.interactive(f"later_{value}".replace("-", "minus"))
        Sender(world, run.run_id).send(line(run.run_id, "loss", value=value))
    page, cursor = usecase.find_page(wanted, query, limit=3, cursor=cursor, **options)
    assert [run.run_id for run in page] == ["run_1", "later_9.0", "run_3"]
    page, cursor = usecase.find_page(wanted, query, limit=3, cursor=cursor, **options)
    assert ([run.run_id for run in page], cursor) == (["run_4", "run_6"], None)


@pytest.mark.parametrize("scope", ["workspace", "server"])
def test_the_best_of_a_workspace_and_of_a_server_are_found(searched: Searched, scope: str) -> None:
    world = searched.world
    own = Filter(workspace_id=world.workspace.workspace_id) if scope == "workspace" else Filter()
    query = parse("order by metrics.loss")
    assert searched.found(query, wanted=own, limit=2) == searched.expected(query)
    with_more = replace(own, tags=[("a", "x")], states=[world.get("run_0").state])
    assert searched.found(query, wanted=with_more) == ["run_0"]


def test_a_run_sees_its_own_workspace_alone(searched: Searched) -> None:
    world = searched.world
    stranger = Caller(kind="run", name="run x", token_hash="h", run_id="x", workspace_id="other")
    options: dict[str, Any] = {"caller": stranger, "store": world.store, "now": world.now}
    query = parse("order by metrics.loss")
    assert usecase.find_page(Filter(), query, limit=9, **options) == ([], None)
    assert usecase.find_table(Filter(), query, [Field("id")], **options) == []
    wanted = Filter(workspace_id=world.workspace.workspace_id)
    with pytest.raises(Forbidden):
        usecase.find_table(wanted, query, [Field("id")], **options)


def test_what_is_no_cursor_of_the_order_is_refused(world: World) -> None:
    cursors = ["", "x", "e30", "W10", "WzEsMl0", "WyJhIl0", "\ud800", "é", "WzFd=", "WzEsMSwxXQ"]
    options: dict[str, Any] = {"limit": 1, "caller": OWNER, "store": world.store, "now": START}
    for text in ("order by name", "order by metrics.loss, name"):
        for cursor in cursors:
            with pytest.raises(Invalid, match="cursor"):
                usecase.find_page(Filter(), parse(text), cursor=cursor, **options)


def table(searched: Searched, text: str, *columns: str, limit: int | None = None) -> Any:
    pieces = usecase.find_table(
        Filter(experiment_id=searched.world.experiment.experiment_id),
        parse(text),
        [parse_field(column) for column in columns],
        limit=limit,
        caller=OWNER,
        store=searched.world.store,
        now=searched.world.now,
    )
    return json.loads(b"[" + b",".join(pieces) + b"]")


def test_a_table_has_the_columns_of_all_runs_found(searched: Searched) -> None:
    columns = ("id", "metrics.loss", "max(metrics.loss)", "params.lr", "tags.a", "created")
    rows = table(searched, "tags.a is not null order by metrics.loss desc", *columns)
    created = START.timestamp()
    assert rows == [
        ["run_1", 2.0, 2.0, "1e-1", "X", created + 3600],
        ["run_2", 0.5, 0.5, "big", "xy%_*[", created + 7200],
        ["run_0", 0.5, 3.0, "0.1", "x", created],
        ["run_5", -1.0, -1.0, "-3", "\U0001f600", created + 14400],
        ["run_6", None, None, None, "\ufffd", created + 18000],
        ["run_3", None, 1.0, "0.02", None, created + 10800],
    ]
    assert table(searched, "", "number", limit=2) == [[7], [6]]
    assert table(searched, "id = 'none'", "id") == []


def test_too_many_columns_and_rows_are_refused(searched: Searched) -> None:
    with pytest.raises(Invalid, match="1 to 200"):
        table(searched, "", *["id"] * 201)
    with pytest.raises(Invalid, match="limit"):
        table(searched, "", "id", limit=0)


def test_a_search_that_takes_too_long_is_ended_and_the_connection_goes_on(world: World) -> None:
    store = world.store
    impatient = replace(store, settings=replace(store.settings, search_limit_s=0.05))
    for number in range(20):
        world.interactive(f"run_{number}", description="a" * 5_000)
    slow = parse(" and ".join(["not description like '" + "%a" * 40 + "b'"] * 80))
    quick = parse("id = 'run_7'")
    options: dict[str, Any] = {"limit": 10, "caller": OWNER, "now": world.now}
    with pytest.raises(SearchTooSlow, match=r"longer than 0.05 s"):
        usecase.find_page(Filter(), slow, store=impatient, **options)
    page, _ = usecase.find_page(Filter(), quick, store=impatient, **options)
    assert [run.run_id for run in page] == ["run_7"]
