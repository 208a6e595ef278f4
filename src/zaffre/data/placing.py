"""Where a dataset's files stand when they are shown as one folder, or as one file."""

from __future__ import annotations

import itertools
import os

from zaffre.contract.dataset import Definition
from zaffre.data.errors import DataInvalid
from zaffre.data.glob import is_pattern
from zaffre.data.sources import SourceFile


def relative_paths(files: list[SourceFile]) -> list[str]:
    """Return each file's path below the folder that all sources share, without '/' in front.

    Files of several datastores stand below their datastores' names. Raises DataInvalid if two
    files would have one path.
    """
    if len({file.datastore for file in files}) > 1:
        paths = [f"{file.datastore or 'local'}/{file.entry.path}" for file in files]
    elif files:
        parts = [file.folder.split("/") if file.folder else [] for file in files]
        shared = list(itertools.takewhile(lambda names: len(set(names)) == 1, zip(*parts)))
        start = len("/".join(names[0] for names in shared)) + 1 if shared else 0
        paths = [file.entry.path[start:] for file in files]
    else:
        paths = []
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise DataInvalid(f"the dataset names the file {twice!r} twice")
    return paths


def is_one_file(definition: Definition, files: list[SourceFile]) -> bool:
    """Say whether a dataset is made of one file, named as such: a pattern is a folder."""
    (source, *others) = definition.sources
    if source.url is not None:
        return not others and len(files) == 1
    name = source.path if source.local is None else source.local
    return (
        not others
        and len(files) == 1
        and files[0].inner_path == os.path.basename(files[0].entry.path)
        and files[0].entry.path.split("/")[-1:] == name.rstrip("/").split("/")[-1:]
        and not is_pattern(name)
    )
