"""What an interpreter has, what stands in the way, and whether a server answers."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Any

from zaffre.client import stand_in
from zaffre.client.connection import connect, home_folder, without_starting
from zaffre.client.interpreter import Interpreter, has_our_azureml, survey
from zaffre.contract.errors import ServerUnreachable, ZaffreError
from zaffre.contract.version import ZAFFRE_VERSION


@dataclass(frozen=True)
class Examination:
    """What `examine` found.

    azureml_path: where `import azureml` leads, None if nowhere. real_packages: those of the real
    SDK, "azureml-core 1.62.0". stand_ins: how many keep pip from installing them. server: the
    answer of GET /server, None if none answers. problems: what should be mended, a sentence each.
    """

    version: str
    python: str
    interpreter: str
    zaffre_path: str | None
    azureml_path: str | None
    azureml_is_ours: bool
    real_packages: list[str]
    stand_ins: int
    home: str
    server_interpreter: str | None
    server: dict[str, Any] | None
    problems: list[str] = field(default_factory=list)


def examine(python: str = sys.executable) -> Examination:
    """Look at an interpreter and at this user's server, which is not started for it.

    Raises Invalid if `python` is none.
    """
    interpreter = survey(python)
    packages = stand_in.installed(interpreter.search_path)
    real = [one for one in packages if not one.is_stand_in]
    ours = has_our_azureml(interpreter)
    problems = _azureml_problems(interpreter, real, ours=ours)
    server: dict[str, Any] | None = None
    try:
        server = without_starting(connect()).request("GET", "/server", timeout_s=5.0)
    except ServerUnreachable as problem:
        if os.environ.get("ZAFFRE_URL"):
            # One of this home that does not run is started when it is needed.
            problems.append(problem.message)
    except ZaffreError as problem:
        problems.append(problem.message)
    home = home_folder()
    return Examination(
        version=ZAFFRE_VERSION,
        python=interpreter.version,
        interpreter=interpreter.path,
        zaffre_path=interpreter.zaffre,
        azureml_path=interpreter.azureml,
        azureml_is_ours=ours,
        real_packages=[f"{one.name} {one.version}" for one in real],
        stand_ins=len(packages) - len(real),
        home=home,
        server_interpreter=_read_interpreter(home),
        server=server,
        problems=problems,
    )


def _azureml_problems(
    interpreter: Interpreter, real: list[stand_in.Installed], *, ours: bool
) -> list[str]:
    if interpreter.zaffre is None:
        return [stand_in.NoZaffre(interpreter.path).message]
    if real:
        return [stand_in.RealPackagesInstalled(interpreter.path, real).message]
    if not ours:
        found = interpreter.azureml or "nothing"
        return [
            f"'import azureml' finds {found}, not what Zaffre brings. Install zaffre again, or put "
            f"{os.path.dirname(interpreter.zaffre)} first on the path."
        ]
    return []


def _read_interpreter(home: str) -> str | None:
    try:
        with open(os.path.join(home, "interpreter"), encoding="utf-8") as file:
            return file.read().strip() or None
    except OSError:
        return None
