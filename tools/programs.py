"""Name the programs that some tests need and this machine lacks, and how to get them.

python tools/programs.py                       names what is missing
python tools/programs.py --require [NAME ...]  exit status 1 if one (of these) is missing
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path


@functools.cache
def find_python(version: str) -> str | None:
    """Return a Python of this version, such as "3.8", that starts; None if there is none.

    pyenv and uv keep theirs off PATH; pyenv's stand-ins on PATH start only what is switched on.
    """
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv"))
    found: list[str] = []
    for folder in (pyenv / "versions", home / ".local" / "share" / "uv" / "python"):
        found += [str(path) for path in sorted(folder.glob(f"*{version}.*/bin/python{version}"))]
    found.append(shutil.which(f"python{version}") or "")
    return next((path for path in found if path and _starts(path)), None)


def _starts(path: str) -> bool:
    done = subprocess.run([path, "-c", "import venv"], capture_output=True, check=False)
    return done.returncode == 0


def python38() -> str | None:
    """Return a Python 3.8 that starts."""
    return find_python("3.8")


def postgresql() -> str | None:
    """Return the path of PostgreSQL's initdb, which distributions keep off PATH; None if none."""
    found = shutil.which("initdb")
    if found:
        return found
    for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        return str(path)
    return None


def azurite() -> str | None:
    """Return the path of Azurite's blob server; ZAFFRE_TEST_AZURITE names one off PATH."""
    return os.environ.get("ZAFFRE_TEST_AZURITE") or shutil.which("azurite-blob")


PROGRAMS = {
    "Python 3.8": (python38, "tools/uv python install 3.8"),
    "PostgreSQL": (postgresql, "apt-get install postgresql"),
    "Azurite": (azurite, "apt-get install npm && npm install -g azurite"),
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
