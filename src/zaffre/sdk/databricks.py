"""Libraries and clusters of Databricks, as records: an environment can name them."""

from __future__ import annotations

from zaffre.sdk.section import Section, no_more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class MavenLibrary(Section):
    """A library from a Maven repository."""

    __slots__ = ("coordinates", "exclusions", "repo")

    def __init__(
        self,
        coordinates: str | None = None,
        repo: str | None = None,
        exclusions: list[str] | None = None,
    ) -> None:
        self.coordinates = coordinates
        self.repo = repo
        self.exclusions = exclusions or []


class PyPiLibrary(Section):
    """A library from a Python package index."""

    __slots__ = ("package", "repo")

    def __init__(self, package: str | None = None, repo: str | None = None) -> None:
        self.package = package
        self.repo = repo


class RCranLibrary(Section):
    """A library from CRAN."""

    __slots__ = ("package", "repo")

    def __init__(self, package: str | None = None, repo: str | None = None) -> None:
        self.package = package
        self.repo = repo


class JarLibrary(Section):
    """A jar file."""

    __slots__ = ("library",)

    def __init__(self, library: str | None = None) -> None:
        self.library = library


class EggLibrary(Section):
    """An egg file."""

    __slots__ = ("library",)

    def __init__(self, library: str | None = None) -> None:
        self.library = library


class DatabricksCluster(Section):
    """A cluster of Databricks, there already or to be made."""

    __slots__ = (
        "cluster_log_dbfs_path",
        "existing_cluster_id",
        "init_scripts",
        "instance_pool_id",
        "max_workers",
        "min_workers",
        "node_type",
        "num_workers",
        "permit_cluster_restart",
        "spark_conf",
        "spark_env_variables",
        "spark_version",
    )

    def __init__(
        self,
        existing_cluster_id: str | None = None,
        spark_version: str | None = None,
        node_type: str | None = None,
        instance_pool_id: str | None = None,
        num_workers: int | None = None,
        min_workers: int | None = None,
        max_workers: int | None = None,
        spark_env_variables: dict[str, str] | None = None,
        spark_conf: dict[str, str] | None = None,
        init_scripts: list[Any] | None = None,
        cluster_log_dbfs_path: str | None = None,
        permit_cluster_restart: bool | None = None,
    ) -> None:
        self.existing_cluster_id = existing_cluster_id
        self.spark_version = spark_version
        self.node_type = node_type
        self.instance_pool_id = instance_pool_id
        self.num_workers = num_workers
        self.min_workers = min_workers
        self.max_workers = max_workers
        self.spark_env_variables = spark_env_variables or {}
        self.spark_conf = spark_conf or {}
        self.init_scripts = init_scripts or []
        self.cluster_log_dbfs_path = cluster_log_dbfs_path
        self.permit_cluster_restart = permit_cluster_restart

    def validate(self) -> None:
        """Raise if neither an existing cluster nor the size of a new one is given."""
        if self.existing_cluster_id or (self.spark_version and self.node_type):
            return
        from zaffre.sdk.exceptions import UserErrorException

        raise UserErrorException(
            "A Databricks cluster needs existing_cluster_id, or spark_version and node_type."
        )


class DatabricksSection(Section):
    """The Databricks part of an environment."""

    __slots__ = (
        "_cluster",
        "egg_libraries",
        "jar_libraries",
        "maven_libraries",
        "pypi_libraries",
        "rcran_libraries",
    )
    _order = (
        "maven_libraries",
        "pypi_libraries",
        "rcran_libraries",
        "jar_libraries",
        "egg_libraries",
    )
    _kinds = (
        ("maven_libraries", MavenLibrary),
        ("pypi_libraries", PyPiLibrary),
        ("rcran_libraries", RCranLibrary),
        ("jar_libraries", JarLibrary),
        ("egg_libraries", EggLibrary),
    )

    def __init__(self, _skip_defaults: bool = False, **kwargs: object) -> None:
        no_more(kwargs, "DatabricksSection")
        self.maven_libraries: list[MavenLibrary] = []
        self.pypi_libraries: list[PyPiLibrary] = []
        self.rcran_libraries: list[RCranLibrary] = []
        self.jar_libraries: list[JarLibrary] = []
        self.egg_libraries: list[EggLibrary] = []
        self._cluster: DatabricksCluster | None = None

    @property
    def cluster(self) -> DatabricksCluster | None:
        """The cluster that a Databricks step runs on."""
        return self._cluster

    @cluster.setter
    def cluster(self, cluster: DatabricksCluster | None) -> None:
        self._cluster = cluster


class DatabricksEnvironment(DatabricksSection):
    """The old name of `DatabricksSection`."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
