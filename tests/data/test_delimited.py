"""Delimited files: headers, rows of other widths, quotes, encodings, separators."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.conftest import Folder

from zaffre.contract.dataset import (
    Headers,
    convert_column_types,
    extract_partitions,
    from_delimited_files,
    keep_columns,
)
from zaffre.contract.errors import Invalid
from zaffre.data import dataset, read_delimited
from zaffre.data.errors import DataInvalid, SourceMissing

FOUR = ("a,b\n1,2\n", "a,b\n3,4\n", "b,a\n5,6\n", "a,c\n7,8\n")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        # v1 took the third file by position; its values go under their own names here.
        (Headers.ALL_FILES_HAVE_SAME_HEADERS, {"a": [1, 3, 6, 7], "b": [2, 4, 5, 8]}),
        (
            Headers.COMBINE_ALL_FILES_HEADERS,
            {"a": [1, 3, 6, 7], "b": [2, 4, 5, None], "c": [None, None, None, 8]},
        ),
        (
            Headers.ONLY_FIRST_FILE_HAS_HEADERS,
            {"a": ["1", "a", "3", "b", "5", "a", "7"], "b": ["2", "b", "4", "a", "6", "c", "8"]},
        ),
        (
            Headers.NO_HEADERS,
            {
                "Column1": ["a", "1", "a", "3", "b", "5", "a", "7"],
                "Column2": ["b", "2", "b", "4", "a", "6", "c", "8"],
            },
        ),
    ],
)
def test_headers_in_their_four_modes(
    folder: Folder, headers: Headers, expected: dict[str, Any]
) -> None:
    assert folder.values(folder.csv(*FOUR, headers=headers)) == expected


def test_one_file_of_a_thousand_with_another_column_order(folder: Folder) -> None:
    contents = [f"a,b\n{number},x{number}\n" for number in range(1000)]
    contents[700] = "b,a\nx700,700\n"
    values = folder.values(folder.csv(*contents))
    assert values == {"a": list(range(1000)), "b": [f"x{number}" for number in range(1000)]}


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("a,a", ["a", "a_1"]),
        ("a,,b", ["a", "Column2", "b"]),
        (" a , b", ["a", "b"]),
        ("\ufeffa,b", ["a", "b"]),
        ("a,a,a_1", ["a", "a_1", "a_1_1"]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a\nb",c', ["a\nb", "c"]),
    ],
)
def test_names_of_columns(folder: Folder, header: str, names: list[str]) -> None:
    cells = ",".join("1" for _ in names)
    assert list(folder.values(folder.csv(f"{header}\n{cells}\n"))) == names


def test_blanks_around_values_are_kept(folder: Folder) -> None:
    assert folder.values(folder.csv("a,b\n x , y\n")) == {"a": [" x "], "b": [" y"]}


def test_rows_of_other_widths_keep_all_their_cells(folder: Folder) -> None:
    definition = folder.csv("a,b,c\n1,2,3\n4,5\n\n6,7,8,9\n10,11,12\n")
    assert folder.values(definition) == {
        "a": [1, 4, 6, 10],
        "b": [2, 5, 7, 11],
        "c": [3, None, 8, 12],
        "Column4": [None, None, 9, None],
    }


def test_a_long_row_far_down_adds_a_column(folder: Folder) -> None:
    definition = folder.csv("a,b\n" + "1,x\n" * 3000 + '2,"y,z",extra,more\n' + "3,w\n")
    values = folder.values(definition)
    assert values["a"] == [*[1] * 3000, 2, 3]
    assert values["b"][-2:] == ["y,z", "w"]
    assert values["Column3"][-2:] == ["extra", None]
    assert values["Column4"][-2:] == ["more", None]


def test_a_header_shorter_than_all_rows(folder: Folder) -> None:
    assert folder.values(folder.csv("a\n1,2\n3,4\n")) == {"a": [1, 3], "Column2": [2, 4]}


def test_a_header_longer_than_all_rows(folder: Folder) -> None:
    values = folder.values(folder.csv("a,b,c\n1,2\n3,4\n"))
    assert values == {"a": [1, 3], "b": [2, 4], "c": [None, None]}


@pytest.mark.parametrize("support_multi_line", [True, False])
def test_a_line_break_inside_quotes_belongs_to_its_cell(
    folder: Folder, *, support_multi_line: bool
) -> None:
    content = 'a,b\n1,"x\ny"\n2,"say ""hi"""\n3,"\r\n"\n'
    definition = folder.csv(content, support_multi_line=support_multi_line)
    assert folder.values(definition) == {"a": [1, 2, 3], "b": ["x\ny", 'say "hi"', "\r\n"]}


def test_line_breaks_where_blocks_meet_break_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_delimited, "_BLOCK_BYTES", 64)
    rows = [(number, "line\n" * (number % 7)) for number in range(300)]
    content = "a,b\n" + "".join(f'{number},"{text}"\n' for number, text in rows)
    values = folder.values(folder.csv(content))
    assert list(zip(values["a"], values["b"], strict=True)) == rows


def test_a_quote_that_is_never_closed_is_an_error_with_its_place(folder: Folder) -> None:
    definition = folder.csv("a,b\n" + "1,x\n" * 300 + '2,"open\n3,y\n4,z\n')
    with pytest.raises(DataInvalid, match=r"0000\.csv, row 301, column 'b': a quoted cell"):
        folder.values(definition)


def test_cells_longer_than_a_block(folder: Folder) -> None:
    text = "x" * 3_000_000
    assert folder.values(folder.csv(f"a,b\n1,{text}\n2,y\n"))["b"] == [text, "y"]


def test_empty_cells_are_null_and_quoted_ones_empty_text(folder: Folder) -> None:
    definition = folder.csv('a,b,c\n1,x,\n,"",2\n""," ",3\n')
    assert folder.values(definition) == {
        "a": [1, None, None],
        "b": ["x", "", " "],
        "c": [None, 2, 3],
    }


def test_empty_as_string_makes_every_empty_cell_a_text(folder: Folder) -> None:
    definition = folder.csv('a,b,c\n1,,3\n,"",4\n', empty_as_string=True)
    assert folder.values(definition) == {"a": ["1", ""], "b": ["", ""], "c": [3, 4]}


def test_an_empty_cell_after_numbers_makes_a_text_with_empty_as_string(folder: Folder) -> None:
    definition = folder.csv("a,b\n" + "1,x\n" * 300 + ",y\n", empty_as_string=True)
    assert folder.values(definition)["a"] == [*["1"] * 300, ""]


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("utf8", "utf-8"),
        ("utf8", "utf-8-sig"),
        ("utf8bom", "utf-8-sig"),
        ("iso88591", "latin-1"),
        ("latin1", "latin-1"),
        ("utf16", "utf-16"),
        ("utf32", "utf-32"),
        ("windows1252", "cp1252"),
    ],
)
def test_encodings(folder: Folder, encoding: str, codec: str) -> None:
    content = "näme,b\n" + "é,1\n" * 300 + "ü,2\n"
    values = folder.values(folder.csv(content.encode(codec), encoding=encoding))
    assert values == {"näme": [*["é"] * 300, "ü"], "b": [*[1] * 300, 2]}


@pytest.mark.parametrize(("encoding", "wrong"), [("utf8", b"\xff"), ("ascii", b"\xc3\xa9")])
@pytest.mark.parametrize("row", [2, 301, 5000])
def test_wrong_bytes_are_an_error_with_their_place(
    folder: Folder, encoding: str, wrong: bytes, row: int
) -> None:
    lines = [b"1,x"] * 6000
    lines[row - 1] = b"1," + wrong
    folder.write("f.csv", b"\n".join([b"a,b", *lines]))
    definition = from_delimited_files([folder.source("f.csv")], encoding=encoding)
    with pytest.raises(DataInvalid, match=rf"/f\.csv, row {row:,}[,:].*encoding") as caught:
        folder.values(dataset.prepare(definition, folder.stores, validate=False))
    assert caught.value.row == row


def test_an_unknown_encoding_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="utf8, iso88591, latin1"):
        from_delimited_files([], encoding="koi8")


@pytest.mark.parametrize("separator", [";", "\t", "|", "||", "§", " :: "])
def test_separators(folder: Folder, separator: str) -> None:
    content = f'a{separator}b\n1{separator}"x{separator}y"\n2{separator}z\n'
    values = folder.values(folder.csv(content, separator=separator))
    assert values == {"a": [1, 2], "b": [f"x{separator}y", "z"]}


def test_other_ends_of_lines(folder: Folder) -> None:
    assert folder.values(folder.csv("a,b\r1,2\r3,4\r")) == {"a": [1, 3], "b": [2, 4]}
    assert folder.values(folder.csv("a,b\r\n1,2\r\n3,4")) == {"a": [1, 3], "b": [2, 4]}


def test_packed_files_are_unpacked(folder: Folder) -> None:
    folder.write("f.csv.gz", gzip.compress(b"a,b\n1,x\n2,y\n"))
    definition = from_delimited_files([folder.source("f.csv.gz")])
    assert folder.values(definition) == {"a": [1, 2], "b": ["x", "y"]}


def test_one_column_and_blank_lines(folder: Folder) -> None:
    assert folder.values(folder.csv("a\n\n1\n\n2\n\n")) == {"a": [1, 2]}


def test_files_without_rows_among_others(folder: Folder) -> None:
    assert folder.values(folder.csv("", "a,b\n", "a,b\n1,2\n")) == {"a": [1], "b": [2]}


@pytest.mark.parametrize("content", ["", "a,b\n", "\n\n"])
def test_no_rows_fail_validation(folder: Folder, content: str) -> None:
    folder.write("f.csv", content)
    definition = from_delimited_files([folder.source("f.csv")])
    with pytest.raises(DataInvalid, match="no rows"):
        dataset.prepare(definition, folder.stores, validate=True)


def test_a_missing_file_is_found_at_creation(folder: Folder) -> None:
    definition = from_delimited_files([folder.source("nothing.csv")])
    with pytest.raises(SourceMissing, match="nothing"):
        dataset.prepare(definition, folder.stores, validate=True)


def test_without_inference_all_is_text(folder: Folder) -> None:
    definition = folder.csv("a,b\n1,true\n", infer_column_types=False)
    assert folder.values(definition) == {"a": ["1"], "b": ["true"]}


def test_only_kept_columns_are_read(folder: Folder) -> None:
    definition = folder.csv(b"a,b\n" + b"1,2\n" * 300 + b"3,\xff\n")
    assert folder.values(keep_columns(definition, ["a"])) == {"a": [*[1] * 300, 3]}


def test_a_kept_column_that_one_file_lacks(folder: Folder) -> None:
    definition = folder.csv(*FOUR, headers=Headers.COMBINE_ALL_FILES_HEADERS)
    assert folder.values(keep_columns(definition, "c")) == {"c": [None, None, None, 8]}


# Types that the user sets


def test_set_types(folder: Folder) -> None:
    content = "i,f,b,t,s\n1.5,1,0,2019-01-02,001\n7,2.5,1,2019-01-03,002\n"
    definition = convert_column_types(
        folder.csv(content),
        {
            "i": "int",
            "f": "float",
            "b": "boolean",
            "t": {"datetime": {}},
            "s": "string",
            "nowhere": "int",
        },
    )
    values = folder.values(definition)
    assert values["i"] == [1, 7]  # cut off, as v1 did where it was asked to
    assert values["f"] == [1.0, 2.5]
    assert values["b"] == [False, True]
    assert [str(t) for t in values["t"]] == ["2019-01-02 00:00:00", "2019-01-03 00:00:00"]
    assert values["s"] == ["001", "002"]


def test_decimal_commas(folder: Folder) -> None:
    definition = convert_column_types(
        folder.csv("a;b\n2,5;1\n-3;2\n1.5;3\n", separator=";"),
        {"a": {"float": {"decimal_mark": ","}}},
    )
    assert folder.values(definition)["a"] == [2.5, -3.0, None]


def test_set_formats_of_times(folder: Folder) -> None:
    content = "a,b\n20190102,03.04.2019 05h06\nx,03.04.2019 05h06\n"
    definition = convert_column_types(
        folder.csv(content),
        {
            "a": {"datetime": {"formats": ["%Y%m%d"]}},
            "b": {"datetime": {"formats": ["%d.%m.%Y %Hh%M"]}},
        },
    )
    frame = folder.frame(definition)
    assert frame["a"].tolist() == [pd.Timestamp("2019-01-02"), pd.NaT]
    assert frame["b"][0] == pd.Timestamp("2019-04-03 05:06")


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("int", "a"),
        ("float", "1.2.3"),
        ("boolean", "yes"),
        ({"datetime": {}}, "2019-13-45"),
        ("int", "9223372036854775808"),
    ],
)
def test_a_value_that_is_none_of_the_set_type_is_null_or_an_error_with_its_place(
    folder: Folder, kind: Any, cell: str
) -> None:
    good = {"int": "1", "float": "1.5", "boolean": "true"}.get(str(kind), "2019-01-02")
    definition = convert_column_types(
        folder.csv(f"x,a\n1,{good}\n", f"x,a\n2,{good}\n3,{cell}\n"), {"a": kind}
    )
    assert pd.isna(folder.frame(definition)["a"][2])
    with pytest.raises(DataInvalid, match=r"/0001\.csv, row 2, column 'a': .* is no "):
        folder.frame(definition, on_error="fail")


# Paths


def test_include_path_and_partitions_come_first(folder: Folder) -> None:
    for dept, day in (("sales", "2019/01/02"), ("it", "2020/12/31")):
        folder.write(f"x/{dept}/{day}/data.csv", "a\n1\n")
    definition = from_delimited_files([folder.source("x/**/*.csv")], include_path=True)
    definition = extract_partitions(definition, "/{dept}/{day:yyyy/MM/dd}/data.csv")
    frame = folder.frame(dataset.prepare(definition, folder.stores, validate=True))
    assert list(frame) == ["Path", "dept", "day", "a"]
    assert frame["Path"].tolist() == ["/x/it/2020/12/31/data.csv", "/x/sales/2019/01/02/data.csv"]
    assert frame["dept"].tolist() == ["it", "sales"]
    assert frame["day"].tolist() == [pd.Timestamp("2020-12-31"), pd.Timestamp("2019-01-02")]


@pytest.mark.parametrize(
    ("partition_format", "expected"),
    [
        ("{a}.csv", {"a": ["data"]}),
        ("x/{a}/{b}.csv", None),
        ("{t:yyyy/MM}/{f}.csv", None),
        ("/{y}/{m}/{d}/data.csv", {"y": ["2019"], "m": ["01"], "d": ["02"]}),
        ("{t:yyyy/MM}/02/data.csv", {"t": [pd.Timestamp("2019-01-01")]}),
        ("{t:yyyy/MM/dd}/*.csv", {"t": [pd.Timestamp("2019-01-02")]}),
    ],
)
def test_partition_formats_match_from_the_end(
    folder: Folder, partition_format: str, expected: dict[str, Any] | None
) -> None:
    folder.write("x/2019/01/02/data.csv", "v\n1\n")
    definition = from_delimited_files([folder.source("x/")])
    definition = extract_partitions(definition, partition_format)
    if expected is None:
        with pytest.raises(DataInvalid, match="does not match the partition format"):
            dataset.prepare(definition, folder.stores, validate=True)
        assert folder.frame(definition).drop(columns="v").isna().all().all()
    else:
        frame = folder.frame(dataset.prepare(definition, folder.stores, validate=True))
        assert frame.drop(columns="v").to_dict("list") == expected


# Properties

cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), min_size=0, max_size=8)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=20))
def test_every_text_comes_back_as_it_was_written(
    new_folder: Callable[[], Folder], rows: list[tuple[str, str]]
) -> None:
    content = "a,b\n" + "".join(f"{quoted(a)},{quoted(b)}\n" for a, b in rows)
    folder = new_folder()
    definition = folder.csv(content, infer_column_types=False)
    values = folder.values(definition)
    assert list(zip(values["a"], values["b"], strict=True)) == rows


whole = st.integers(-(2**70), 2**70).map(str)
awkward = st.one_of(
    whole,
    st.floats(allow_nan=False).map(repr),
    st.sampled_from(["true", "F", "2019-01-02", "1/2/2019", "0x1F", "+7", "1e5", "x", " ", "-0"]),
    st.text("0123456789.-+eE ", min_size=1, max_size=25),
)


@settings(max_examples=150, deadline=None)
@given(
    first=st.sampled_from(["1", "1.5", "true", "2019-01-02", "0", "9007199254740993"]),
    later=st.lists(awkward, min_size=1, max_size=5),
)
def test_widening_keeps_every_value(
    new_folder: Callable[[], Folder], first: str, later: list[str]
) -> None:
    folder = new_folder()
    written = [*[first] * 200, *later]
    definition = folder.csv("n,a\n" + "".join(f"1,{quoted(text)}\n" for text in written))
    column = folder.values(definition)["a"]
    assert len(column) == len(written)
    for text, value in zip(written, column, strict=True):
        assert is_kept(text, value), (text, value)


def is_kept(text: str, value: Any) -> bool:
    """Say whether a value holds all that its text said."""
    if isinstance(value, str):
        return value == text
    if isinstance(value, bool):
        return text.lower() in ({"true", "t", "y"} if value else {"false", "f", "n"})
    if isinstance(value, int):
        return float(text) == value if "." in text or "e" in text.lower() else int(text) == value
    if isinstance(value, float):
        is_whole = text.strip().lstrip("+-").isdigit()
        return int(text) == int(value) if is_whole else float(text) == value
    return value is not None and value == pd.Timestamp(text)
