from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zaffre.contract import search
from zaffre.contract.run import RunState
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
    SearchInvalid,
    write,
)
from zaffre.contract.search_parser import parse, parse_field, parse_orders

LOSS = Field("loss", "metrics")
STATUS = Field("status")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("status = 'completed'", Comparison(STATUS, "=", "Completed")),
        ('name == "a""b"', Comparison(Field("name"), "=", 'a"b')),
        ("NAME <> 'it''s'", Comparison(Field("name"), "!=", "it's")),
        ("metrics.loss<-1.5e-3", Comparison(LOSS, "<", -0.0015)),
        ("metrics.val/top-1:x >= 1", Comparison(Field("val/top-1:x", "metrics"), ">=", 1.0)),
        ("metrics.`a b` > .5", Comparison(Field("a b", "metrics"), ">", 0.5)),
        ("MIN(metrics.loss) < 1", Comparison(Field("loss", "metrics", "min"), "<", 1.0)),
        ("params.lr = 0.1", Comparison(Field("lr", "params"), "=", 0.1)),
        ("params.lr = '0.10'", Comparison(Field("lr", "params"), "=", "0.10")),
        ("tags.a like 'x%_'", Comparison(Field("a", "tags"), "like", "x%_")),
        ("tags.and = 'x'", Comparison(Field("and", "tags"), "=", "x")),
        ("created > 7d ago", Comparison(Field("created"), ">", Ago(604_800.0))),
        ("duration <= 1.5h", Comparison(Field("duration"), "<=", 5_400.0)),
        ("ended < '2030-01-01'", Comparison(Field("ended"), "<", "2030-01-01")),
        ("status in ('failed','Canceled')", OneOf(STATUS, ("Failed", "Canceled"))),
        ("parent is null", IsNull(Field("parent"))),
        ("parent is not null", Not(IsNull(Field("parent")))),
        (
            "tags.a not in ('x')",
            AllOf(
                (
                    Not(IsNull(Field("a", "tags"))),
                    Not(OneOf(Field("a", "tags"), ("x",))),
                )
            ),
        ),
    ],
)
def test_a_condition_is_read(text: str, condition: Condition) -> None:
    assert parse(text) == Query(condition)


def test_and_binds_tighter_than_or_and_not_tighter_than_both() -> None:
    a, b, c = (Comparison(Field("name"), "=", x) for x in "abc")
    text = "name = 'a' or not name = 'b' and name = 'c'"
    assert parse(text).where == AnyOf((a, AllOf((Not(b), c))))
    text = "(name = 'a' or not (name = 'b')) and name = 'c'"
    assert parse(text).where == AllOf((AnyOf((a, Not(b))), c))


def test_an_order_stands_behind_the_condition_or_alone() -> None:
    orders = (Order(LOSS), Order(Field("created"), descending=True))
    assert parse("order by metrics.loss, created desc") == Query(None, orders)
    assert parse("name = 'a' ORDER BY metrics.loss asc, created DESC").orders == orders
    assert parse_orders("metrics.loss, created desc") == orders
    assert parse_orders(" ") == ()
    assert parse("  ") == Query()


@pytest.mark.parametrize(
    ("text", "problem", "marked"),
    [
        ("metric.loss < 1", "metric.loss is no field; did you mean metrics?", "metric.loss"),
        ("stat = 'x'", "stat is no field; did you mean status?", "stat"),
        ("metrics < 1", "metrics needs a key: metrics.NAME", "metrics"),
        ("name.x = 'a'", "name.x has no keys", "name.x"),
        ("status = 'Complete'", "did you mean Completed?", "'Complete'"),
        ("status = Completed", "a status in quotes", "Completed"),
        ("status > 'Failed'", "a status is equal or not", ">"),
        ("metrics.loss = '1'", "here should be a number", "'1'"),
        ("metrics.loss like '1'", "is no text", "like"),
        ("metrics.loss < 1h", "a number without a unit", "1h"),
        ("tags.a = 3", "a text in quotes: '3'", "3"),
        ("tags.a = null", "tags.a is null", "null"),
        ("created > 7d", "here should be '2030-01-31'", "7d"),
        ("created > 'monday'", "'monday' is no time", "'monday'"),
        ("metrics.loss > 1e999", "too large", "1e999"),
        ("name = 'abc", "the closing ' is missing", "'"),
        ("(name = 'a'", "')' for the '(' at 1", ""),
        ("name = 'a')", "')' closes nothing", ")"),
        ("name = 'a' name = 'b'", "'and' or 'or'", "name"),
        ("name = 'a' and", "here should be a field", ""),
        ("name ! 'a'", "'!' means nothing here", "!"),
        ("min(tags.a) < 1", "min() is of a metric", "tags.a"),
        ("name in ()", "a text in quotes", ")"),
        ("order by name, name desc", "is ordered by already", "name"),
        ("name = 'a\0'", "a character that no text", "'a\0'"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text: str, problem: str, marked: str) -> None:
    with pytest.raises(SearchInvalid) as refused:
        parse(text)
    error = refused.value
    assert problem in error.message
    position, length = error.facts["position"], error.facts["length"]
    assert isinstance(position, int)
    assert isinstance(length, int)
    assert text[position : position + length] == marked
    _, shown, carets = error.message.split("\n")
    assert carets.index("^") - 2 == position
    assert shown[2:] == text.replace("\0", " ")
    assert carets.count("^") == max(1, len(marked))


def test_of_a_long_text_the_part_around_the_place_is_shown() -> None:
    text = " or ".join(["name = 'a'"] * 40) + " or nam = 'b' or " + "name = 'c'"
    with pytest.raises(SearchInvalid) as refused:
        parse(text)
    _, shown, carets = refused.value.message.split("\n")
    assert shown.startswith("  ...")
    assert shown[carets.index("^") :].startswith("nam = 'b'")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = '" + "x" * 10_000 + "'", "10,009 characters, at most 10,000"),
        ("(" * 4_000, "nested deeper than 50"),
        ("not " * 2_000, "nested deeper than 50"),
        ("min(" * 2_000, "min() is of a metric"),
        (" or ".join(["id='a'"] * 101), "more than 100 comparisons"),
        (f"id in ({','.join(['1'] * 2)})", "in quotes"),
        (f"number in ({','.join(['1'] * 1001)})", "more than 1,000 values"),
        ("order by " + ",".join(f"tags.{c}" for c in "abcdef"), "more than 5 keys"),
    ],
)
def test_a_huge_search_is_refused(text: str, problem: str) -> None:
    with pytest.raises(SearchInvalid) as refused:
        parse(text)
    assert problem in refused.value.message
    assert len(refused.value.message) < 400


def test_a_column_is_one_field() -> None:
    assert parse_field(" max(metrics.acc) ") == Field("acc", "metrics", "max")
    with pytest.raises(SearchInvalid, match="nothing should follow"):
        parse_field("status, id")


_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_numbers = st.floats(allow_nan=False, allow_infinity=False)
_keys = _texts.filter(bool)
_fields = st.one_of(
    st.builds(Field, st.sampled_from(sorted(search.FIELDS))),
    st.builds(Field, _keys, st.sampled_from(search.GROUPS)),
    st.builds(Field, _keys, st.just("metrics"), st.sampled_from(["min", "max"])),
)
_VALUES = {
    Kind.TEXT: _texts,
    Kind.EITHER: _texts | _numbers,
    Kind.STATUS: st.sampled_from([state.value for state in RunState]),
    Kind.NUMBER: _numbers,
    Kind.TIME: st.datetimes().map(lambda t: t.isoformat()) | st.builds(Ago, _numbers),
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
    patterns = operator in search.PATTERNS
    return draw(
        st.one_of(
            st.builds(
                Comparison, st.just(field), st.just(operator), _texts if patterns else values
            ),
            st.builds(OneOf, st.just(field), st.lists(values, min_size=1, max_size=3).map(tuple)),
            st.just(IsNull(field)),
        )
    )


def _several(conditions: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    some = st.lists(conditions, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, conditions), st.builds(AllOf, some), st.builds(AnyOf, some))


_conditions = st.recursive(_comparisons(), _several, max_leaves=8)
_orders = st.lists(
    st.builds(Order, _fields, st.booleans()), max_size=3, unique_by=lambda order: order.field
).map(tuple)


@given(st.builds(Query, st.none() | _conditions, _orders))
def test_a_query_that_is_written_is_read_as_the_same(query: Query) -> None:
    assert parse(write(query)) == query


_PIECES = [
    *search.FIELDS,
    *(f"{group}.k" for group in search.GROUPS),
    *["and", "or", "not", "in", "is", "null", "like", "order", "by", "asc", "desc", "ago", "max"],
    *["(", ")", ",", "=", "!=", "<", ">=", "'", '"', ".", "`"],
    *["1", "-2.5e3", "7d", "'x'", "'2030-01-01'", "'Failed'", "\n", "é", "\U0001f600", "\0"],
]


@given(
    st.one_of(
        st.text(),
        st.text(string.printable),
        st.lists(st.sampled_from(_PIECES)).map(" ".join),
        st.lists(st.sampled_from(_PIECES)).map("".join),
    )
)
def test_any_text_is_a_query_or_is_pointed_at(text: str) -> None:
    try:
        query = parse(text)
    except SearchInvalid as refused:
        position = refused.facts["position"]
        assert isinstance(position, int)
        assert 0 <= position <= len(text)
    else:
        assert parse(write(query)) == query
