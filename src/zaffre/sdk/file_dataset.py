"""File datasets: files, wherever they are."""

from __future__ import annotations

from zaffre.sdk import argument, dataset_expression
from zaffre.sdk.abstract_dataset import AbstractDataset
from zaffre.sdk.dataset_errors import reading
from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.unbuilt import method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.dataset_consumption_config import DatasetConsumptionConfig
    from zaffre.sdk.dataset_expression import DatasetExpression


class FileDataset(AbstractDataset):
    """Files of datastores. `Dataset.File` makes it."""

    as_cache = method("FileDataset.as_cache")
    hydrate = method("FileDataset.hydrate")

    def to_path(self) -> list[str]:
        """Return the files' paths below the folder that the dataset names, each with a '/'."""
        return [f"/{path}" for path, _ in self._placed()]

    def download(
        self,
        target_path: str | None = None,
        overwrite: bool = False,
        ignore_not_found: bool = False,
    ) -> list[str]:
        """Copy the files below a folder (None: a new temporary one); return their paths there.

        ignore_not_found: return [] if there are no files. Raises UserErrorException for a file
        that is there already, unless overwrite.
        """
        import os
        import tempfile

        from zaffre.data import copying

        if target_path is None:
            folder = tempfile.mkdtemp()
        else:
            folder = os.path.abspath(argument.path(target_path, "target_path"))
        try:
            placed = self._placed()
        except UserErrorException as problem:
            missing = getattr(problem.inner_exception, "code", None) == "data.missing"
            if ignore_not_found and missing:
                return []
            raise
        targets = [os.path.join(folder, path) for path, _ in placed]
        for target in targets:
            if not overwrite and os.path.lexists(target):
                raise UserErrorException(f"{target} already exists. Set overwrite=True to replace.")
        with reading():
            for target, (_, file) in zip(targets, placed):
                copying.fetch(file.store, file.entry.path, target, overwrite=overwrite)
        return targets

    def mount(self, mount_point: str | None = None, **kwargs: Any) -> MountContext:
        """Return a context in which the files stand below a folder, as links where they can."""
        del kwargs
        return MountContext(self, mount_point)

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input that a script reads where it is, under a name of its own."""
        return self.as_named_input("").as_mount(path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input that a script gets as a copy, under a name of its own."""
        return self.as_named_input("").as_download(path_on_compute)

    def as_hdfs(self) -> DatasetConsumptionConfig:
        """Refuse: runs here read no HDFS."""
        return self.as_named_input("").as_hdfs()

    def file_metadata(self, col: str) -> DatasetExpression:
        """Return what is known of each file for `filter`: Size, LastModifiedTime, Extension ..."""
        return dataset_expression.column(col)

    def filter(self, expression: DatasetExpression) -> FileDataset:
        """Return the files for which an expression is true."""
        return self._stepped("filter_rows", dataset_expression.tree_of(expression))

    def _placed(self) -> list[tuple[str, Any]]:
        from zaffre.data import placing

        files = list(self._files())
        with reading():
            return list(zip(placing.relative_paths(files), files))

    def show(self, folder: str) -> None:
        """Make the files appear below a folder: links to those of this machine, else copies.

        Not a name of v1's.
        """
        import os

        from zaffre.data import copying

        for path, file in self._placed():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            local = file.store.local_path(file.entry.path)
            if local is not None:
                os.symlink(local, target)
            else:
                with reading():
                    copying.fetch(file.store, file.entry.path, target, overwrite=False)


class MountContext:
    """A dataset's files below a folder, from `start` to `stop` or inside `with`.

    mount_point: that folder. Files of this machine are links to the files themselves: do not
    write to them.
    """

    def __init__(self, dataset: FileDataset, mount_point: str | None) -> None:
        import os
        import tempfile

        self._dataset = dataset
        self.mount_point = os.path.abspath(mount_point) if mount_point else tempfile.mkdtemp()
        self._is_mounted = False

    def start(self) -> None:
        """Make the files appear. Raises UserErrorException if the folder is not empty."""
        import os

        if self._is_mounted:
            return
        os.makedirs(self.mount_point, exist_ok=True)
        if os.listdir(self.mount_point):
            raise UserErrorException(f"{self.mount_point} is not empty; mount to another folder.")
        self._is_mounted = True
        self._dataset.show(self.mount_point)

    def stop(self) -> None:
        """Take the links and copies away; the dataset's own files stay."""
        import os
        import shutil

        if self._is_mounted:
            self._is_mounted = False
            shutil.rmtree(self.mount_point)
            os.makedirs(self.mount_point)

    def __enter__(self) -> MountContext:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
