"""An interpreter, this one or another: where it keeps packages, and what it imports as Zaffre."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zaffre.contract.errors import Invalid

if TYPE_CHECKING:
    pass

_TIMEOUT_S = 60


@dataclass(frozen=True)
class Interpreter:
    """What an interpreter says of itself.

    zaffre, azureml: the folder that each would be imported from, None if it has none.
    search_path: where it looks for modules.
    """

    path: str
    version: str
    prefix: str
    site_packages: str
    search_path: list[str]
    zaffre: str | None
    azureml: str | None


_SURVEY = """
import json, sys, sysconfig
from importlib.machinery import PathFinder
def folder(name):
    spec = PathFinder.find_spec(name)
    return next(iter(spec.submodule_search_locations or ()), None) if spec else None
print(json.dumps({
    "version": sys.version.split()[0], "prefix": sys.prefix,
    "site_packages": sysconfig.get_path("purelib"), "search_path": [p for p in sys.path if p],
    "zaffre": folder("zaffre"), "azureml": folder("azureml"),
}))
"""


def survey(python: str = sys.executable) -> Interpreter:
    """Ask an interpreter where it keeps packages. Raises Invalid if it does not answer."""
    import json
    import shutil

    # The current folder's `azureml`, if it has one, is not the interpreter's: so not from here.
    python = os.path.abspath(shutil.which(python) or python)
    try:
        done = subprocess.run(
            [python, "-c", _SURVEY],
            cwd=os.sep,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
            encoding="utf-8",
        )
        found = json.loads(done.stdout)
    except subprocess.CalledProcessError as problem:
        last = problem.stderr.strip().rpartition("\n")[2]
        raise Invalid("--python", f"{python} ended with an error ({last})") from problem
    except (OSError, ValueError, subprocess.TimeoutExpired) as problem:
        raise Invalid("--python", f"{python} is no Python that starts ({problem})") from problem
    return Interpreter(path=python, **found)


def has_our_azureml(interpreter: Interpreter) -> bool:
    """Say whether `import azureml` gives Zaffre's names, and no file was written over them."""
    if interpreter.zaffre is None or interpreter.azureml is None:
        return False
    expected = os.path.join(os.path.dirname(interpreter.zaffre), "azureml")
    return os.path.realpath(interpreter.azureml) == os.path.realpath(expected) and all(
        "zaffre.sdk" in read_text(os.path.join(expected, name))
        for name in ("__init__.py", os.path.join("core", "__init__.py"))
    )


def read_text(path: str) -> str:
    """Return a file's text, '' if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
