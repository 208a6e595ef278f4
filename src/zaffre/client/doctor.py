"""What this interpreter has, what stands in the way, and whether a server answers."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Any

from zaffre.client.connection import connect, home_folder, without_starting
from zaffre.contract.errors import ZaffreError
from zaffre.contract.version import ZAFFRE_VERSION

#: Packages that bring a module `azureml` of their own.
_REAL_SDK = ("azureml-core", "azureml-sdk", "azureml-defaults")


@dataclass(frozen=True)
class Examination:
    """What `examine` found.

    azureml_path: where `import azureml` leads, None if nowhere. server: the answer of GET /server,
    None if none answers. problems: what should be mended, a sentence each.
    """

    version: str
    python: str
    interpreter: str
    zaffre_path: str
    azureml_path: str | None
    azureml_is_ours: bool
    home: str
    server_interpreter: str | None
    server: dict[str, Any] | None
    problems: list[str] = field(default_factory=list)


def examine() -> Examination:
    """Look at this interpreter and at its server, which is not started for it."""
    zaffre_path = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    problems: list[str] = []
    azureml_path, ours = _find_azureml(zaffre_path, problems)
    server: dict[str, Any] | None = None
    try:
        server = without_starting(connect()).request("GET", "/server", timeout_s=5.0)
    except ZaffreError as problem:
        problems.append(str(problem))
    home = home_folder()
    return Examination(
        version=ZAFFRE_VERSION,
        python=sys.version.split()[0],
        interpreter=sys.executable,
        zaffre_path=zaffre_path,
        azureml_path=azureml_path,
        azureml_is_ours=ours,
        home=home,
        server_interpreter=_read_interpreter(home),
        server=server,
        problems=problems,
    )


def _find_azureml(zaffre_path: str, problems: list[str]) -> tuple[str | None, bool]:
    """Return where `azureml` would be imported from, without importing it, and if it is ours."""
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("azureml")
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    real = _installed_real_sdk()
    if not folders:
        problems.append("There is no module 'azureml' here: install zaffre into this interpreter.")
        return None, False
    expected = os.path.join(os.path.dirname(zaffre_path), "azureml")
    ours = os.path.realpath(folders[0]) == os.path.realpath(expected)
    if not ours:
        problems.append(
            f"'import azureml' finds {folders[0]}"
            + (f" ({real})" if real else "")
            + f", not Zaffre's {expected}. Uninstall it (pip uninstall azureml-core), or put "
            "Zaffre's folder before it on the path."
        )
    elif real:
        problems.append(
            f"{real} is installed here beside Zaffre's 'azureml'; whichever is first on the path "
            "is used, or a mixture if both are in one folder. Uninstall it, then install zaffre "
            "again."
        )
    return folders[0], ours


def _installed_real_sdk() -> str | None:
    """Return name and version of an installed distribution of the real SDK."""
    from importlib.metadata import PackageNotFoundError, version

    for name in _REAL_SDK:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return None


def _read_interpreter(home: str) -> str | None:
    try:
        with open(os.path.join(home, "interpreter"), encoding="utf-8") as file:
            return file.read().strip() or None
    except OSError:
        return None
