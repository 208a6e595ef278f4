"""A run's files up and down: 1,000 of 1 kB, one of 300 MB, each round with new content.

The limit sends them by one request to a server that hashes what comes, writes it into files named
by content, and their names into SQLite by one transaction; on the way back its client hashes and
writes too. Zaffre's side is the SDK's: `upload_folder`, `upload_file`, `download_files`,
`download_file`. What a reading leaves to be written to disk is written before the next.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.figure import Figure, Times
from benchmarks.place import Place
from benchmarks.process import Asked

BUNDLE = "one request to minimal ASGI that hashes and stores"
STREAM = "one streamed PUT to minimal ASGI that hashes and stores"
BACK = "one GET from minimal ASGI, hashed and written"
KNOWN = "sha256 of the file"
SMALL_COUNT = 1000
SMALL_BYTES = 1000
LARGE_BYTES = 300_000_000
_PIECE_BYTES = 10_000_000


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of both ways, in milliseconds."""
    home = place.new_folder("transfers") / "home"
    stored = place.new_folder("limit")
    readings: dict[str, tuple[list[float], list[float]]] = {}
    with (
        place.zaffre(home),
        place.user_client("transfers", home) as user,
        place.limit_server("transfers", str(stored)) as server,
        place.limit_client("transfers_client") as limit,
    ):
        for k in range(-1, rounds):
            folder = place.new_folder("round")
            for size, make in (("small", _make_small), ("large", _make_large)):
                source = folder / size
                make(source)
                for way in (f"{size}_up", f"{size}_down"):
                    sides = [(limit, folder / "limit"), (user, folder / "zaffre")]
                    # Who writes second finds the disk busier, so each comes first in turn.
                    taken = {
                        client: _ask(client, way, source, target, server.path)
                        for client, target in sides[:: 1 if k % 2 else -1]
                    }
                    _keep(readings, way, taken[limit], taken[user], k)
            limit_ms = _ask(limit, "large_hash", folder / "large", folder, server.path)
            zaffre_ms = _ask(user, "large_up", folder / "large", folder, server.path)
            _keep(readings, "large_known", limit_ms, zaffre_ms, k)
            _check_same(folder)
            # Small ones stay: where inodes were just freed, ext4 makes new ones slowly.
            for one in folder.glob("*/large.bin"):
                one.unlink()
    return [
        _figure(f"{SMALL_COUNT:,} files of 1 kB up", readings["small_up"], BUNDLE, 1.5),
        _figure("... down", readings["small_down"], BACK, 1.5),
        _figure("a file of 300 MB up", readings["large_up"], STREAM, 1.3),
        _figure("... down", readings["large_down"], BACK, 1.3),
        _figure("... up, although the server has it", readings["large_known"], KNOWN),
    ]


def _ask(client: Asked, way: str, source: Path, target: Path, path: Path) -> float:
    os.sync()
    return client.ask(way, path=str(path), source=str(source), target=str(target))


def _keep(
    readings: dict[str, tuple[list[float], list[float]]],
    way: str,
    limit_ms: float,
    zaffre_ms: float,
    k: int,
) -> None:
    """Keep a round's readings, unless it warms up."""
    limits, zaffres = readings.setdefault(way, ([], []))
    if k >= 0:
        limits.append(limit_ms)
        zaffres.append(zaffre_ms)


def _make_small(folder: Path) -> None:
    folder.mkdir()
    for number in range(SMALL_COUNT):
        (folder / f"f{number:04}.bin").write_bytes(os.urandom(SMALL_BYTES))


def _make_large(folder: Path) -> None:
    folder.mkdir()
    with (folder / "large.bin").open("wb") as file:
        for _ in range(0, LARGE_BYTES, _PIECE_BYTES):
            file.write(os.urandom(_PIECE_BYTES))


def _check_same(folder: Path) -> None:
    """Make sure that both sides have brought back what was sent."""
    for size in ("small", "large"):
        for source in (folder / size).iterdir():
            content = source.read_bytes()
            for side in ("limit", "zaffre"):
                if (folder / side / source.name).read_bytes() != content:
                    raise ValueError(f"{source.name} came back other than it was by {side}")


def _figure(
    work: str, readings: tuple[list[float], list[float]], limit: str, most: float | None = None
) -> Figure:
    limits, zaffres = readings
    return Figure(work, "ms", zaffres, limit, limits, None if most is None else Times(most))
