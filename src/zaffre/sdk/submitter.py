"""What a run on `local` takes from the process that submits it: interpreter and variables."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

    from zaffre.sdk.environment import Environment

#: Variables that belong to the notebook's kernel, its terminal or its virtual environment.
_OWN_NAMES = frozenset(
    {
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLORTERM",
        "COLUMNS",
        "FORCE_COLOR",
        "GIT_PAGER",
        "LINES",
        "MLFLOW_RUN_ID",
        "MPLBACKEND",
        "OLDPWD",
        "PAGER",
        "PS1",
        "PWD",
        "PYTHONEXECUTABLE",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "SHLVL",
        "TERM",
        "TERMCAP",
        "WINDOWID",
        "_",
        "__PYVENV_LAUNCHER__",
    }
)
_OWN_PREFIXES = (
    "AZUREML_",
    "CONDA_",
    "IPYKERNEL",
    "JPY_",
    "JUPYTERHUB_",
    "TERM_PROGRAM",
    "VIRTUAL_ENV",
    "VSCODE_",
    "ZAFFRE_",
    "_CE_",
    "_CONDA_",
)


def process_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this process that its runs get.

    Ones that are no text in UTF-8 stay here, since the way to the run is JSON.
    """
    return {
        name: value
        for name, value in variables.items()
        if name not in _OWN_NAMES
        and not name.startswith(_OWN_PREFIXES)
        and _is_text(name)
        and _is_text(value)
    }


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def interpreter(environment: Environment) -> str:
    """Return the Python that runs the script: the environment's if it names one, else this one."""
    path = environment.python.interpreter_path
    if path and os.path.isabs(path) and os.path.exists(path):
        return path
    return sys.executable


_told: set[tuple[str, ...]] = set()


def tell_of_packages(environment: Environment, python: str) -> str | None:
    """Print, once for the same packages, that they are the interpreter's own; say which it lacks.

    An environment that manages its own packages says nothing about them; the defaults ask for
    nothing that Zaffre does not bring.
    """
    packages = environment.python.conda_dependencies
    if environment.python.user_managed_dependencies or packages is None:
        return None
    asked = [
        package
        for package in (*packages.conda_packages, *packages.pip_packages)
        if not _is_bookkeeping(package)
    ]
    missing = _missing(asked) if asked and python == sys.executable else []
    lacks = f"{python} lacks packages that were asked for: {', '.join(missing)}."
    key = (python, *asked)
    if asked and key not in _told:
        _told.add(key)
        sys.stdout.write(
            f"Zaffre: runs on 'local' use the interpreter that submits, {python}; the packages "
            f"asked for ({', '.join(asked)}) are not installed, they are its own."
            f"{' It lacks: ' + ', '.join(missing) + '.' if missing else ''}\n"
        )
    return lacks if missing else None


def _is_bookkeeping(package: str) -> bool:
    text = package.strip()
    return (
        not text or text.startswith(("-", "#", "python=", "azureml-")) or text in ("pip", "python")
    )


def _missing(packages: list[str]) -> list[str]:
    """Return those of the packages that this interpreter has no distribution of."""
    try:
        from importlib import metadata
    except ImportError:
        return []
    missing: list[str] = []
    for package in packages:
        name = "".join(c if c.isalnum() or c in "-_." else " " for c in package).split()[0]
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    return missing
