"""The types of delimited columns: the table of v1's engine, row by row, and what lies behind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import pytest
from tests.data.conftest import Folder

from zaffre.data import dataset
from zaffre.data.infer import infer_type

DATETIME = "datetime"


def word(column_type: Any) -> str:
    return column_type if isinstance(column_type, str) else next(iter(column_type))


BIG = "9223372036854775807"

TABLE = [
    # Booleans are letters.
    (["true", "false", "True", "FALSE"], "boolean"),
    (["true", ""], "boolean"),
    (["T", "F"], "boolean"),
    (["Y", "N"], "boolean"),
    (["T", "N", "true"], "boolean"),
    # 0 and 1 are integers (v1 of 2023: boolean).
    (["0", "1"], "int"),
    (["1"], "int"),
    (["0", "1"] * 100, "int"),
    (["-0", "0"], "int"),
    (["true", "0"], "string"),
    (["yes", "no"], "string"),
    (["on", "off"], "string"),
    # Numbers.
    (["1.0", "0.0"], "float"),
    (["1", "-3", "+1", "001", " 1", "1 "], "int"),
    ([BIG, "-9223372036854775808"], "int"),
    (["9223372036854775808"], "float"),
    (["9223372036854775809"], "string"),  # a float would lose its last digit
    (["1", "2.5"], "float"),
    (["1e5"], "float"),
    ([".5"], "float"),
    (["1."], "float"),
    (["inf", "-inf", "Infinity"], "float"),
    (["NaN", "nan"], "float"),
    (["1", "NaN"], "float"),
    *[(["1", missing], "string") for missing in ("NA", "N/A", "#N/A", "null", "None")],
    *[
        ([text], "string")
        for text in (
            "1,000",
            "1,000.5",
            "1,5",
            "50%",
            "$1",
            "(5)",
            "0x10",
            "1_000",
            "١٢",
        )
    ],
    # Times.
    *[
        ([text], DATETIME)
        for text in (
            "2019-01-02",
            "2019-1-2",
            "2019/01/02",
            "2-Jan-2019",
            "2-Jan-19",
            "01/02/2019",
            "1/2/2019",
            "01-02-2019",
            "31/12/2019",
            "13/01/2019",
            "31-12-2019",
            "31/12/2019 03:04:05",
            "2019-01-02T03:04:05",
            "2019-01-02T03:04:05Z",
            "2019-01-02T03:04:05+02:00",
            "2019-01-02T03:04:05.1",
            "2019-01-02T03:04:05.123456789",
            "2019-01-02 03:04:05",
            "2019-01-02 03:04:05.123456",
            "2019-01-02 03:04:05+02:00",
            "1/2/2019 15:04",
            "1/2/2019 3:04:05 PM",
            "01/02/2019 3:04 PM",
            "2019/01/02 03:04:05",
            "01/02/19",
            "0001-01-01",
            "1500-01-01",
            "9999-12-31",
        )
    ],
    (["13/01/2019", "01/14/2019"], "string"),
    (["2019-01-02", "01/03/2019"], DATETIME),
    (["2019-01-02T03:04:05Z", "2019-01-02T03:04:05+02:00"], DATETIME),
    (["20190102"], "int"),
    (["2019"], "int"),
    (["1546398245"], "int"),
    *[
        ([text], "string")
        for text in (
            "02.01.2019",
            "2019.01.02",
            "2 Jan 2019",
            "Jan 2, 2019",
            "2019-01",
            "2019-01-02 03:04",
            "2019-01-02T03:04",
            "20190102T030405",
            "2019-01-02 03:04:05 PM",
            "03:04:05",
            "Wed, 02 Jan 2019 03:04:05 GMT",
            "2019-13-45",
            "2019-02-30",
        )
    ],
    (["2019-01-02", "hello"], "string"),
    (["2019-01-02", "1"], "string"),
    (["2019-01-02", "null"], "string"),
    # Text.
    (["", ""], "string"),
    (["8d1f2c1e-9f6b-4f55-9a0a-2f6c0c9c7d11"], "string"),
    ([" a "], "string"),
    (["é"], "string"),
]


@pytest.mark.parametrize(("cells", "expected"), TABLE, ids=lambda value: repr(value)[:40])
def test_a_column_has_the_type_of_its_first_cells(cells: list[str], expected: str) -> None:
    assert word(infer_type(cells)) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(cell, kind) for cells, kind in TABLE if len(cells) == 1 for cell in cells],
)
def test_no_value_that_comes_later_is_lost(folder: Folder, cell: str, expected: str) -> None:
    numbers = [str(number) for number in range(1, 301)]
    content = "n,x\n" + "".join(f'{number},"{number}"\n' for number in numbers)
    definition = folder.csv(content + f'301,"{cell}"\n')

    column = folder.values(definition)["x"]

    if expected == "int":
        assert column == [*range(1, 301), int(cell)]
    elif expected == "float":
        assert column == [*range(1, 301), float(cell)] or column[-1] != column[-1]
    else:
        assert column == [*numbers, cell]


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2019-1-2", datetime(2019, 1, 2)),
        ("2-Jan-19", datetime(2019, 1, 2)),
        ("01/02/2019", datetime(2019, 1, 2)),
        ("01/02/19", datetime(2019, 1, 2)),
        ("31/12/2019", datetime(2019, 12, 31)),
        ("2019-01-02T03:04:05+02:00", datetime(2019, 1, 2, 1, 4, 5)),
        ("2019-01-02 03:04:05.123456", datetime(2019, 1, 2, 3, 4, 5, 123456)),
        ("1/2/2019 3:04:05 PM", datetime(2019, 1, 2, 15, 4, 5)),
        ("1/2/2019 12:04:05 AM", datetime(2019, 1, 2, 0, 4, 5)),
        ("1/2/2019 15:04", datetime(2019, 1, 2, 15, 4)),
        ("0001-01-01", datetime(1, 1, 1)),
        ("9999-12-31", datetime(9999, 12, 31)),
        ("29-Feb-2020", datetime(2020, 2, 29)),
    ],
)
def test_times_are_read_as_they_are_meant(folder: Folder, cell: str, moment: datetime) -> None:
    assert folder.values(folder.csv(f"t\n{cell}\n"))["t"] == [moment]


def test_nanoseconds_are_kept(folder: Folder) -> None:
    frame = folder.frame(folder.csv("t\n2019-01-02T03:04:05.123456789\n2019-01-02T03:04:05\n"))
    assert frame["t"][0] == pd.Timestamp("2019-01-02T03:04:05.123456789")


def test_mixed_offsets_become_utc(folder: Folder) -> None:
    definition = folder.csv("t\n2019-01-02T03:04:05Z\n2019-01-02T03:04:05+02:00\n")
    assert folder.values(definition)["t"] == [
        datetime(2019, 1, 2, 3, 4, 5),
        datetime(2019, 1, 2, 1, 4, 5),
    ]


def test_the_day_comes_first_if_a_later_row_says_so(folder: Folder) -> None:
    definition = folder.csv("t\n" + "01/02/2019\n" * 250 + "13/02/2019\n")
    column = folder.values(definition)["t"]
    assert column[0] == datetime(2019, 2, 1)
    assert column[-1] == datetime(2019, 2, 13)


def test_the_first_200_rows_tell_the_type(folder: Folder) -> None:
    types = [
        dataset.prepare(folder.csv("a\n" + "1\n" * count + "x\n"), folder.stores, validate=False)
        .steps[0]
        .options["inferred_types"]
        for count in (199, 200)
    ]
    assert types == [{"a": "string"}, {"a": "int"}]


def test_the_first_rows_may_be_spread_over_files(folder: Folder) -> None:
    definition = folder.csv("a\n1\n", "a\n2\n", "a\nx\n")
    assert definition.steps[0].options["inferred_types"] == {"a": "string"}


# Widening


def test_integers_become_floats_where_that_is_exact(folder: Folder) -> None:
    definition = folder.csv("a\n" + "7\n" * 300 + "1.5\n")
    assert folder.values(definition)["a"] == [*[7.0] * 300, 1.5]
    assert folder.types(definition)["a"] == "double"


def test_integers_that_a_float_cannot_hold_become_text(folder: Folder) -> None:
    definition = folder.csv("a\n" + "9007199254740993\n" * 300 + "1.5\n")
    assert folder.values(definition)["a"] == [*["9007199254740993"] * 300, "1.5"]


def test_integers_of_64_bits_stay_exact(folder: Folder) -> None:
    definition = folder.csv("a\n" + "7\n" * 300 + f"{BIG}\n-9223372036854775808\n")
    assert folder.values(definition)["a"] == [*[7] * 300, int(BIG), -(2**63)]


def test_a_float_column_keeps_an_integer_that_needs_all_its_digits(folder: Folder) -> None:
    definition = folder.csv("a\n" + "1.5\n" * 300 + "9007199254740993\n")
    assert folder.values(definition)["a"][-1] == "9007199254740993"


def test_a_number_beyond_floats_is_kept_as_text(folder: Folder) -> None:
    definition = folder.csv("a\n" + "1.5\n" * 300 + "1e400\n")
    assert folder.values(definition)["a"][-1] == "1e400"


@pytest.mark.parametrize(
    ("first", "later"),
    [("true", "maybe"), ("2019-01-02", "soon"), ("1.5", "many"), ("Y", "yes"), ("true", "1")],
)
def test_what_fits_no_type_makes_the_column_text_as_it_was_written(
    folder: Folder, first: str, later: str
) -> None:
    definition = folder.csv("a,b\n" + f"{first},1\n" * 300 + f"{later},2\n")
    assert folder.values(definition) == {"a": [*[first] * 300, later], "b": [*[1] * 300, 2]}


def test_only_one_file_of_many_widens_a_column_of_all(folder: Folder) -> None:
    contents = [f"a,b\n{number},{number}\n" for number in range(300)]
    contents[250] = "a,b\nx,0.5\n"
    values = folder.values(folder.csv(*contents))
    assert values["a"] == ["x" if n == 250 else str(n) for n in range(300)]
    assert values["b"] == [0.5 if n == 250 else float(n) for n in range(300)]


def test_several_columns_may_be_widened_at_once(folder: Folder) -> None:
    definition = folder.csv("a,b,c\n" + "1,true,2019-01-02\n" * 300 + "x,y,z\n")
    assert [column[-1] for column in folder.values(definition).values()] == ["x", "y", "z"]


# pandas


@pytest.mark.parametrize(
    ("content", "dtype"),
    [
        ("true\nfalse\n", "bool"),
        ("true\n\nfalse\n", "bool"),  # a blank line is no row
        ("0\n1\n", "int64"),
        ("1.5\n2\n", "float64"),
        ("2019-01-02\n", "datetime64[ns]"),
    ],
)
def test_pandas_gets_v1s_dtypes(folder: Folder, content: str, dtype: str) -> None:
    assert str(folder.frame(folder.csv("a\n" + content))["a"].dtype) == dtype


def test_empty_cells_in_pandas_are_as_in_v1(folder: Folder) -> None:
    frame = folder.frame(folder.csv("a,b,c,d\n1,true,x,2019-01-02\n,,,\n"))
    assert str(frame["a"].dtype) == "float64"
    assert frame["b"].tolist() == [True, None]
    assert frame["b"].dtype == object
    assert pd.isna(frame["c"][1])
    assert pd.isna(frame["d"][1])
    assert list(frame.index) == [0, 1]
    assert isinstance(frame.index, pd.RangeIndex)


def test_long_integers_beside_nulls_lose_no_digit_in_pandas(folder: Folder) -> None:
    frame = folder.frame(folder.csv(f"a,b\n{BIG},1\n,2\n"))
    assert str(frame["a"].dtype) == "Int64"
    assert frame["a"][0] == int(BIG)


def test_times_that_pandas_cannot_hold_are_nat_or_an_error(folder: Folder) -> None:
    definition = folder.csv("a\n2019-01-02\n1500-01-01\n")
    assert pd.isna(folder.frame(definition)["a"][1])
    with pytest.raises(Exception, match=r"row 2, column 'a': 1500-01-01 .* out of the range"):
        folder.frame(definition, out_of_range_datetime="fail")


def test_a_frame_can_be_written_to(folder: Folder) -> None:
    frame = folder.frame(folder.csv("a,b,c,d\n1,1.5,x,2019-01-02\n2,2.5,y,2019-01-02\n"))
    frame.loc[0, "a"] = 7
    frame.loc[0, "b"] = 7.5
    frame.loc[0, "d"] = pd.Timestamp("2020-01-01")
    frame["a"].to_numpy(copy=True)[0] = 1
    assert frame.loc[0].tolist() == [7, 7.5, "x", pd.Timestamp("2020-01-01")]
