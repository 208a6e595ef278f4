"""The command line: `zaffre --version`, `zaffre run list`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figure import Figure, Times
from benchmarks.imports import LIMIT, in_turn
from benchmarks.place import Place

# As installers write it.
_COMMAND = """#!{python}
import sys
from zaffre.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
"""
RUNS = 20


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of both commands; the list has 20 runs."""
    folder = place.new_folder("command-line")
    command = folder / "zaffre"
    command.write_text(_COMMAND.format(python=place.own))
    command.chmod(0o755)
    version, version_limit = in_turn(place, [str(command), "--version"], rounds)
    listed, listed_limit = _listing(place, folder / "home", command, rounds)
    return [
        Figure("zaffre --version", "ms", version, LIMIT, version_limit, Times(6)),
        Figure(f"zaffre run list, {RUNS} runs", "ms", listed, LIMIT, listed_limit, Times(12)),
    ]


def _listing(
    place: Place, home: Path, command: Path, rounds: int
) -> tuple[list[float], list[float]]:
    with place.zaffre(home):
        with place.user_client("reads", home) as client:
            client.ask("fill_runs", count=RUNS)
        # `env` costs as much as the start of any small program, under a millisecond.
        asked = ["env", f"ZAFFRE_HOME={home}", str(command), "run", "list"]
        return in_turn(place, asked, rounds)
