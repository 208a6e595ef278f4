"""A model's files on this machine: what is sent of a path, and where a cached model lies."""

from __future__ import annotations

import os

from zaffre.sdk.exceptions import ModelNotFoundException, WebserviceException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Sequence

    from zaffre.client.blobs import Source
    from zaffre.contract.snapshot import FileEntry
    from zaffre.sdk.workspace import Workspace

CACHE_FOLDER = "azureml-models"


class Found:
    """The files of a model to register; folder: whether they are below one of their own."""

    def __init__(self, files: list[Source], *, folder: bool) -> None:
        self.files = files
        self.folder = folder


def find(model_path: Any, child_paths: Sequence[str] | None = None) -> Found:
    """Return what is sent of a path: a file, or a folder's files below its own base name.

    Raises FileNotFoundError; WebserviceException for a folder without files, or with a file that
    cannot have its name in the registry.
    """
    path = os.fspath(model_path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"Path does not exist: {path} (looked up from {os.getcwd()}).")
    base = os.path.basename(os.path.abspath(path))
    if not os.path.isdir(path):
        return Found([_source(base, path)], folder=False)
    relative = _below(path) if child_paths is None else _chosen(path, child_paths)
    if not relative:
        raise WebserviceException(f"model_path: the folder {path} holds no files.")
    files = [_source(f"{base}/{name}", os.path.join(path, name)) for name in relative]
    return Found(files, folder=True)


def _below(folder: str) -> list[str]:
    """Return the names of all files below a folder, sorted; links are followed, once each."""
    names: list[str] = []
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        names += [os.path.relpath(os.path.join(place, file), folder) for file in files]
    return sorted(names)


def _chosen(folder: str, child_paths: Sequence[str]) -> list[str]:
    names: list[str] = []
    for child in child_paths:
        relative = os.path.relpath(child, folder) if os.path.isabs(child) else child
        path = os.path.join(folder, relative)
        if not os.path.exists(path) and os.path.exists(child):
            # v1 took paths from the present folder too.
            relative = os.path.relpath(child, folder)
            path = os.path.join(folder, relative)
        if not os.path.exists(path):
            raise FileNotFoundError(f"Path does not exist: {path}.")
        relative = os.path.normpath(relative)
        if relative.startswith(".."):
            raise WebserviceException(f"child_paths: {child} is not inside {folder}.")
        if os.path.isdir(path):
            names += [os.path.normpath(os.path.join(relative, name)) for name in _below(path)]
        else:
            names.append(relative)
    return sorted(set(names))


def _source(name: str, path: str) -> Source:
    from zaffre.client.blobs import Source
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    name = name.replace(os.sep, "/")
    try:
        name.encode()
        kept = names.file_name(name) == name
        problem = "'\\' and doubled '/' cannot be in it"
    except (Invalid, UnicodeEncodeError) as refusal:
        kept, problem = False, str(refusal)
    if not kept:
        raise WebserviceException(
            f"{ascii(name)[1:-1]}: this file name cannot be stored: {problem}."
        )
    return Source(name, path)


def top_name(files: tuple[FileEntry, ...]) -> str:
    """Return the name of the model's file, or of the folder that all its files are below."""
    tops = {file.name.partition("/")[0] for file in files}
    return tops.pop() if len(tops) == 1 else ""


def local_path(name: str, version: int | None, workspace: Workspace | None) -> str:
    """Return where a model is on this machine, by `Model.get_model_path`'s rules."""
    if not name:
        raise WebserviceException("model_name: must be the name of a model.")
    if workspace is not None:
        return _downloaded(name, version, workspace)
    cached = _cached(name, version)
    if cached is not None:
        return cached
    if version is None and os.path.exists(name):
        return name
    from_run = _of_this_run()
    if from_run is not None:
        return _downloaded(name, version, from_run)
    shown = name if version is None else f"{name}, version {version},"
    message = (
        f"Model {shown} not found in cache at {CACHE_FOLDER} or in the current folder "
        f"{os.getcwd()}. For more information on the cache, or to download it: "
        f"Model(workspace, {name!r}).download()."
    )
    if version is None:
        raise ModelNotFoundException(message)
    raise WebserviceException(message)


def _cached(name: str, version: int | None) -> str | None:
    folder = os.path.join(CACHE_FOLDER, name)
    if not os.path.isdir(folder):
        return None
    if version is None:
        present = [int(entry) for entry in os.listdir(folder) if entry.isdigit()]
        if not present:
            return None
        version = max(present)
    place = os.path.join(folder, str(version))
    if not os.path.isdir(place):
        return None
    entries = sorted(os.listdir(place))
    if len(entries) != 1:
        raise WebserviceException(
            f"{place} must hold one file or folder, the model; it holds "
            f"{', '.join(entries) or 'nothing'}."
        )
    return os.path.join(place, entries[0])


def _downloaded(name: str, version: int | None, workspace: Workspace) -> str:
    from zaffre.sdk.model import Model

    model = Model(workspace, name, version=version)
    return model.download(os.path.join(CACHE_FOLDER, name, str(model.version)), exist_ok=True)


def _of_this_run() -> Workspace | None:
    """Return the workspace of the submitted run that this process belongs to, if there is one."""
    if not os.environ.get("AZUREML_RUN_ID"):
        return None
    from zaffre.sdk.run import Run

    return Run.get_context().experiment.workspace
