"""Name the programs that some tests need and this machine lacks, and how to get them.

python tools/programs.py                       names what is missing
python tools/programs.py --require [NAME ...]  exit status 1 if one (of these) is missing
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def python38() -> str | None:
    """Return the path of a Python 3.8, None if there is none."""
    found = shutil.which("python3.8")
    places = [
        Path.home() / ".pyenv" / "versions",
        Path.home() / ".local" / "share" / "uv" / "python",
    ]
    for place in places:
        for path in sorted(place.glob("*3.8*/bin/python3.8")):
            return str(path)
    return found


def postgresql() -> str | None:
    """Return the path of PostgreSQL's initdb, which distributions keep off PATH; None if none."""
    found = shutil.which("initdb")
    if found:
        return found
    for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        return str(path)
    return None


PROGRAMS = {
    "Python 3.8": (python38, "tools/uv python install 3.8"),
    "PostgreSQL": (postgresql, "apt-get install postgresql"),
    "git": (lambda: shutil.which("git"), "apt-get install git"),
}


def main() -> int:
    """Print what is missing; return the exit status."""
    required = "--require" in sys.argv
    wanted = [name for name in sys.argv[1:] if name != "--require"] or list(PROGRAMS)
    missing = {name: PROGRAMS[name][1] for name in wanted if PROGRAMS[name][0]() is None}
    for name, advice in missing.items():
        print(f"{name} is not on this machine, so its tests are skipped. To get it: {advice}")
    return 1 if missing and required else 0


if __name__ == "__main__":
    sys.exit(main())
