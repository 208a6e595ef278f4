"""Parquet and JSON lines, and what is written."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.conftest import Folder

from zaffre.contract.dataset import (
    Definition,
    call,
    column,
    convert_column_types,
    filter_rows,
    from_json_lines_files,
    from_parquet_files,
    keep_columns,
    literal,
    take,
)
from zaffre.data import dataset, write
from zaffre.data.errors import DataInvalid


def parquet(folder: Folder, *tables: Any, **options: Any) -> Definition:
    for number, table in enumerate(tables):
        (folder.root / "p").mkdir(exist_ok=True)
        pq.write_table(table, folder.root / "p" / f"{number}.parquet", **options)
    return from_parquet_files([folder.source("p/")])


def test_parquet_gives_the_types_of_the_file(folder: Folder) -> None:
    frame = pd.DataFrame(
        {
            "small": np.array([1, 2], np.int8),
            "single": np.array([1.5, 2.5], np.float32),
            "flag": [True, False],
            "nullable": pd.array([1, None], "Int64"),
            "text": ["x", None],
            "at": pd.to_datetime(["2019-01-02 03:04:05", None]),
            "zoned": pd.to_datetime(["2019-01-02", "2019-01-03"]).tz_localize("Europe/Berlin"),
            "day": [date(2019, 1, 2), None],
            "list": [[1, 2], [3]],
            "bytes": [b"\x00", b"\x01"],
            "kind": pd.Categorical(["a", "b"]),
        }
    )
    read = folder.frame(parquet(folder, pa.Table.from_pandas(frame)))
    assert {name: str(dtype) for name, dtype in read.dtypes.items() if name != "text"} == {
        "small": "int8",
        "single": "float32",
        "flag": "bool",
        "nullable": "Int64",
        "at": "datetime64[ns]",
        "zoned": "datetime64[ns, Europe/Berlin]",
        "day": "object",
        "list": "object",
        "bytes": "object",
        "kind": "category",
    }
    assert read["day"][0] == date(2019, 1, 2)
    assert isinstance(read["list"][0], np.ndarray)
    assert read["bytes"].tolist() == [b"\x00", b"\x01"]
    assert read["kind"].tolist() == ["a", "b"]
    assert read["zoned"][0] == frame["zoned"][0]


def test_an_index_in_a_parquet_file_is_a_column(folder: Folder) -> None:
    table = pa.Table.from_pandas(pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 8], name="key")))
    frame = folder.frame(parquet(folder, table))
    assert list(frame) == ["a", "key"]
    assert isinstance(frame.index, pd.RangeIndex)


def test_parquet_files_of_other_types_and_columns_lose_nothing(folder: Folder) -> None:
    definition = parquet(
        folder,
        pa.table({"a": pa.array([1], pa.int32()), "k": pa.array(["x"]).dictionary_encode()}),
        pa.table({"a": pa.array([2**40], pa.int64()), "b": ["only here"]}),
        pa.table({"a": pa.array([0.5]), "k": ["y"]}),
    )
    assert folder.values(definition) == {
        "a": [1.0, float(2**40), 0.5],
        "k": ["x", None, "y"],
        "b": [None, "only here", None],
    }


def test_integers_that_floats_cannot_hold_become_text_beside_floats(folder: Folder) -> None:
    definition = parquet(folder, pa.table({"a": [2**53 + 1]}), pa.table({"a": [0.5]}))
    assert folder.values(definition) == {"a": [str(2**53 + 1), "0.5"]}


def test_parquet_steps(folder: Folder) -> None:
    table = pa.table({"id": list(range(1000)), "name": [f"n{n}" for n in range(1000)]})
    definition = parquet(folder, table, row_group_size=100)
    assert folder.values(take(definition, 2)) == {"id": [0, 1], "name": ["n0", "n1"]}
    late = filter_rows(definition, call(">", column("id"), literal(997)))
    assert folder.values(keep_columns(late, "name")) == {"name": ["n998", "n999"]}
    both = call(
        "or", call("<", column("id"), literal(1)), call("==", column("name"), literal("n5"))
    )
    assert folder.values(filter_rows(definition, both))["id"] == [0, 5]
    set_types = convert_column_types(take(definition, 1), {"id": "string"})
    assert folder.values(set_types) == {"id": ["0"], "name": ["n0"]}
    assert folder.values(filter_rows(set_types, call("==", column("id"), literal("0"))))["id"] == [
        "0"
    ]


def test_what_is_no_parquet_file_is_named(folder: Folder) -> None:
    folder.write("p/x.parquet", "hello")
    with pytest.raises(DataInvalid, match=r"/p/x\.parquet: no Parquet file"):
        folder.values(from_parquet_files([folder.source("p/")]))


# JSON lines


def json_lines(folder: Folder, *records: Any, **options: Any) -> Definition:
    folder.write("f.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    return from_json_lines_files([folder.source("f.jsonl")], **options)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [1, 2]),
        ([1.5, 2], [1.5, 2.0]),
        ([1, "x"], ["1", "x"]),
        ([True, None], [True, None]),
        ([True, 1], ["true", "1"]),
        (["2019-01-02", None], ["2019-01-02", None]),
        ([[1, 2], [3]], [[1, 2], [3]]),
        ([[1, "x"], None], ['[1, "x"]', None]),
        ([{"b": 1}, {"b": 2}], [{"b": 1}, {"b": 2}]),
        ([2**53 + 1, 0.5], [str(2**53 + 1), "0.5"]),
        ([2**70, 1], [str(2**70), "1"]),
        ([None, None], [None, None]),
    ],
)
def test_json_values_keep_their_types_and_mixtures_their_values(
    folder: Folder, values: list[Any], expected: list[Any]
) -> None:
    assert folder.values(json_lines(folder, *({"a": v} for v in values))) == {"a": expected}


def test_json_in_pandas_is_as_in_v1(folder: Folder) -> None:
    frame = folder.frame(json_lines(folder, {"l": [1], "o": {"b": 1}, "t": "2019-01-02"}))
    assert isinstance(frame["l"][0], np.ndarray)
    assert frame["o"][0] == {"b": 1}
    assert frame["t"][0] == "2019-01-02"


def test_json_columns_that_come_later_or_not_at_all(folder: Folder) -> None:
    definition = json_lines(folder, {"a": 1}, {"b": 2}, {"a": 3, "b": 4})
    assert folder.values(definition) == {"a": [1, None, 3], "b": [None, 2, 4]}
    assert folder.values(take(keep_columns(definition, "b"), 2)) == {"b": [None, 2]}


@pytest.mark.parametrize("wrong", ["{", "[1]", "5"])
def test_invalid_lines_are_an_error_or_dropped(folder: Folder, wrong: str) -> None:
    folder.write("f.jsonl", f'{{"a": 1}}\n{wrong}\n\n{{"a": 2}}\n')
    source = folder.source("f.jsonl")
    with pytest.raises(DataInvalid, match=r"/f\.jsonl, row 2"):
        folder.values(from_json_lines_files([source]))
    assert folder.values(from_json_lines_files([source], invalid_lines="drop")) == {"a": [1, 2]}


# Written


def test_csv_is_spelt_as_v1_did(folder: Folder, tmp_path: Path) -> None:
    table = pa.table(
        {
            "i": [1, None],
            "f": [1.0, 1.2345678901234567e19],
            "b": [True, None],
            "t": pa.array([datetime(2019, 1, 2), datetime(2019, 1, 2, 3, 4, 5, 120)]),
            "s": ['a,"b"', "x\ny"],
        }
    )
    write.write_csv(table, str(tmp_path / "o.csv"))
    assert (tmp_path / "o.csv").read_text() == (
        "i,f,b,t,s\n"
        '1,1,True,2019-01-02T00:00:00+00:00,"a,""b"""\n'
        'NA,12345678901234567000,NA,2019-01-02T03:04:05.00012+00:00,"x\ny"\n'
    )


def test_values_without_a_text_are_not_written_as_csv(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="Parquet"):
        write.write_csv(pa.table({"l": [[1]]}), str(tmp_path / "o.csv"))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False, allow_infinity=False),
            st.booleans(),
            st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=8),
            st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
        ),
        min_size=1,
        max_size=20,
    ),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_written_csv_reads_back_the_same(
    new_folder: Callable[[], Folder], rows: list[tuple[Any, ...]], separator: str
) -> None:
    folder = new_folder()
    names = ("i", "f", "b", "s", "t")
    kinds = (pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.timestamp("us"))
    table = pa.table(
        {n: pa.array(v, k) for n, k, v in zip(names, kinds, zip(*rows, strict=True), strict=True)}
    )
    write.write_csv(table, str(folder.root / "0.csv"), separator=separator)
    with (folder.root / "0.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file, delimiter=separator))) == len(rows) + 1
    definition = folder.csv(separator=separator)
    types = {"i": "int", "f": "float", "b": "boolean", "s": "string", "t": {"datetime": {}}}
    values = folder.values(convert_column_types(definition, types))
    assert list(zip(*(values[name] for name in names), strict=True)) == rows


def test_parts_hold_all_rows_in_order(tmp_path: Path) -> None:
    table = pa.table({"a": list(range(10))})
    paths = write.write_parts(table, str(tmp_path / "csv"), parts=3, separator=";")
    assert [Path(path).name for path in paths] == ["part-0.csv", "part-1.csv", "part-2.csv"]
    text = "".join(Path(path).read_text() for path in paths)
    assert [int(line) for line in text.split() if line != "a"] == list(range(10))
    paths = write.write_parts(table, str(tmp_path / "parquet"), parts=2)
    read = pa.concat_tables([pq.read_table(path) for path in paths])
    assert read["a"].to_pylist() == list(range(10))
    assert len(write.write_parts(table.slice(0, 0), str(tmp_path / "none"), parts=1)) == 1


def test_a_frame_is_written_without_its_index(folder: Folder) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[5, 6])
    write.write_frame(frame, str(folder.root / "f.parquet"))
    read = folder.frame(from_parquet_files([folder.source("f.parquet")]))
    assert list(read) == ["a", "b"]
    assert list(read.index) == [0, 1]
    with pytest.raises(DataInvalid, match="cannot be written"):
        write.write_frame(pd.DataFrame({"a": [1, "x"]}), str(folder.root / "g.parquet"))


def test_partitions_are_folders(folder: Folder) -> None:
    table = pa.table({"k": ["a/b", "c", None, "c"], "n": [1, 2, 1, 2], "v": [1, 2, 3, 4]})
    paths = write.write_partitions(table, str(folder.root), ["k", "n"])
    names = sorted(Path(path).relative_to(folder.root).parent.as_posix() for path in paths)
    assert names == ["k=__HIVE_DEFAULT_PARTITION__/n=1", "k=a%2Fb/n=1", "k=c/n=2"]
    assert pq.read_table(folder.root / "k=c/n=2/part-0.parquet", partitioning=None).to_pydict() == {
        "v": [2, 4]
    }
    with pytest.raises(DataInvalid, match="no column"):
        write.write_partitions(table, str(folder.root), ["x"])


# Looked at


def test_types_and_profile(folder: Folder) -> None:
    definition = folder.csv("n,f,s,t\n1,1.5,x,2019-01-02\n2,,,2019-01-03\n3,2.5,x,2019-01-04\n")
    assert dataset.types(definition, folder.stores) == {
        "n": "int",
        "f": "float",
        "s": "string",
        "t": {"datetime": {}},
    }
    profile = dataset.profile(definition, folder.stores)
    assert profile["n"]["mean"] == 2
    assert profile["n"]["variance"] == 1
    assert profile["n"]["quantiles"][0.5] == 2
    assert profile["f"]["missing_count"] == 1
    assert profile["f"]["percent_missing"] == pytest.approx(100 / 3)
    assert (profile["f"]["min"], profile["f"]["max"]) == (1.5, 2.5)
    assert profile["s"]["top_values"] == [("x", 2)]
    assert profile["t"]["max"] == datetime(2019, 1, 4)


def test_without_the_packages_one_error_says_what_to_install(folder: Folder) -> None:
    import subprocess
    import sys

    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from zaffre.contract.dataset import *; from zaffre.data import dataset\n"
        "made = from_delimited_files([Source(local='/nowhere')])\n"
        "try: dataset.to_pandas(made, None)\n"
        "except Exception as problem: print(problem)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "pip install 'zaffre[data]'" in said.stdout
