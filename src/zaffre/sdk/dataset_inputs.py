"""Datasets that a run is given: found in a configuration, saved, and told to the runner."""

from __future__ import annotations

from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.contract.run_input import RunInput
    from zaffre.sdk.abstract_dataset import AbstractDataset
    from zaffre.sdk.run_configuration import RunConfiguration
    from zaffre.sdk.workspace import Workspace

#: Names that would replace an environment variable which a script cannot do without.
_TAKEN = ("path", "home", "user", "shell", "pwd", "logname", "ld_library_path", "pythonpath")
_MODES = ("direct", "mount", "download")


class DatasetInput:
    """A dataset under an input's name: either itself, or by id, or by name and version."""

    def __init__(
        self,
        name: str,
        dataset: AbstractDataset | None,
        mode: Any,
        path_on_compute: str | None,
        *,
        variable: str | None = None,
        overwrite: bool = False,
        dataset_id: str | None = None,
        dataset_name: str | None = None,
        dataset_version: Any = None,
    ) -> None:
        self.name = name
        self.mode = str(mode).lower()
        self.variable = variable or name
        if self.mode not in _MODES:
            raise UserErrorException(
                f"Input {name!r}: the mode {mode!r} is none of {', '.join(_MODES)}."
            )
        if self.variable.lower() in _TAKEN:
            raise UserErrorException(
                f"Input {name!r}: the name would replace the environment variable "
                f"{self.variable.upper()}. Choose another one."
            )
        self._dataset = dataset
        self._path_on_compute = path_on_compute
        self._overwrite = overwrite
        self._id = dataset_id
        self._by_name = dataset_name, dataset_version

    def run_input(self, workspace: Workspace) -> tuple[RunInput, dict[str, Any]]:
        """Return what the runner makes ready, and v1's words for it in the run's definition.

        A dataset that is not saved yet is saved. Raises UserErrorException.
        """
        from zaffre.contract.run_input import InputKind, InputMode, RunInput
        from zaffre.sdk.dataset_consumption_config import placeholder

        dataset = self._found(workspace)
        dataset_id = dataset.save_for(workspace)
        made = RunInput(
            name=self.name,
            kind=InputKind.DATASET,
            mode=InputMode(self.mode),
            placeholder=placeholder(self.name),
            variable=self.variable,
            path_on_compute=self._path_on_compute or None,
            overwrite=self._overwrite,
            dataset_id=dataset_id,
        )
        version = None if dataset.version is None else str(dataset.version)
        told = {
            "dataLocation": {
                "dataset": {"id": dataset_id, "name": dataset.name, "version": version},
                "dataPath": None,
                "uri": None,
                "type": None,
            },
            "mechanism": self.mode.title(),
            "environmentVariableName": self.variable,
            "pathOnCompute": self._path_on_compute,
            "overwrite": self._overwrite,
            "options": None,
        }
        return made, told

    def _found(self, workspace: Workspace) -> AbstractDataset:
        from zaffre.sdk.dataset import Dataset
        from zaffre.sdk.tabular_dataset import TabularDataset

        name, version = self._by_name
        if self._dataset is not None:
            dataset = self._dataset
        elif self._id:
            dataset = Dataset.get_by_id(workspace, self._id)
        else:
            dataset = Dataset.get_by_name(workspace, name or "", version or "latest")
        if self.mode != "direct" and isinstance(dataset, TabularDataset):
            raise UserErrorException(
                f"Input {self.name!r}: TabularDataset does not support {self.mode}. Only "
                f"FileDataset supports {self.mode}."
            )
        return dataset


def of_configuration(
    run_config: RunConfiguration, arguments: Any, inputs: list[Any]
) -> list[DatasetInput]:
    """Return a run's datasets, each name once: `run_config.data` counts before the others.

    Raises UserErrorException.
    """
    from zaffre.sdk import notices
    from zaffre.sdk.abstract_dataset import AbstractDataset
    from zaffre.sdk.dataset_consumption_config import DatasetConsumptionConfig

    found = {name: _of_data(name, one) for name, one in (run_config.data or {}).items()}
    said = [value for value in (arguments, run_config.command) if isinstance(value, (list, tuple))]
    for value in [*(one for values in said for one in values), *inputs]:
        if isinstance(value, AbstractDataset):
            raise _bare(value)
        if isinstance(value, DatasetConsumptionConfig):
            one = _of_config(value.name, value)
            if value.name in found and not any(value is other for other in inputs):
                continue
            if value.name in (run_config.data or {}):
                notices.once(f"Input {value.name!r} is in run_config.data too, which counts.")
                continue
            found[value.name] = one
    return list(found.values())


def _of_data(name: str, data: Any) -> DatasetInput:
    from zaffre.sdk.abstract_dataset import AbstractDataset
    from zaffre.sdk.dataset_consumption_config import DatasetConsumptionConfig
    from zaffre.sdk.run_configuration_sections import Data

    if isinstance(data, AbstractDataset):
        raise _bare(data)
    if isinstance(data, DatasetConsumptionConfig):
        return _of_config(name, data)
    location = data.data_location if isinstance(data, Data) else None
    dataset = None if location is None else location.dataset
    if not isinstance(data, Data) or dataset is None or not (dataset.id or dataset.name):
        raise UserErrorException(
            f"data[{name!r}]: must be a dataset's as_named_input, or Data with a data_location "
            "whose dataset has an id or a name."
        )
    return DatasetInput(
        name,
        None,
        data.mechanism or "direct",
        data.path_on_compute,
        variable=data.environment_variable_name,
        overwrite=bool(data.overwrite),
        dataset_id=dataset.id,
        dataset_name=dataset.name,
        dataset_version=dataset.version,
    )


def _of_config(name: str, config: Any) -> DatasetInput:
    from zaffre.sdk.abstract_dataset import AbstractDataset

    if not isinstance(config.dataset, AbstractDataset):
        raise UserErrorException(f"Input {name!r}: {config.dataset!r} is no dataset.")
    return DatasetInput(name, config.dataset, config.mode, config.path_on_compute)


def _bare(dataset: AbstractDataset) -> UserErrorException:
    kind = type(dataset).__name__
    return UserErrorException(
        f"A {kind} cannot be given to a run by itself. Use dataset.as_named_input('name') and, "
        "for files, as_mount() or as_download()."
    )
