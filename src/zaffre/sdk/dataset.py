"""Datasets: their names only, until the data part is built."""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt, method


class TabularDatasetFactory:
    """Makes tabular datasets: `Dataset.Tabular`."""

    from_delimited_files = method("Dataset.Tabular.from_delimited_files")
    from_json_lines_files = method("Dataset.Tabular.from_json_lines_files")
    from_parquet_files = method("Dataset.Tabular.from_parquet_files")
    from_sql_query = method("Dataset.Tabular.from_sql_query")
    register_dask_dataframe = method("Dataset.Tabular.register_dask_dataframe")
    register_pandas_dataframe = method("Dataset.Tabular.register_pandas_dataframe")
    register_spark_dataframe = method("Dataset.Tabular.register_spark_dataframe")


class FileDatasetFactory:
    """Makes file datasets: `Dataset.File`."""

    from_files = method("Dataset.File.from_files")
    upload_directory = method("Dataset.File.upload_directory")


class Dataset(Unbuilt):
    """A registered dataset."""

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
    get_all = method("Dataset.get_all")
    get_by_id = method("Dataset.get_by_id")
    get_by_name = method("Dataset.get_by_name")
    list = method("Dataset.list")


class TabularDataset(Unbuilt):
    """Rows and columns."""


class FileDataset(Unbuilt):
    """Files."""


class DataType(Unbuilt):
    """The type of a column."""

    to_bool = method("DataType.to_bool")
    to_datetime = method("DataType.to_datetime")
    to_float = method("DataType.to_float")
    to_long = method("DataType.to_long")
    to_stream = method("DataType.to_stream")
    to_string = method("DataType.to_string")


class DatasetConsumptionConfig(Unbuilt):
    """A dataset as a run's named input."""


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
