"""Submit to the first line of the script, and to "the submitter knows that it ended"."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from benchmarks.figure import Figure, Times
from benchmarks.place import Place
from benchmarks.process import Asked

SCRIPT = "import time\nt = time.time()\nimport sys\nopen(sys.argv[1], 'w').write(repr(t))\n"
LIMIT = "python script.py"
FILES = 100
# A round is a submission of each kind: so more rounds than elsewhere.
ROUNDS_EACH = 3
# Before each reading, of the limit too: the runs before have ended, their folders are removed.
PAUSE_S = 0.3
WARM_ROUNDS = 3

Pair = tuple[float, float]


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of a script alone, and of one among 100 files."""
    folder = place.new_folder("submit")
    home = folder / "home"
    alone = _source(folder / "alone", 0)
    among = _source(folder / "among", FILES)
    plain: list[Pair] = []
    small: list[Pair] = []
    large: list[Pair] = []
    changed: list[Pair] = []
    at_once: list[Pair] = []
    with place.zaffre(home), place.user_client("submit", home) as client:
        for k in range(-WARM_ROUNDS, rounds * ROUNDS_EACH):
            sides = (plain, small, at_once, large, changed)
            readings = [_ask(client, "plain", alone, folder)]
            readings.append(_ask(client, "zaffre", alone, folder))
            readings.append(_ask(client, "zaffre", alone, folder, pause_s=0))
            readings.append(_ask(client, "zaffre", among, folder))
            _change(among, k)
            readings.append(_ask(client, "zaffre", among, folder))
            if k >= 0:
                for side, reading in zip(sides, readings, strict=True):
                    side.append(reading)
    shutil.rmtree(folder)
    return [
        _figure("submit to first line", 0, small, plain, Times(2.5)),
        _figure(f"... snapshot of {FILES} files, unchanged", 0, large, plain, Times(3.5)),
        _figure("... once more at once", 0, at_once, plain, None),
        _figure(f"... snapshot of {FILES} files, all of them new", 0, changed, plain, None),
        _figure("submit to end known", 1, small, plain, Times(3)),
        _figure(f"... snapshot of {FILES} files, unchanged", 1, large, plain, None),
    ]


def _source(folder: Path, files: int) -> Path:
    folder.mkdir()
    (folder / "script.py").write_text(SCRIPT)
    for i in range(files - 1):
        subfolder = folder / f"part{i % 5}"
        subfolder.mkdir(exist_ok=True)
        (subfolder / f"file{i}.txt").write_text(f"{i} " * 200)
    return folder


def _change(source: Path, k: int) -> None:
    for file in source.glob("part*/*.txt"):
        file.write_text(f"{k} {file.name} " * 60)


def _ask(client: Asked, work: str, source: Path, folder: Path, pause_s: float = PAUSE_S) -> Pair:
    time.sleep(pause_s)
    marker = folder / "marker"
    marker.unlink(missing_ok=True)
    first_ms, ended_ms = client.ask(work, source=str(source), marker=str(marker))
    return first_ms, ended_ms


def _figure(
    work: str, index: int, zaffre: list[Pair], plain: list[Pair], goal: Times | None
) -> Figure:
    return Figure(
        work,
        "ms",
        [pair[index] for pair in zaffre],
        LIMIT,
        [pair[index] for pair in plain],
        goal,
    )
