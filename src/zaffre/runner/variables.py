"""The environment variables of a script: made up, never inherited.

They come from the process that submitted, less what only made sense there (a notebook's backend,
its virtual environment), then the run's own. A server that a notebook started may carry that
notebook's MPLBACKEND; nothing of it gets here.
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Mapping
from pathlib import Path

from zaffre.contract.attempt import StartOrder
from zaffre.contract.run import RunSpec
from zaffre.runner.folder import RunFolder

#: Names of the submitting process that are not passed on, and beginnings of such names.
UNCLEAN_NAMES = frozenset(
    {"MPLBACKEND", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONPATH", "PYTHONHOME", "OLDPWD", "PWD"}
)
UNCLEAN_PREFIXES = ("JPY_", "CONDA_", "_CONDA_", "AZUREML_", "ZAFFRE_")
#: v1's variable says when the token ends; ours lives until the run's last report is taken.
TOKEN_EXPIRY_S = 365 * 24 * 3600
FALLBACK_PATH = "/usr/local/bin:/usr/bin:/bin"
#: What finds a run's processes when their runner is gone.
RUN_MARK, ATTEMPT_MARK = "AZUREML_RUN_ID", "ZAFFRE_RUN_ATTEMPT"


def script_variables(order: StartOrder, spec: RunSpec, folder: RunFolder) -> dict[str, str]:
    """Return the whole environment of the run's script."""
    asked = spec.environment_variables
    variables = _cleaned(order.process_environment)
    variables.setdefault("MPLBACKEND", "Agg")
    variables.setdefault("PYTHONUNBUFFERED", "1")
    variables.update(asked)
    variables["PATH"] = _path(variables.get("PATH"), spec.interpreter)
    variables["HOME"] = variables.get("HOME") or _home()
    variables["PWD"] = str(folder.work)
    variables["TMPDIR"] = str(folder.tmp)
    variables["PYTHONPATH"] = os.pathsep.join(
        part for part in (str(folder.work), order.sdk_path, asked.get("PYTHONPATH")) if part
    )
    variables.update(_of_v1(order))
    variables.update(_of_ours(order, folder))
    return variables


def _cleaned(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name not in UNCLEAN_NAMES and not name.startswith(UNCLEAN_PREFIXES)
    }


def _of_v1(order: StartOrder) -> dict[str, str]:
    workspace = order.workspace
    return {
        RUN_MARK: order.run_id,
        "AZUREML_ROOT_RUN_ID": order.root_run_id or order.run_id,
        "AZUREML_RUN_TOKEN": order.token,
        "AZUREML_RUN_TOKEN_EXPIRY": str(int(time.time()) + TOKEN_EXPIRY_S),
        "AZUREML_ARM_SUBSCRIPTION": workspace.get("subscription_id", ""),
        "AZUREML_ARM_RESOURCEGROUP": workspace.get("resource_group", ""),
        "AZUREML_ARM_WORKSPACE_NAME": workspace.get("name", ""),
        "AZUREML_ARM_PROJECT_NAME": order.experiment_name,
        "AZUREML_EXPERIMENT_ID": order.experiment_id,
        "AZUREML_WORKSPACE_ID": workspace.get("workspace_id", ""),
        "AZUREML_SERVICE_ENDPOINT": order.url,
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": order.url,
        "AZUREML_RUN_HISTORY_SERVICE_ENDPOINT": order.url,
    }


def _of_ours(order: StartOrder, folder: RunFolder) -> dict[str, str]:
    variables = {
        ATTEMPT_MARK: str(order.attempt),
        "ZAFFRE_RUN_TOKEN": order.token,
        "ZAFFRE_URL": order.url,
        "ZAFFRE_SPOOL_FOLDER": str(folder.spool),
        "ZAFFRE_WORKSPACE_LOCATION": order.workspace.get("location", ""),
    }
    if order.address_file is not None:
        variables["ZAFFRE_ADDRESS_FILE"] = order.address_file
    if order.socket_path is not None:
        variables["ZAFFRE_SOCKET"] = order.socket_path
    return variables


def _path(path: str | None, interpreter: str) -> str:
    """Return a PATH on which `python` and `pip` are those of the run's interpreter."""
    path = path or FALLBACK_PATH
    own = str(Path(interpreter).parent)
    if not own.startswith("/") or own in path.split(os.pathsep):
        return path
    return f"{own}{os.pathsep}{path}"


def _home() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"
