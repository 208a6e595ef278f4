"""What is done to rows and files after they are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.conftest import Folder

from zaffre.contract import dataset as contract
from zaffre.contract.dataset import (
    Definition,
    call,
    column,
    drop_columns,
    filter_rows,
    from_delimited_files,
    keep_columns,
    literal,
    random_split,
    skip,
    take,
    take_sample,
)
from zaffre.contract.errors import Invalid
from zaffre.data import dataset
from zaffre.data.errors import DataInvalid

ROWS = 1000


@pytest.fixture
def rows(folder: Folder) -> Definition:
    def lines(numbers: range) -> str:
        return "id,half,name,at\n" + "".join(
            f"{n},{n / 2},{'even' if n % 2 == 0 else ''},2019-01-{n % 28 + 1:02}\n" for n in numbers
        )

    return folder.csv(lines(range(600)), lines(range(600, ROWS)))


def ids(folder: Folder, definition: Definition) -> list[int]:
    return folder.values(definition)["id"]


def test_columns_keep_the_order_of_the_source(folder: Folder, rows: Definition) -> None:
    assert list(folder.values(keep_columns(rows, ["at", "id", "id", "nowhere"]))) == ["id", "at"]
    assert list(folder.values(keep_columns(rows, "name"))) == ["name"]
    assert list(folder.values(drop_columns(rows, ["at", "nowhere"]))) == ["id", "half", "name"]
    assert list(folder.values(drop_columns(keep_columns(rows, ["id", "at"]), "at"))) == ["id"]
    assert list(folder.values(keep_columns(drop_columns(rows, "at"), ["id", "at"]))) == ["id"]


@pytest.mark.parametrize("columns", [[], ["nowhere"]])
def test_a_dataset_without_columns_is_an_error(
    folder: Folder, rows: Definition, columns: list[str]
) -> None:
    with pytest.raises(DataInvalid, match="contains no columns"):
        folder.values(keep_columns(rows, columns))


def test_take_and_skip_apply_in_order(folder: Folder, rows: Definition) -> None:
    assert ids(folder, skip(take(rows, 10), 2)) == list(range(2, 10))
    assert ids(folder, take(skip(rows, 2), 10)) == list(range(2, 12))
    assert ids(folder, take(skip(rows, 595), 10)) == list(range(595, 605))
    assert ids(folder, take(rows, 0)) == []
    assert ids(folder, skip(rows, ROWS + 1)) == []
    assert ids(folder, take(take(rows, 5), 10)) == list(range(5))


@pytest.mark.parametrize("count", [-1, "1", 1.0, True, None])
def test_counts_are_whole_and_not_negative(rows: Definition, count: Any) -> None:
    for step in (take, skip):
        with pytest.raises(Invalid, match="count must be a positive integer"):
            step(rows, count)


def test_take_reads_no_more_files_than_it_needs(folder: Folder, rows: Definition) -> None:
    folder.write("9999.csv", b"\xff\xff")
    assert ids(folder, take(rows, 10)) == list(range(10))
    assert dataset.head(rows, folder.stores, 3)["id"].tolist() == [0, 1, 2]
    assert ids(folder, take(filter_rows(rows, call(">", column("id"), literal(3))), 2)) == [4, 5]


def test_a_take_behind_a_filter_reads_on_until_it_has_all(folder: Folder) -> None:
    content = "id\n" + "".join(f"{number}\n" for number in range(40_000))
    definition = filter_rows(folder.csv(content), call(">=", column("id"), literal(39_000)))
    assert ids(folder, take(definition, 3)) == [39_000, 39_001, 39_002]
    assert ids(folder, take(skip(definition, 998), 5)) == [39_998, 39_999]
    assert ids(folder, take(take_sample(definition, 0.5, seed=1), 2000))[-1] > 39_900


# Chance


def test_a_sample_repeats_by_its_seed(folder: Folder, rows: Definition) -> None:
    first = ids(folder, take_sample(rows, 0.1, seed=1))
    assert 60 < len(first) < 140
    assert first == ids(folder, take_sample(rows, 0.1, seed=1))
    assert first != ids(folder, take_sample(rows, 0.1, seed=2))
    assert ids(folder, take_sample(rows, 0.0, seed=1)) == []
    assert ids(folder, take_sample(rows, 1.0, seed=1)) == list(range(ROWS))


@settings(max_examples=30, deadline=None)
@given(
    percentage=st.floats(0, 1),
    seed=st.integers(-(2**63), 2**64),
    count=st.integers(1, 500),
)
def test_a_split_is_disjoint_and_complete_and_keeps_the_order(
    new_folder: Callable[[], Folder], percentage: float, seed: int, count: int
) -> None:
    folder = new_folder()
    definition = folder.csv("id\n" + "".join(f"{number}\n" for number in range(count)))
    first, second = (ids(folder, part) for part in random_split(definition, percentage, seed=seed))
    assert first == sorted(first)
    assert second == sorted(second)
    assert sorted(first + second) == list(range(count))


def test_the_parts_of_a_split_have_about_their_share(folder: Folder, rows: Definition) -> None:
    first, second = random_split(rows, 0.7, seed=1)
    assert 650 < len(ids(folder, first)) < 750
    assert ids(folder, random_split(rows, 1, seed=5)[0]) == list(range(ROWS))
    assert ids(folder, take(first, 5)) == ids(folder, first)[:5]
    quarter = random_split(second, 0.5, seed=1)[0]
    assert 0.3 < len(ids(folder, quarter)) / len(ids(folder, second)) < 0.7


@pytest.mark.parametrize("share", [-0.1, 1.1, "0.5", None])
def test_shares_are_from_0_to_1(rows: Definition, share: Any) -> None:
    with pytest.raises(Invalid, match="from 0 to 1"):
        random_split(rows, share, seed=1)


# Filters

ID, HALF, NAME, AT = (column(name) for name in ("id", "half", "name", "at"))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (call(">", ID, literal(997)), [998, 999]),
        (call(">=", HALF, literal(499)), [998, 999]),
        (call("==", ID, literal(5)), [5]),
        (call("==", ID, literal(5.0)), [5]),
        (call("==", ID, literal("5")), []),
        (call("!=", ID, literal("5")), []),
        (call("==", column("nowhere"), literal(5)), []),
        (
            call("and", call("<", ID, literal(4)), call("==", NAME, literal("even"))),
            [0, 2],
        ),
        (
            call("or", call("<", ID, literal(2)), call(">", ID, literal(998))),
            [0, 1, 999],
        ),
        (call("not", call(">", ID, literal(1))), [0, 1]),
        (call("not", call("==", NAME, literal("even"))), []),  # null is no text
        (
            call("and", call("is_null", NAME), call("<", ID, literal(4))),
            [1, 3],
        ),
        (
            call("and", call("==", AT, literal(datetime(2019, 1, 3))), call("<", ID, literal(60))),
            [2, 30, 58],
        ),
        (call("and", call("contains", NAME, literal("ve")), call("<", ID, literal(3))), [0, 2]),
        (call("and", call("starts_with", NAME, literal("e")), call("<", ID, literal(3))), [0, 2]),
        (call("and", call("ends_with", NAME, literal("n")), call("<", ID, literal(3))), [0, 2]),
        (call("and", call("==", call("length", NAME), literal(4)), call("<", ID, literal(1))), [0]),
        (
            call(
                "and",
                call("==", call("to_upper", NAME), literal("EVEN")),
                call("<", ID, literal(1)),
            ),
            [0],
        ),
        (
            call(
                "and",
                call("==", call("substring", NAME, literal(1), literal(2)), literal("ve")),
                call("<", ID, literal(1)),
            ),
            [0],
        ),
        (
            call(
                "and",
                call("==", call("index_of", NAME, literal("en")), literal(2)),
                call("<", ID, literal(1)),
            ),
            [0],
        ),
        (call("contains", ID, literal("1")), []),
    ],
)
def test_filters(
    folder: Folder, rows: Definition, condition: dict[str, Any], expected: list[int]
) -> None:
    assert ids(folder, filter_rows(rows, condition)) == expected


def test_a_filter_reads_columns_that_are_not_kept(folder: Folder, rows: Definition) -> None:
    definition = keep_columns(filter_rows(rows, call("==", ID, literal(7))), "half")
    assert folder.values(definition) == {"half": [3.5]}


def test_a_filter_sees_the_columns_that_are_left(folder: Folder, rows: Definition) -> None:
    definition = filter_rows(keep_columns(rows, ["half"]), call("==", ID, literal(7)))
    assert folder.values(definition) == {"half": []}


def test_errors_of_set_types_can_be_filtered(folder: Folder) -> None:
    definition = contract.convert_column_types(folder.csv("id,a\n1,5\n2,x\n3,\n"), {"a": "int"})
    wrong = filter_rows(definition, call("is_error", column("a")))
    assert folder.values(wrong) == {"id": [2], "a": [None]}


def test_a_filter_on_a_partition_reads_only_its_files(folder: Folder) -> None:
    for year in (2019, 2020):
        folder.write(f"x/{year}/f.csv", "id\n1\n")
    definition = contract.extract_partitions(
        from_delimited_files([folder.source("x/**/*.csv")]), "{year}/f.csv"
    )
    definition = dataset.prepare(definition, folder.stores, validate=True)
    folder.write("x/2020/f.csv", b"\xff")
    kept = filter_rows(definition, call("==", column("year"), literal("2019")))
    assert folder.values(kept) == {"year": ["2019"], "id": [1]}


@pytest.mark.parametrize(
    "wrong", [{"column": 5}, {"call": "eval", "arguments": []}, {"a": 1}, {}, {"call": "=="}]
)
def test_what_is_no_expression_is_refused(rows: Definition, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="no filter"):
        filter_rows(rows, wrong)


# Times


@pytest.fixture
def series(folder: Folder) -> Definition:
    """An hour a row from 2019-01-01 on, ten days; the partition's column is the day."""
    start = datetime(2019, 1, 1)
    for day in range(10):
        hours = [start + timedelta(days=day, hours=hour) for hour in range(24)]
        folder.write(
            f"s/{start + timedelta(days=day):%Y/%m/%d}/f.csv",
            "id,at\n"
            + "".join(f"{day * 24 + n},{t:%Y-%m-%d %H:%M:%S}\n" for n, t in enumerate(hours)),
        )
    definition = from_delimited_files([folder.source("s/**/*.csv")])
    definition = contract.extract_partitions(definition, "{day:yyyy/MM/dd}/f.csv")
    definition = dataset.prepare(definition, folder.stores, validate=True)
    return contract.with_timestamp_columns(definition, "at", "day")


FIVE = datetime(2019, 1, 3, 5)
SEVEN = datetime(2019, 1, 3, 7)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"end": FIVE}, list(range(54))),
        ({"end": FIVE, "include_boundary": False}, list(range(53))),
        ({"start": FIVE}, list(range(53, 240))),
        ({"start": FIVE, "include_boundary": False}, list(range(54, 240))),
        ({"start": FIVE, "end": SEVEN}, [53, 54, 55]),
        ({"start": FIVE, "end": SEVEN, "include_boundary": False}, [54]),
        ({"start": FIVE.replace(tzinfo=UTC), "end": SEVEN}, [53, 54, 55]),
    ],
)
def test_times_are_filtered_with_or_without_the_boundary(
    folder: Folder, series: Definition, limits: dict[str, Any], expected: list[int]
) -> None:
    definition = contract.filter_time(series, **limits)
    assert ids(folder, definition) == expected
    assert folder.values(keep_columns(definition, "id")) == {"id": expected}


def test_dropping_a_timestamp_column_ends_its_service(series: Definition) -> None:
    assert contract.timestamp_columns(series) == ("at", "day")
    assert contract.timestamp_columns(keep_columns(series, ["id", "at"])) == (None, None)
    assert contract.timestamp_columns(drop_columns(series, "id")) == ("at", "day")
    cleared = contract.with_timestamp_columns(series, None)
    assert contract.timestamp_columns(cleared) == (None, None)
    with pytest.raises(Invalid, match="with_timestamp_columns"):
        contract.filter_time(cleared, end=FIVE)


@pytest.mark.parametrize("columns", [(None, "day"), ("at", "at")])
def test_timestamp_columns_that_cannot_be(series: Definition, columns: Any) -> None:
    with pytest.raises(Invalid, match="partition_timestamp"):
        contract.with_timestamp_columns(series, *columns)


def test_a_time_filter_needs_times(folder: Folder, rows: Definition) -> None:
    for name in ("name", "nowhere"):
        definition = contract.with_timestamp_columns(rows, name)
        with pytest.raises(DataInvalid, match=name):
            folder.values(contract.filter_time(definition, end=FIVE))


# Files


@pytest.fixture
def pictures(folder: Folder) -> Definition:
    for number in range(20):
        folder.write(f"p/{number:02}.{'png' if number % 2 else 'jpg'}", "x" * number)
    return contract.from_files([folder.source("p/")])


def names(folder: Folder, definition: Definition) -> list[str]:
    return [file.inner_path for file in dataset.files(definition, folder.stores)]


def test_steps_count_files_of_a_file_dataset(folder: Folder, pictures: Definition) -> None:
    everything = names(folder, pictures)
    assert len(everything) == 20
    assert names(folder, skip(take(pictures, 3), 1)) == ["01.png", "02.jpg"]
    first, second = (names(folder, part) for part in random_split(pictures, 0.5, seed=1))
    assert sorted(first + second) == everything
    assert 0 < len(names(folder, take_sample(pictures, 0.5, seed=1))) < 20
    large = call(">", column("Size"), literal(17))
    assert names(folder, filter_rows(pictures, large)) == ["18.jpg", "19.png"]
    png = call("==", column("Extension"), literal(".png"))
    assert len(names(folder, filter_rows(pictures, png))) == 10


def test_a_file_alone_and_a_pattern_have_their_folder(folder: Folder, pictures: Definition) -> None:
    assert names(folder, contract.from_files([folder.source("p/01.png")])) == ["01.png"]
    assert names(folder, contract.from_files([folder.source("**/01.png")])) == ["p/01.png"]


def test_local_paths_may_be_used(folder: Folder) -> None:
    path = folder.write("x.csv", "a\n1\n")
    definition = from_delimited_files([contract.Source(local=str(path))])
    assert folder.values(definition) == {"a": [1]}


def test_a_source_is_one_of_three() -> None:
    for wrong in ({}, {"datastore": "a", "url": "http://b"}, {"local": "relative"}):
        with pytest.raises(Invalid, match="source"):
            contract.Source(**wrong)
    with pytest.raises(Invalid, match="names no file"):
        contract.from_files([])
    with pytest.raises(Invalid, match="mixed"):
        contract.from_files([contract.Source(url="http://a"), contract.Source(datastore="b")])


def test_a_definition_is_json(folder: Folder, series: Definition) -> None:
    import json

    definition = contract.filter_time(take(series, 5), end=FIVE)
    for step in definition.steps:
        assert json.loads(json.dumps(step.options)) == step.options
    assert contract.partition_keys(definition) == ["day"]
    assert contract.partition_keys(drop_columns(definition, "day")) == []
