"""pyarrow. Its functions are made at run time, so that no type checker finds them: all is Any."""

from __future__ import annotations

from importlib import import_module
from typing import Any

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")
pq: Any = import_module("pyarrow.parquet")
pacsv: Any = import_module("pyarrow.csv")
