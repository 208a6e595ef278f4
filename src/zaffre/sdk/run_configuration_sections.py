"""The smaller parts of a run configuration, as records."""

from __future__ import annotations

from zaffre.sdk.section import Section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class HistoryConfiguration(Section):
    """What of a run is kept: outputs, snapshot, watched folders."""

    __slots__ = ("directories_to_watch", "output_collection", "snapshot_project")
    _order = ("output_collection", "snapshot_project", "directories_to_watch")

    def __init__(self) -> None:
        self.output_collection = True
        self.snapshot_project = True
        self.directories_to_watch: list[str] = ["logs"]


class SparkConfiguration(Section):
    """Settings of Spark itself."""

    __slots__ = ("configuration",)

    def __init__(self) -> None:
        self.configuration: dict[str, Any] = {
            "spark.app.name": "Azure ML Experiment",
            "spark.yarn.maxAppAttempts": 1,
        }


class HdiConfiguration(Section):
    """Settings of HDInsight."""

    __slots__ = ("yarn_deploy_mode",)

    def __init__(self) -> None:
        self.yarn_deploy_mode: str | None = "cluster"


class ParallelTaskConfiguration(Section):
    """Settings of parallel tasks."""

    __slots__ = ("max_retries_per_worker", "terminal_exit_codes", "worker_count_per_node")
    _order = ("max_retries_per_worker", "worker_count_per_node", "terminal_exit_codes")

    def __init__(self) -> None:
        self.max_retries_per_worker = 0
        self.worker_count_per_node = 1
        self.terminal_exit_codes: list[int] | None = None


class AmlComputeConfiguration(Section):
    """A cluster made for one run; v1 kept three more settings to itself, and in its files."""

    __slots__ = ("_cluster_max_node_count", "_name", "_retain_cluster", "vm_priority", "vm_size")
    _order = (
        "vm_size",
        "vm_priority",
        "_retain_cluster",
        "_name",
        "_cluster_max_node_count",
    )

    def __init__(self) -> None:
        self.vm_size: str | None = None
        self.vm_priority: str | None = None
        self._retain_cluster = False
        self._name: str | None = None
        self._cluster_max_node_count: int | None = None


class KubernetesComputeConfiguration(Section):
    """Settings of a Kubernetes target."""

    __slots__ = ("instance_type",)

    def __init__(self) -> None:
        self.instance_type: str | None = None


class ApplicationEndpointConfiguration(Section):
    """A service that a run offers while it runs."""

    __slots__ = ("port", "properties", "type")
    _order = ("type", "port", "properties")

    def __init__(
        self,
        type: str | None = None,
        port: int | None = None,
        properties: dict[str, str] | None = None,
    ) -> None:
        self.type = type
        self.port = port
        self.properties = properties


class DataReferenceConfiguration(Section):
    """A folder of a datastore that a run reads or writes."""

    __slots__ = (
        "data_store_name",
        "mode",
        "overwrite",
        "path_on_compute",
        "path_on_data_store",
    )
    _order = ("data_store_name", "path_on_data_store", "mode", "overwrite", "path_on_compute")

    def __init__(
        self,
        datastore_name: str | None = None,
        mode: str = "mount",
        path_on_datastore: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        self.data_store_name = datastore_name
        self.mode = mode
        self.path_on_data_store = path_on_datastore
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite


class Dataset(Section):
    """A dataset by id, or by name and version."""

    __slots__ = ("id", "name", "version")

    def __init__(
        self,
        dataset_id: str | None = None,
        dataset_name: str | None = None,
        dataset_version: str | None = None,
    ) -> None:
        self.id = dataset_id
        self.name = dataset_name
        self.version = dataset_version


class DataPath(Section):
    """A path of a datastore."""

    __slots__ = ("datastore_name", "relative_path")

    def __init__(self, datastore_name: str | None = None, relative_path: str | None = None) -> None:
        self.datastore_name = datastore_name
        self.relative_path = relative_path


class Uri(Section):
    """An address of data."""

    __slots__ = ("is_file", "path")
    _order = ("path", "is_file")

    def __init__(self, path: str | None = None, is_file: bool = False) -> None:
        self.path = path
        self.is_file = is_file


class DataLocation(Section):
    """Where data is: a dataset, a path of a datastore, or an address."""

    __slots__ = ("data_path", "dataset", "uri")
    _order = ("dataset", "data_path", "uri")
    _kinds = (
        ("dataset", Dataset),
        ("data_path", DataPath),
        ("uri", Uri),
    )

    def __init__(
        self,
        dataset: Dataset | None = None,
        data_path: DataPath | None = None,
        uri: Uri | None = None,
    ) -> None:
        self.dataset = dataset
        self.data_path = data_path
        self.uri = uri


class Data(Section):
    """An input of a run."""

    __slots__ = (
        "create_output_directories",
        "data_location",
        "environment_variable_name",
        "mechanism",
        "options",
        "overwrite",
        "path_on_compute",
    )
    _order = (
        "data_location",
        "create_output_directories",
        "mechanism",
        "environment_variable_name",
        "path_on_compute",
        "overwrite",
        "options",
    )
    _kinds = (("data_location", DataLocation),)

    def __init__(
        self,
        data_location: DataLocation | None = None,
        create_output_directories: bool | None = None,
        mechanism: str | None = "direct",
        environment_variable_name: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool = False,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.data_location = data_location
        self.create_output_directories = create_output_directories
        self.mechanism = mechanism
        self.environment_variable_name = environment_variable_name
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite
        self.options = options

    @staticmethod
    def create(data: object) -> Data:
        """Return the input that a dataset or a data reference stands for."""
        from zaffre.sdk.exceptions import NotBuiltYetException

        if isinstance(data, Data):
            return data
        raise NotBuiltYetException("Data.create")


class GlobsOptions(Section):
    """Patterns of file names."""

    __slots__ = ("patterns",)

    def __init__(self, patterns: list[str] | None = None) -> None:
        self.patterns = patterns


class UploadOptions(Section):
    """How an output is uploaded."""

    __slots__ = ("overwrite", "source_globs")

    def __init__(self, overwrite: bool = False, source_globs: GlobsOptions | None = None) -> None:
        self.overwrite = overwrite
        self.source_globs = source_globs


class MountOptions(Section):
    """How an output is mounted."""

    __slots__ = ("disable_metadata_cache",)

    def __init__(self, disable_metadata_cache: bool = False) -> None:
        self.disable_metadata_cache = disable_metadata_cache


class DatasetRegistrationOptions(Section):
    """How an output is turned into a dataset."""

    __slots__ = ("additional_transformation",)

    def __init__(self, additional_transformations: object = None) -> None:
        self.additional_transformation = additional_transformations


class RegistrationOptions(Section):
    """Under which name an output is registered."""

    __slots__ = ("dataset_registration_options", "description", "name", "tags")
    _order = ("name", "description", "tags", "dataset_registration_options")
    _kinds = (("dataset_registration_options", DatasetRegistrationOptions),)

    def __init__(
        self,
        name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        dataset_registration_options: DatasetRegistrationOptions | None = None,
    ) -> None:
        self.name = name
        self.description = description
        self.tags = tags
        self.dataset_registration_options = dataset_registration_options


class OutputOptions(Section):
    """What is done with an output."""

    __slots__ = ("mount_options", "path_on_compute", "registration_options", "upload_options")
    _order = ("path_on_compute", "registration_options", "upload_options", "mount_options")
    _kinds = (
        ("registration_options", RegistrationOptions),
        ("upload_options", UploadOptions),
        ("mount_options", MountOptions),
    )

    def __init__(
        self,
        path_on_compute: str | None = None,
        registration_options: RegistrationOptions | None = None,
        upload_options: UploadOptions | None = None,
        mount_options: MountOptions | None = None,
    ) -> None:
        self.path_on_compute = path_on_compute
        self.registration_options = registration_options
        self.upload_options = upload_options
        self.mount_options = mount_options


class OutputData(Section):
    """An output of a run."""

    __slots__ = ("additional_options", "mechanism", "output_location")
    _order = ("output_location", "mechanism", "additional_options")
    _kinds = (
        ("output_location", DataLocation),
        ("additional_options", OutputOptions),
    )

    def __init__(
        self,
        output_location: DataLocation | None = None,
        mechanism: str | None = "mount",
        additional_options: OutputOptions | None = None,
    ) -> None:
        self.output_location = output_location
        self.mechanism = mechanism
        self.additional_options = additional_options


class DatacacheConfiguration(Section):
    """A cached copy of a dataset."""

    __slots__ = (
        "datacache_id",
        "datacache_store",
        "dataset_id",
        "failure_fallback",
        "mode",
        "path_on_compute",
        "replica",
    )

    def __init__(
        self,
        dataset_id: str | None = None,
        datacache_store: str | None = None,
        datacache_id: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        replica: object = None,
        failure_fallback: bool = False,
    ) -> None:
        self.dataset_id = dataset_id
        self.datacache_store = datacache_store
        self.datacache_id = datacache_id
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.replica = replica
        self.failure_fallback = failure_fallback

    @staticmethod
    def create(data: object) -> DatacacheConfiguration:
        """Return the configuration that a consumed data cache stands for."""
        from zaffre.sdk.exceptions import NotBuiltYetException

        if isinstance(data, DatacacheConfiguration):
            return data
        raise NotBuiltYetException("DatacacheConfiguration.create")
