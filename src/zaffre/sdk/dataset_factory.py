"""What makes datasets: `Dataset.Tabular`, `Dataset.File`, and the types of columns."""

from __future__ import annotations

from zaffre.sdk import argument, dataset_path
from zaffre.sdk.abstract_dataset import stores_of
from zaffre.sdk.dataset_errors import checking, reading, validating
from zaffre.sdk.exceptions import NotBuiltYetException, UserErrorException
from zaffre.sdk.file_dataset import FileDataset
from zaffre.sdk.tabular_dataset import TabularDataset
from zaffre.sdk.unbuilt import method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Sequence

    from zaffre.contract.dataset import Definition
    from zaffre.contract.dataset import Headers as PromoteHeadersBehavior
    from zaffre.sdk.workspace import Workspace

__all__ = ["DataType", "FileDatasetFactory", "TabularDatasetFactory"]


class DataType:
    """The type of a column, for `set_column_types`."""

    def __init__(self, word: Any) -> None:
        self.word = word

    @staticmethod
    def to_string() -> DataType:
        """Text."""
        return DataType("string")

    @staticmethod
    def to_long() -> DataType:
        """Integers; fractions are cut off."""
        return DataType("int")

    @staticmethod
    def to_float(decimal_mark: str = ".") -> DataType:
        """Numbers, with '.' or ',' before their fraction."""
        if decimal_mark == ".":
            return DataType("float")
        return DataType({"float": {"decimal_mark": argument.text(decimal_mark, "decimal_mark")}})

    @staticmethod
    def to_bool() -> DataType:
        """True and False."""
        return DataType("boolean")

    @staticmethod
    def to_datetime(formats: str | Sequence[str] | None = None) -> DataType:
        """Times. formats: one or more of strptime's, such as '%Y-%m-%d'; None: known ones."""
        if formats is None:
            return DataType({"datetime": {}})
        given = [formats] if isinstance(formats, str) else argument.items(formats, "formats")
        return DataType({"datetime": {"formats": given}})

    @staticmethod
    def to_stream(workspace: Workspace, escaped: bool = False) -> DataType:
        """Refuse: columns of streams are not built."""
        raise NotBuiltYetException("DataType.to_stream")

    def __repr__(self) -> str:
        return f"DataType({self.word!r})"


class TabularDatasetFactory:
    """Makes tabular datasets: `Dataset.Tabular`."""

    from_sql_query = method("Dataset.Tabular.from_sql_query")
    register_dask_dataframe = method("Dataset.Tabular.register_dask_dataframe")
    register_spark_dataframe = method("Dataset.Tabular.register_spark_dataframe")

    @staticmethod
    def from_delimited_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: dict[str, DataType] | None = None,
        separator: str = ",",
        header: bool | PromoteHeadersBehavior = True,
        partition_format: str | None = None,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: str = "utf8",
    ) -> TabularDataset:
        r"""Return the rows of CSV files and the like.

        path: (datastore, 'path'), datastore.path(...), DataPath, a web address or a list of them;
        a path names a file, a folder or a pattern such as 'a/**/*.csv'. validate: look at the data
        now. infer_column_types: guess each column's type from its first 200 rows; it is widened
        if a later row needs that. header: True is ALL_FILES_HAVE_SAME_HEADERS, False NO_HEADERS.
        partition_format: '{name}' and '{name:yyyy/MM/dd}' in it become columns. Raises
        UserErrorException, DatasetValidationError.
        """
        from zaffre.contract import dataset as contract

        if isinstance(header, bool):
            same, none = contract.Headers.ALL_FILES_HAVE_SAME_HEADERS, contract.Headers.NO_HEADERS
            header = same if header else none
        found, workspace = dataset_path.sources(path)
        with checking():
            definition = contract.from_delimited_files(
                found,
                separator=argument.text(separator, "separator"),
                headers=argument.instance(header, contract.Headers, "header"),
                encoding=encoding,
                include_path=include_path,
                infer_column_types=infer_column_types,
                support_multi_line=support_multi_line,
                empty_as_string=empty_as_string,
            )
        return _tabular(definition, workspace, partition_format, set_column_types, validate)

    @staticmethod
    def from_parquet_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: dict[str, DataType] | None = None,
        partition_format: str | None = None,
    ) -> TabularDataset:
        """Return the rows of Parquet files, with the files' types.

        Arguments and errors: as of `from_delimited_files`.
        """
        from zaffre.contract import dataset as contract

        found, workspace = dataset_path.sources(path)
        with checking():
            definition = contract.from_parquet_files(found, include_path=include_path)
        return _tabular(definition, workspace, partition_format, set_column_types, validate)

    @staticmethod
    def from_json_lines_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: dict[str, DataType] | None = None,
        partition_format: str | None = None,
        invalid_lines: str = "error",
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Return the rows of files with one JSON object a line.

        invalid_lines: 'error' (reading fails) or 'drop'. The rest: as `from_delimited_files`.
        """
        from zaffre.contract import dataset as contract

        found, workspace = dataset_path.sources(path)
        with checking():
            definition = contract.from_json_lines_files(
                found, include_path=include_path, invalid_lines=invalid_lines, encoding=encoding
            )
        return _tabular(definition, workspace, partition_format, set_column_types, validate)

    @staticmethod
    def register_pandas_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: dict[str, Any] | None = None,
        show_progress: bool = True,
        row_group_size: int | None = None,
        make_target_path_unique: bool = True,
    ) -> TabularDataset:
        """Write a pandas DataFrame as one Parquet file and register it as the name's next version.

        target: a datastore or (datastore, 'path'). make_target_path_unique: write below a new
        folder of it. The index is not kept. Raises UserErrorException.
        """
        import os
        import tempfile
        import uuid

        from zaffre.sdk.datastore_kinds import file_store

        say = print if show_progress else _silent
        say("Validating arguments.")
        datastore, folder = dataset_path.target(target)
        argument.text(name, "name")
        if not (hasattr(dataframe, "columns") and hasattr(dataframe, "iloc")):
            raise UserErrorException(f"dataframe: must be a pandas DataFrame, not {dataframe!r}.")
        say("Arguments validated.")
        say("Successfully obtained datastore reference and path.")
        unique = str(uuid.uuid4())
        parts = [folder or "managed-dataset", unique if make_target_path_unique else ""]
        folder = "/".join(part for part in parts if part)
        say(f"Uploading file to {folder}/")
        with reading(), tempfile.TemporaryDirectory() as temporary:
            local = os.path.join(temporary, f"{unique}.parquet")
            from zaffre.data import write

            write.write_frame(dataframe, local, row_group_size=row_group_size)
            file_store(datastore).write(f"{folder}/{unique}.parquet", local, overwrite=False)
        say("Successfully uploaded file to datastore.")
        say("Creating and registering a new dataset.")
        made = TabularDatasetFactory.from_parquet_files(
            (datastore, f"{folder}/{unique}.parquet"), validate=False
        )
        registered = made.register(
            datastore.workspace, name, description, tags, create_new_version=True
        )
        say("Successfully created and registered a new dataset.")
        return registered


class FileDatasetFactory:
    """Makes file datasets: `Dataset.File`."""

    @staticmethod
    def from_files(
        path: Any,
        validate: bool = True,
        partition_format: str | None = None,
        is_file: bool = False,
    ) -> FileDataset:
        """Return files. path: as of `Dataset.Tabular.from_delimited_files`.

        validate: look now whether there are any. Raises UserErrorException,
        DatasetValidationError.
        """
        from zaffre.contract import dataset as contract

        del is_file
        found, workspace = dataset_path.sources(path)
        with checking():
            definition = contract.from_files(found)
            if partition_format is not None:
                definition = contract.extract_partitions(definition, partition_format)
        # A web address is tried when it is read, as in v1.
        looks = validate and found[0].url is None
        return FileDataset(_prepared(definition, workspace, validate=looks), workspace)

    @staticmethod
    def upload_directory(
        src_dir: str,
        target: Any,
        pattern: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> FileDataset:
        """Upload the files below a folder and return them as a dataset, which is not registered.

        target: (datastore, 'path') or a DataPath. pattern: a glob below src_dir, such as
        '**/*.csv'. overwrite: of files that are there; without it they stay. Raises
        UserErrorException.
        """
        import os

        from zaffre.data.errors import TargetExists
        from zaffre.data.glob import expand
        from zaffre.data.stores.local import LocalStore
        from zaffre.sdk.datastore_kinds import file_store

        say = print if show_progress else _silent
        say("Validating arguments.")
        root = argument.path(src_dir, "src_dir")
        if not os.path.isdir(root):
            raise UserErrorException(f"src_dir: {root!r} must be a directory.")
        datastore, folder = dataset_path.target(target)
        say("Arguments validated.")
        say(f"Uploading file to {folder}")
        with reading():
            store, local = file_store(datastore), LocalStore(os.path.abspath(root))
            entries = list(expand(local, pattern) if pattern else local.list(""))
            say(f"Uploading an estimated of {len(entries)} files")
            for number, entry in enumerate(entries, 1):
                name = "/".join(part for part in (folder, entry.path) if part)
                shown = os.path.join(root, entry.path)
                try:
                    store.write(name, shown, overwrite=overwrite)
                except TargetExists:
                    say(f"Target already exists. Skipping upload for {name}")
                    continue
                say(f"Uploaded {shown}, {number} files out of an estimated total of {len(entries)}")
            say(f"Uploaded {len(entries)} files")
        say("Creating new dataset")
        return FileDatasetFactory.from_files((datastore, f"{folder}/"), validate=False)


def _tabular(
    definition: Definition,
    workspace: Workspace | None,
    partition_format: str | None,
    set_column_types: dict[str, DataType] | None,
    validate: bool,
) -> TabularDataset:
    from zaffre.contract import dataset as contract

    types: dict[str, Any] = {}
    for name, one in (set_column_types or {}).items():
        types[name] = argument.instance(one, DataType, f"set_column_types[{name!r}]").word
    with checking():
        if partition_format is not None:
            definition = contract.extract_partitions(definition, partition_format)
        definition = contract.convert_column_types(definition, types)
    return TabularDataset(_prepared(definition, workspace, validate=validate), workspace)


def _prepared(definition: Definition, workspace: Workspace | None, *, validate: bool) -> Definition:
    from zaffre.data import dataset as engine

    with validating(validate=validate):
        return engine.prepare(definition, stores_of(workspace), validate=validate)


def _silent(line: str) -> None:
    """Say nothing."""
