"""pyarrow alone reads CSV: `python -m benchmarks.limits.data WORK FOLDER`; `make` writes it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas  # noqa: F401 (what both sides import first is not counted)
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from benchmarks.data import peak_mb

WORDS = np.array(["alpha", "beta", "gamma", '"epsilon, quoted"', "zeta", "eta", "theta"])
PROBE_ROWS = 10_000


def main(work: str, folder: str, *counts: str) -> None:
    paths = sorted(Path(folder).glob("*.csv"))
    if work == "make":
        make(Path(folder), *map(int, counts))
        print("{}")
        return
    begun = time.perf_counter()
    options = pacsv.ConvertOptions(include_columns=["id", "x"] if work == "two" else None)
    tables = [pacsv.read_csv(path, convert_options=options) for path in paths]
    rows = len(pa.concat_tables(tables).to_pandas(split_blocks=True, self_destruct=True))
    print(json.dumps({"s": time.perf_counter() - begun, "MB": peak_mb(), "rows": rows}))


def make(folder: Path, files: int, size_bytes: int) -> None:
    """Write files of 10 columns: numbers, texts, a boolean, a day and a time."""
    row_bytes = len("\n".join(lines(0, PROBE_ROWS))) / PROBE_ROWS
    rows = int(size_bytes / files / row_bytes)
    for number in range(files):
        content = "\n".join(["id,x,y,z,cat,text,flag,small,day,at", *lines(number, rows), ""])
        (folder / f"part-{number:02}.csv").write_text(content)


def lines(number: int, rows: int) -> list[str]:
    chance = np.random.RandomState(number)
    day = np.datetime64("2020-01-01") + chance.randint(0, 1000, rows).astype("timedelta64[D]")
    at = np.datetime64("2021-01-01T00:00:00") + chance.randint(0, 10**9, rows).astype("m8[s]")
    columns = [
        pa.array(np.arange(rows) + number * rows),
        pa.array(chance.randn(rows)),
        pa.array(chance.randn(rows) * 1e6),
        pa.array(chance.rand(rows).round(3)),
        pa.array(WORDS[chance.randint(0, len(WORDS), rows)]),
        pc.binary_join_element_wise(
            "row text", pa.array(chance.randint(0, 100_000, rows)).cast("string"), " "
        ),
        pa.array(chance.rand(rows) > 0.5),
        pa.array(chance.randint(0, 100, rows)),
        pa.array(day),
        pc.strftime(pa.array(at), "%Y-%m-%dT%H:%M:%S.000000"),
    ]
    texts = [column.cast("string") for column in columns]
    return pc.binary_join_element_wise(*texts, ",").to_pylist()


main(*sys.argv[1:])
