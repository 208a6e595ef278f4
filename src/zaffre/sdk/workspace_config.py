"""The file that names a workspace: where it is looked for, how it is read and written."""

from __future__ import annotations

import os

from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE_NAME = "config.json"
#: Looked for in these folders of a directory and of all above it, each in a pass of its own.
_PLACES = (".azureml", "aml_config", "")
_OLD_FILE_NAME = "project.json"
_KEYS = ("subscription_id", "resource_group", "workspace_name")


def find(path: str | None = None, file_name: str | None = None) -> str:
    """Return the path of the file that v1 would have used.

    path: the file itself, or the directory to start from (default: the current one). A far
    `.azureml/config.json` beats a near `config.json`, because every place is looked for up to the
    root before the next one is. Raises UserErrorException.
    """
    wanted = file_name or FILE_NAME
    start = os.path.abspath(os.fspath(path) if path is not None else os.curdir)
    if os.path.isfile(start):
        return start
    if os.path.isdir(start):
        for place in _PLACES:
            found = _find_upwards(start, place, wanted)
            if found is not None:
                return found
    raise UserErrorException(
        f"We could not find {wanted} in: {start} or in its parent directories. Put the file there "
        "(Workspace.write_config makes one), give its path as from_config(path=...), or get the "
        "workspace by Workspace.get."
    )


def _find_upwards(start: str, place: str, file_name: str) -> str | None:
    folder = start
    while True:
        for name in (file_name, _OLD_FILE_NAME):
            candidate = os.path.join(folder, place, name)
            if os.path.isfile(candidate):
                return candidate
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def read(path: str) -> tuple[str, str, str]:
    """Return subscription, resource group and name that a file says.

    Raises UserErrorException when they are not all there, json.JSONDecodeError for no JSON.
    """
    import json

    with open(path, encoding="utf-8-sig") as file:
        content: Any = json.load(file)
    named: list[Any] = []
    if isinstance(content, dict):
        scope = content.get("Scope")
        if isinstance(scope, str):
            named = _parse_scope(scope)
        elif all(key in content for key in _KEYS):
            named = [content[key] for key in _KEYS]
    if len(named) != 3 or not all(isinstance(value, str) and value for value in named):
        raise UserErrorException(
            f"The config file in {path} does not seem to contain the required parameters, as "
            f"texts: {', '.join(_KEYS)}. Fetch a new copy, or write one by Workspace.write_config."
        )
    return named[0], named[1], named[2]


def read_project(path: str) -> str | None:
    """Return the experiment that the Scope of an old project file names, None if it names none."""
    import json

    with open(path, encoding="utf-8-sig") as file:
        content: Any = json.load(file)
    scope = content.get("Scope") if isinstance(content, dict) else None
    return _parts(scope).get("projects") if isinstance(scope, str) else None


def _parts(scope: str) -> dict[str, str]:
    parts = scope.strip("/").split("/")
    return dict(zip([part.lower() for part in parts[::2]], parts[1::2]))


def _parse_scope(scope: str) -> list[str]:
    """Return subscription, group and name of `/subscriptions/S/resourceGroups/G/.../NAME`."""
    values = _parts(scope)
    named = [values.get("subscriptions", ""), values.get("resourcegroups", "")]
    # `providers/Microsoft.MachineLearningServices` and `workspaces/NAME` are pairs as well.
    return [*named, values.get("workspaces", "")]


def scope_of(subscription_id: str, resource_group: str, name: str) -> str:
    """Return the workspace's id as v1 wrote it."""
    return (
        f"/subscriptions/{subscription_id}/resourceGroups/{resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{name}"
    )


def write(scope: str, path: str | None = None, file_name: str | None = None) -> None:
    """Write `<path>/.azureml/<file_name>`, making only the folder `.azureml`.

    Raises UserErrorException when `path` is not there or cannot be written.
    """
    import json

    folder = os.path.join(os.fspath(path) if path is not None else os.curdir, ".azureml")
    target = os.path.join(folder, file_name or FILE_NAME)
    try:
        if not os.path.isdir(folder):
            os.mkdir(folder)
        with open(target, "w", encoding="utf-8") as file:
            json.dump({"Id": None, "Scope": scope}, file)
    except OSError as problem:
        raise UserErrorException(
            f"Could not write the config file to: {target} ({problem.strerror}). "
            "The folder given as path must exist."
        ) from problem
