"""Zaffre reads CSV: `python -m benchmarks.clients.data WORK FOLDER` prints seconds and MB."""

from __future__ import annotations

import json
import sys
import time

import pandas  # noqa: F401 (what both sides import first is not counted)
import pyarrow.csv
import pyarrow.parquet  # noqa: F401

from benchmarks.data import peak_mb
from zaffre.contract.dataset import Source, from_delimited_files, keep_columns, take
from zaffre.data import dataset
from zaffre.data.stores.local import LocalStore


def main(work: str, folder: str) -> None:
    from zaffre.data import engine, frame  # noqa: F401 (imports are not counted)

    def stores(_: str) -> LocalStore:
        return LocalStore(folder)

    begun = time.perf_counter()
    made = from_delimited_files([Source(datastore="store", path="*.csv")])
    made = dataset.prepare(made, stores, validate=True)
    if work == "types":
        rows = len(dataset.types(made, stores))
    else:
        if work == "two":
            made = keep_columns(made, ["id", "x"])
        if work == "take":
            made = take(made, 10)
        rows = len(dataset.to_pandas(made, stores))
    print(json.dumps({"s": time.perf_counter() - begun, "MB": peak_mb(), "rows": rows}))


main(*sys.argv[1:])
