"""`Dataset`: making, finding and listing datasets."""

from __future__ import annotations

from zaffre.sdk import argument, session
from zaffre.sdk.abstract_dataset import decode
from zaffre.sdk.dataset_consumption_config import DatasetConsumptionConfig
from zaffre.sdk.dataset_factory import DataType, FileDatasetFactory, TabularDatasetFactory
from zaffre.sdk.exceptions import ServiceException, UserErrorException
from zaffre.sdk.file_dataset import FileDataset
from zaffre.sdk.tabular_dataset import TabularDataset
from zaffre.sdk.unbuilt import Unbuilt, method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.abstract_dataset import AbstractDataset
    from zaffre.sdk.workspace import Workspace

__all__ = [
    "DataType",
    "DatacacheStore",
    "Dataset",
    "DatasetConsumptionConfig",
    "FileDataset",
    "FileDatasetFactory",
    "HDFSOutputDatasetConfig",
    "LinkFileOutputDatasetConfig",
    "LinkTabularOutputDatasetConfig",
    "OutputDatasetConfig",
    "OutputFileDatasetConfig",
    "OutputTabularDatasetConfig",
    "TabularDataset",
    "TabularDatasetFactory",
]


class Dataset:
    """Makes datasets (`Dataset.Tabular`, `Dataset.File`) and finds registered ones."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise UserErrorException(
            "Dataset() makes nothing: use Dataset.Tabular.from_delimited_files, "
            "Dataset.File.from_files and their like, or Dataset.get_by_name."
        )

    Tabular = TabularDatasetFactory
    File = FileDatasetFactory

    class Scenario:
        """What a model's dataset was used for."""

        TRAINING = "training"
        VALIDATION = "validation"
        INFERENCING = "inferencing"

    auto_read_files = method("Dataset.auto_read_files")
    from_binary_files = method("Dataset.from_binary_files")
    from_delimited_files = method("Dataset.from_delimited_files")
    from_excel_files = method("Dataset.from_excel_files")
    from_json_files = method("Dataset.from_json_files")
    from_pandas_dataframe = method("Dataset.from_pandas_dataframe")
    from_parquet_files = method("Dataset.from_parquet_files")
    from_sql_query = method("Dataset.from_sql_query")
    get = method("Dataset.get")
    list = method("Dataset.list")

    @staticmethod
    def get_by_name(
        workspace: Workspace, name: str, version: int | str | None = "latest", **kwargs: Any
    ) -> Any:
        """Return a registered version of a name: a TabularDataset or a FileDataset.

        Raises UserErrorException if there is none.
        """
        del kwargs
        query: dict[str, Any] = {"name": argument.text(name, "name")}
        if version != "latest" and version is not None:
            query["version"] = _version(version)
        path = f"/workspaces/{workspace.workspace_id}/registered_dataset"
        try:
            return of_record(workspace, session.current().request("GET", path, query=query))
        except ServiceException as refusal:
            if refusal.code != "dataset.not_found":
                raise
            shown = f" (version: {version})" if "version" in query else ""
            raise UserErrorException(
                f'Cannot find dataset registered with name "{name}"{shown} in the workspace.'
            ) from refusal

    @staticmethod
    def get_by_id(workspace: Workspace, id: str, **kwargs: Any) -> Any:
        """Return a saved dataset by its id. Raises UserErrorException if there is none."""
        del kwargs
        path = f"/workspaces/{workspace.workspace_id}/datasets/{argument.text(id, 'id')}"
        try:
            return of_record(workspace, session.current().request("GET", path))
        except ServiceException as refusal:
            if refusal.code != "dataset.not_found":
                raise
            raise UserErrorException(
                f'Cannot find dataset with id "{id}" in the workspace.'
            ) from refusal

    @staticmethod
    def get_all(workspace: Workspace) -> dict[str, Any]:
        """Return name to the newest version of all that is registered."""
        path = f"/workspaces/{workspace.workspace_id}/datasets"
        found = session.current().pages(path, {"limit": 1000})
        return {data["name"]: of_record(workspace, data) for data in found}


def of_record(workspace: Workspace, data: dict[str, Any]) -> AbstractDataset:
    """Return the dataset that the server's record describes, as its kind's class."""
    record = decode(data)
    kind = FileDataset if record.definition.kind.value == "file" else TabularDataset
    return kind(record.definition, workspace, record)


def _version(version: Any) -> int:
    try:
        return int(version)
    except (TypeError, ValueError):
        raise UserErrorException(
            f"version: must be a whole number or 'latest', not {version!r}."
        ) from None


class OutputDatasetConfig(Unbuilt):
    """A run's output that becomes a dataset."""


class OutputFileDatasetConfig(OutputDatasetConfig):
    """A folder of files that a run makes."""


class OutputTabularDatasetConfig(OutputDatasetConfig):
    """A table that a run makes."""


class HDFSOutputDatasetConfig(OutputDatasetConfig):
    """A folder in HDFS that a run makes."""


class LinkFileOutputDatasetConfig(OutputDatasetConfig):
    """A file dataset that a run links."""


class LinkTabularOutputDatasetConfig(OutputDatasetConfig):
    """A tabular dataset that a run links."""


class DatacacheStore(Unbuilt):
    """A cache of datasets."""
