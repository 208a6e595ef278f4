from __future__ import annotations

import os
import pty
import subprocess
import sys

from tests.conftest import SOURCE

from zaffre.sdk import progress
from zaffre.sdk.progress import Line

MB = 1_000_000


def lines_of(*told: tuple[float, int], total: int, ended_at: float) -> list[str]:
    """What a transfer of `total` bytes shows that began at 0; told: (seconds, bytes) each."""
    shown: list[str] = []
    line = Line("Uploading m.pkl", lambda text, _last: shown.append(text), 0.0)
    for now, done in told:
        line.tell_at(done, total, now)
    line.end(ended_at)
    return shown


def test_what_is_over_within_a_second_shows_nothing() -> None:
    assert lines_of((0.1, MB), (0.9, 2 * MB), total=2 * MB, ended_at=0.95) == []


def test_the_line_says_how_much_how_fast_and_how_long_still() -> None:
    assert lines_of((0.0, 0), (1.0, 100 * MB), (2.0, 200 * MB), total=3000 * MB, ended_at=30.0) == [
        "Uploading m.pkl: 100 MB of 3 GB, 100 MB/s, 29 s left",
        "Uploading m.pkl: 200 MB of 3 GB, 100 MB/s, 28 s left",
        "Uploading m.pkl: 200 MB in 30 s, 6.67 MB/s",
    ]


def test_the_rate_is_that_of_the_last_seconds() -> None:
    told = [(float(second), second * 100 * MB) for second in range(10)]
    told += [(9.0 + second, 900 * MB + second * MB) for second in range(1, 8)]
    shown = lines_of(*told, total=1000 * MB, ended_at=17.0)
    assert shown[-2] == "Uploading m.pkl: 907 MB of 1 GB, 1 MB/s, 1 min 33 s left"


def test_the_line_is_not_written_more_often_than_it_can_be_read() -> None:
    told = [(1.0 + step / 1000, step * MB) for step in range(1000)]
    assert len(lines_of(*told, total=1000 * MB, ended_at=2.0)) == 5


def test_nothing_is_shown_where_nobody_looks(capsys: object) -> None:
    del capsys
    with progress.shown("Uploading m.pkl") as tell:
        assert tell is None


def test_a_terminals_line_goes_at_the_end() -> None:
    script = (
        "import sys\n"
        "from zaffre.sdk import progress\n"
        "progress.SILENT_S = 0\n"
        "with progress.shown('Uploading m.pkl') as tell:\n"
        "    tell(1000, 2000)\n"
        "print('done', file=sys.stderr)\n"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", script], stderr=theirs, env=environment, check=True)
    os.close(theirs)
    written = os.read(ours, 10_000).decode()
    os.close(ours)
    assert written == "\r\x1b[KUploading m.pkl: 1 kB of 2 kB\r\x1b[Kdone\r\n"
