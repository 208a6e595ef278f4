"""Tabular datasets: rows and columns."""

from __future__ import annotations

from zaffre.sdk import dataset_expression
from zaffre.sdk.abstract_dataset import AbstractDataset, stores_of
from zaffre.sdk.dataset_errors import checking, reading
from zaffre.sdk.exceptions import (
    DatasetTimestampMissingError,
    NotBuiltYetException,
    UserErrorException,
)
from zaffre.sdk.unbuilt import method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from typing import Any, Sequence

    from zaffre.sdk.dataset_expression import DatasetExpression
    from zaffre.sdk.file_dataset import FileDataset

__all__ = ["TabularDataset"]


class TabularDataset(AbstractDataset):
    """Rows and columns of files. `Dataset.Tabular` makes it."""

    to_dask_dataframe = method("TabularDataset.to_dask_dataframe")
    to_spark_dataframe = method("TabularDataset.to_spark_dataframe")
    partition_by = method("TabularDataset.partition_by")
    submit_profile_run = method("TabularDataset.submit_profile_run")
    get_profile = method("TabularDataset.get_profile")
    get_profile_runs = method("TabularDataset.get_profile_runs")
    download = method("TabularDataset.download")
    mount = method("TabularDataset.mount")

    def to_pandas_dataframe(
        self, on_error: str = "null", out_of_range_datetime: str = "null"
    ) -> Any:
        """Return all rows as a pandas DataFrame.

        on_error: 'null' makes values null that do not fit a type that was set, any other word
        raises DatasetExecutionError. out_of_range_datetime: the same for times that pandas cannot
        hold. Types that were guessed lose no value: their column is widened.
        """
        from zaffre.data import dataset as engine

        with reading():
            return engine.to_pandas(
                self._definition,
                stores_of(self._workspace),
                on_error=on_error,
                out_of_range_datetime=out_of_range_datetime,
            )

    def keep_columns(self, columns: str | Sequence[str], validate: bool = False) -> TabularDataset:
        """Return these columns, in the source's order; unknown names are ignored, as in v1."""
        del validate
        return self._stepped("keep_columns", columns)

    def drop_columns(self, columns: str | Sequence[str]) -> TabularDataset:
        """Return all but these columns; unknown names are ignored."""
        return self._stepped("drop_columns", columns)

    def __getitem__(self, column: str) -> DatasetExpression:
        """Return a column's value for `filter`: `ds.filter(ds['age'] > 3)`."""
        return dataset_expression.column(column)

    def filter(self, expression: DatasetExpression) -> TabularDataset:
        """Return the rows for which an expression is true."""
        return self._stepped("filter_rows", dataset_expression.tree_of(expression))

    def get_partition_key_values(
        self, partition_keys: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Return the distinct values of the partition's columns, as a dict each."""
        keys = list(self.partition_keys if partition_keys is None else partition_keys)
        unknown = [key for key in keys if key not in self.partition_keys]
        if unknown or not keys:
            raise UserErrorException(
                f"partition_keys: {unknown or keys} are no keys; the dataset's partition keys are "
                f"{self.partition_keys}."
            )
        frame: Any = self.keep_columns(keys).to_pandas_dataframe()
        return frame[keys].drop_duplicates().to_dict("records")

    # Times.

    @property
    def timestamp_columns(self) -> tuple[str | None, str | None]:
        """The column of the rows' times and that of their partition; None without."""
        from zaffre.contract import dataset as contract

        return contract.timestamp_columns(self._definition)

    def with_timestamp_columns(
        self,
        timestamp: str | None = None,
        partition_timestamp: str | None = None,
        validate: bool = False,
        **kwargs: Any,
    ) -> TabularDataset:
        """Say which columns hold the rows' times; without names forget them.

        validate: look whether the columns are there. Raises UserErrorException for a partition
        without a timestamp, or both the same.
        """
        from zaffre.contract import dataset as contract

        timestamp = kwargs.pop("fine_grain_timestamp", timestamp)
        partition_timestamp = kwargs.pop("coarse_grain_timestamp", partition_timestamp)
        if kwargs:
            raise TypeError(f"with_timestamp_columns: unexpected argument {next(iter(kwargs))!r}")
        if validate:
            from zaffre.data import dataset as engine

            with reading():
                known = engine.types(self._definition, stores_of(self._workspace))
            for name in (timestamp, partition_timestamp):
                if name is not None and name not in known:
                    raise UserErrorException(f"There is no column {name!r}; {list(known)} are.")
        with checking():
            return self._with(
                contract.with_timestamp_columns(self._definition, timestamp, partition_timestamp)
            )

    def time_before(
        self, end_time: datetime, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        """Return the rows up to a time, which counts if include_boundary."""
        return self._within("time_before", None, end_time, include_boundary)

    def time_after(
        self, start_time: datetime, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        """Return the rows from a time on, which counts if include_boundary."""
        return self._within("time_after", start_time, None, include_boundary)

    def time_between(
        self,
        start_time: datetime,
        end_time: datetime,
        include_boundary: bool = True,
        validate: bool = True,
    ) -> TabularDataset:
        """Return the rows from one time to another, which count if include_boundary."""
        return self._within("time_between", start_time, end_time, include_boundary)

    def time_recent(
        self, time_delta: timedelta | object, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        """Return the rows of the last `time_delta`, counted back from now (UTC)."""
        from datetime import datetime, timedelta, timezone

        if not isinstance(time_delta, timedelta):
            raise TypeError(f"time_delta must be a timedelta, not {time_delta!r}.")
        start = datetime.now(timezone.utc) - time_delta
        return self._within("time_recent", start, None, include_boundary)

    def _within(self, what: str, start: Any, end: Any, include_boundary: bool) -> TabularDataset:
        from datetime import datetime

        from zaffre.contract import dataset as contract

        for moment in (start, end):
            if moment is not None and not isinstance(moment, datetime):
                raise TypeError(f"{what}: a time must be a datetime, not {moment!r}.")
        if self.timestamp_columns[0] is None:
            raise DatasetTimestampMissingError(
                f"Cannot perform time-series filter `{what}` on dataset without timestamp columns "
                "defined. Please use with_timestamp_columns to assign timestamp columns first."
            )
        return self._with(
            contract.filter_time(
                self._definition, start=start, end=end, include_boundary=include_boundary
            )
        )

    # Files.

    def to_csv_files(self, separator: str = ",") -> FileDataset:
        """Write the rows as CSV into the workspace's default datastore; return those files."""
        return self._written(separator)

    def to_parquet_files(self) -> FileDataset:
        """Write the rows as Parquet into the workspace's default datastore; return those files."""
        return self._written(None)

    def _written(self, separator: str | None) -> FileDataset:
        import os
        import tempfile
        import uuid

        from zaffre.data import dataset as engine
        from zaffre.sdk.dataset_factory import FileDatasetFactory
        from zaffre.sdk.datastore_kinds import file_store

        if self._workspace is None:
            raise NotBuiltYetException("Writing a dataset of web addresses as files")
        datastore = self._workspace.get_default_datastore()
        folder = f"managed-dataset/{uuid.uuid4()}"
        with reading(), tempfile.TemporaryDirectory() as temporary:
            table = engine.to_arrow(self._definition, stores_of(self._workspace))
            from zaffre.data import write

            for path in write.write_parts(table, temporary, parts=1, separator=separator):
                name = f"{folder}/{os.path.basename(path)}"
                file_store(datastore).write(name, path, overwrite=False)
        return FileDatasetFactory.from_files((datastore, f"{folder}/"), validate=False)
