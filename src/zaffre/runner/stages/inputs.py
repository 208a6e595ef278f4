"""Stage: the paths of data that a run asked for are made before its script starts.

What is mounted is shown in the script's own mount namespace, read-only, where the kernel allows
that, and otherwise linked to; either way nothing is copied. What is downloaded is copied, each
file under a name of its own until it is whole. What is to be uploaded begins as an empty folder;
`send` takes it to its datastore after the script.

Nothing is ever removed here but what this stage has made itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from zaffre.contract.dataset import Dataset, Definition, Source
from zaffre.contract.errors import ZaffreError
from zaffre.contract.reason import Reason, ReasonKind
from zaffre.contract.run import RunSpec
from zaffre.contract.run_input import InputKind, InputMode, RunInput
from zaffre.data import copying, placing
from zaffre.data import dataset as engine
from zaffre.data.errors import TargetExists
from zaffre.data.glob import is_pattern
from zaffre.data.sources import SourceFile
from zaffre.data.stores.file_store import FileStore, inner_path
from zaffre.data.stores.local import LocalStore
from zaffre.runner.folder import RunFolder

Datasets = Callable[[str], Dataset]
Stores = Callable[[str], FileStore]
#: Makes a path of this machine visible at another one, read-only; returns why that failed.
Bind = Callable[[str, str], "str | None"]


class InputFailed(Exception):
    """Data that a run asked for could not be made ready; `reason` says why."""

    def __init__(self, name: str, problem: object) -> None:
        facts: dict[str, object] = {"name": name, "problem": str(problem)}
        self.reason = Reason(ReasonKind.INPUT_FAILED, facts)
        super().__init__(name)


class Inputs:
    """The data of one run.

    stores: from a datastore's name to its files. datasets: from an id to its dataset. bind: as
    `ScriptTree.bind`. say: puts a line into the script's log. check: called between two files; what
    it raises ends the copying.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        stores: Stores,
        datasets: Datasets,
        bind: Bind,
        say: Callable[[str], None],
        check: Callable[[], None],
    ) -> None:
        self.warnings: list[str] = []
        self._folder = folder
        self._stores = stores
        self._datasets = datasets
        self._bind = bind
        self._say = say
        self._check = check
        self._paths: dict[str, str] = {}
        self._uploads: list[tuple[RunInput, Path]] = []

    def make(self, spec: RunSpec) -> RunSpec:
        """Make all paths; return the spec with the paths in arguments, command and variables.

        Raises InputFailed, OSError, and what `check` raises.
        """
        for one in spec.inputs:
            try:
                self._paths[one.placeholder] = self._make_one(one)
            except (ZaffreError, ImportError) as problem:
                raise InputFailed(one.name, problem) from problem
        variables = {one.variable: self._paths[one.placeholder] for one in spec.inputs}
        return replace(
            spec,
            arguments=tuple(self._filled(argument) for argument in spec.arguments),
            command=None if spec.command is None else self._filled(spec.command),
            environment_variables={**spec.environment_variables, **variables},
        )

    def send(self) -> None:
        """Take to their datastores what the script left to be uploaded.

        What could not be sent is in `warnings`; it stays in the run's folder.
        """
        for one, source in self._uploads:
            try:
                store = self._stores(one.datastore)
                for path, file in copying.files_below(source):
                    self._check()
                    target = "/".join(part for part in (one.path, path) if part)
                    self._send_one(one, store, str(file), target)
            except (ZaffreError, OSError) as problem:
                self.warnings.append(f"Not all of {one.name!r} was uploaded: {problem}")

    def _send_one(self, one: RunInput, store: FileStore, file: str, target: str) -> None:
        try:
            store.write(target, file, overwrite=one.overwrite)
        except TargetExists:
            self.warnings.append(
                f"{target!r} of {one.name!r} was not uploaded: datastore {one.datastore} has such "
                "a file. Pass overwrite=True to as_upload to replace it."
            )

    def _filled(self, text: str) -> str:
        # The longest first: one name may begin with another.
        for placeholder in sorted(self._paths, key=len, reverse=True):
            text = text.replace(placeholder, self._paths[placeholder])
        return text

    def _make_one(self, one: RunInput) -> str:
        if one.kind is InputKind.DATASET:
            return self._make_dataset(one)
        target = self._target(one)
        if one.mode is InputMode.UPLOAD:
            target.mkdir(parents=True, exist_ok=True)
            self._uploads.append((one, target))
            return str(target)
        store = self._stores(one.datastore)
        if one.mode is InputMode.MOUNT:
            if isinstance(store, LocalStore):
                return self.mount(one.name, store.local_path(one.path), target)
            self._say(
                f"{one.name} was downloaded instead of mounted: datastore {one.datastore} is not "
                "on this machine."
            )
        return self._download(one, store, target)

    def _make_dataset(self, one: RunInput) -> str:
        """Return the dataset's id, or the path of its one file or of the folder of its files."""
        if one.mode is InputMode.DIRECT:
            return one.dataset_id
        definition = self._datasets(one.dataset_id).definition
        target = self._target(one)
        folder = _whole_folder(definition)
        if one.mode is InputMode.MOUNT and folder is not None:
            store = self._stores(folder.datastore or "")
            if isinstance(store, LocalStore) and store.find(folder.path) is None:
                return self.mount(one.name, store.local_path(folder.path), target)
        files = engine.files(definition, self._stores)
        paths = placing.relative_paths(files)
        if placing.is_one_file(definition, files):
            return self._place(one, files[0], target / paths[0])
        for path, file in zip(paths, files, strict=True):
            self._check()
            self._place(one, file, target / path)
        return str(target)

    def _place(self, one: RunInput, file: SourceFile, target: Path) -> str:
        """Make one file of a dataset appear: as a link, or as a copy of its own."""
        local = file.store.local_path(file.entry.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if one.mode is InputMode.MOUNT and local is not None:
            target.symlink_to(local)
        else:
            with contextlib.suppress(TargetExists):
                copying.fetch(file.store, file.entry.path, str(target), overwrite=one.overwrite)
        return str(target)

    def _target(self, one: RunInput) -> Path:
        """Return where the script finds the data."""
        if one.path_on_compute is None:
            # A script may go by the name of the file or folder.
            last = inner_path(one.path).rpartition("/")[2]
            name = last or one.datastore or one.name
            return self._folder.data / str(len(self._paths)) / name
        return self._folder.work / one.path_on_compute

    def mount(self, name: str, source: str, target: Path) -> str:
        """Show a file or folder of this machine at `target`; one that is not there is empty."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if not Path(source).exists():
            target.mkdir(exist_ok=True)
            return str(target)
        is_made = self._make_place(source, target)
        problem = self._bind(source, str(target))
        if problem is not None and is_made:
            if Path(source).is_dir():
                target.rmdir()
            else:
                target.unlink()
            target.symlink_to(source)
            self._say(f"{name} is a link, not a read-only mount: {problem}.")
        elif problem is not None:
            raise InputFailed(name, f"{target} is there already, and no mount was made: {problem}")
        return str(target)

    @staticmethod
    def _make_place(source: str, target: Path) -> bool:
        """Make an empty file or folder to mount over; say whether it was not there."""
        try:
            if Path(source).is_dir():
                target.mkdir()
            else:
                target.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _download(self, one: RunInput, store: FileStore, target: Path) -> str:
        """Copy a file, or all below a folder; what is there already stays unless `overwrite`."""
        single = store.find(one.path) if inner_path(one.path) else None
        if single is not None:
            self._copy(one, store, single.path, target)
            return str(target)
        target.mkdir(parents=True, exist_ok=True)
        start = len(inner_path(one.path))
        for entry in store.list(one.path):
            self._check()
            self._copy(one, store, entry.path, target / entry.path[start:].lstrip("/"))
        return str(target)

    @staticmethod
    def _copy(one: RunInput, store: FileStore, path: str, target: Path) -> None:
        with contextlib.suppress(TargetExists):
            copying.fetch(store, path, str(target), overwrite=one.overwrite)


def _whole_folder(definition: Definition) -> Source | None:
    """Return the folder of a datastore that a dataset is, all of it; None if it is another one."""
    (source, *others) = definition.sources
    if others or definition.steps or source.datastore is None or is_pattern(source.path):
        return None
    return source
