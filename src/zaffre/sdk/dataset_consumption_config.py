"""A dataset as a run's input: under a name, as itself or as a path."""

from __future__ import annotations

from zaffre.sdk.exceptions import NotBuiltYetException, UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MODES = ("direct", "download", "mount", "hdfs")


class DatasetConsumptionConfig:
    """How a run's script gets a dataset.

    name: letters, digits and '_', no digit first; '' is replaced by a new one. It is the name in
    `run.input_datasets` and of an environment variable. mode: 'direct' (the dataset itself),
    'mount' (a path, no copy) or 'download' (a path of a copy). path_on_compute: where the path is,
    absolute or below the script's working folder. Raises UserErrorException.
    """

    def __init__(
        self, name: str, dataset: Any, mode: str = "direct", path_on_compute: str | None = None
    ) -> None:
        self._name = _checked(name) if name else new_name()
        self.dataset = dataset
        self.mode = mode
        self.path_on_compute = path_on_compute
        if mode not in _MODES:
            raise UserErrorException(f"mode: must be one of {', '.join(_MODES)}, not {mode!r}.")

    @property
    def name(self) -> str:
        """The input's name."""
        return self._name

    @property
    def arg_val(self) -> str:
        """What stands for it in a run's arguments."""
        return placeholder(self._name)

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it as a path where the script reads the files without a copy."""
        return self._changed("mount", path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it as a path of a copy."""
        return self._changed("download", path_on_compute)

    def as_hdfs(self) -> DatasetConsumptionConfig:
        """Refuse: runs here read no HDFS."""
        raise NotBuiltYetException("DatasetConsumptionConfig.as_hdfs")

    def _changed(self, mode: str, path_on_compute: str | None) -> DatasetConsumptionConfig:
        from zaffre.sdk.tabular_dataset import TabularDataset

        if isinstance(self.dataset, TabularDataset):
            raise UserErrorException(
                f"TabularDataset does not support {mode}. Only FileDataset supports {mode}."
            )
        return DatasetConsumptionConfig(self._name, self.dataset, mode, path_on_compute)

    def __str__(self) -> str:
        return self.arg_val

    def __repr__(self) -> str:
        return self.arg_val


def placeholder(name: str) -> str:
    """Return what stands for an input in a run's arguments."""
    return f"DatasetConsumptionConfig:{name}"


def new_name() -> str:
    """Return a name for an input that was given none."""
    import os

    return f"input__{os.urandom(4).hex()}"


def _checked(name: object) -> str:
    import re

    if not isinstance(name, str) or not re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", name):
        raise UserErrorException(
            f"Invalid input name {name!r}. Use letters, digits and underscores, and begin with a "
            "letter or an underscore."
        )
    return name
