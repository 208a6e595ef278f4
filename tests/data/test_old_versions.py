"""The engine on the oldest interpreter and packages that it promises: Python 3.8, pyarrow 12,
pandas 1.1. A script tries the ways that differ between versions; the rest of the tests runs on
the newest.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.conftest import SOURCE
from tools.programs import find_python

ROOT = SOURCE.parent
PACKAGES = ("pyarrow==12.*", "pandas==1.1.*")

SCRIPT = """
import sys
from zaffre.contract.dataset import *
from zaffre.data import dataset, write
from zaffre.data.stores.local import LocalStore

stores = lambda name: LocalStore(sys.argv[1])
source = lambda path: Source(datastore="s", path=path)
made = from_delimited_files([source("**/*.csv")], include_path=True)
made = extract_partitions(made, "{year}/f.csv")
made = dataset.prepare(made, stores, validate=True)
frame = dataset.to_pandas(made, stores)
print([str(dtype) for dtype in frame.dtypes], len(frame))
print(frame.iloc[-1].astype(str).tolist())
some = filter_rows(made, call("==", column("year"), literal("2020")))
print(dataset.to_pandas(take(some, 2), stores)["i"].tolist())
first, second = random_split(made, 0.5, seed=1)
print(sum(len(dataset.to_pandas(part, stores)) for part in (first, second)))
write.write_frame(frame, sys.argv[1] + "/f.parquet")
parquet = from_parquet_files([source("f.parquet")])
late = filter_rows(parquet, call("==", column("w"), literal("x")))
print(dataset.to_pandas(late, stores)["n"].tolist())
write.write_csv(dataset.to_arrow(take(parquet, 1), stores), sys.argv[1] + "/o.txt")
print(open(sys.argv[1] + "/o.txt").read().splitlines()[1])
print(sorted(dataset.profile(made, stores)), dataset.types(made, stores)["t"])
"""

SAID = """\
['object', 'object', 'int64', 'float64', 'object', 'datetime64[ns]', 'datetime64[ns]', 'object'] 302
['/2020/f.csv', '2020', '302', '0.5', 'x', '2019-02-13 00:00:00', 'NaT', 'long']
[151, 152]
302
[0.5]
/2019/f.csv,2019,0,1,1,2019-02-01T00:00:00+00:00,2019-01-02T03:04:05+00:00,NA
['Column6', 'Path', 'i', 'n', 't', 'u', 'w', 'year'] {'datetime': {}}
"""


@pytest.mark.python38
@pytest.mark.processes
@pytest.mark.timeout(300)
def test_the_oldest_packages_give_the_same_rows(tmp_path: Path) -> None:
    python = find_python("3.8")
    if python is None:
        pytest.skip("Python 3.8 is not installed: tools/uv python install 3.8")
    place = tmp_path / "venv"
    _uv("venv", "--quiet", "--python", python, str(place))
    _uv("pip", "install", "--quiet", "--python", str(place / "bin" / "python"), *PACKAGES)
    data = tmp_path / "data"
    for year, start in (("2019", 0), ("2020", 151)):
        lines = [f"{n},1,1,01/02/2019,2019-01-02 03:04:05" for n in range(start, start + 150)]
        lines.append("302,0.5,x,13/02/2019,1500-01-01,long" if start else "150,1,1,01/02/2019,")
        (data / year).mkdir(parents=True)
        (data / year / "f.csv").write_text("\n".join(["i,n,w,t,u", *lines, ""]))

    done = subprocess.run(
        [str(place / "bin" / "python"), "-c", SCRIPT, str(data)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == SAID, done.stderr


def _uv(*arguments: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    subprocess.run([str(ROOT / "tools" / "uv"), *arguments], check=True, env=environment)
