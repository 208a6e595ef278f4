"""The parts of an environment: python, docker, spark and R, as records."""

from __future__ import annotations

from zaffre.sdk.conda_dependencies import CondaDependencies
from zaffre.sdk.container_registry import ContainerRegistry
from zaffre.sdk.section import Section, no_more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_CPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20251130.v1"
DEFAULT_GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04:20251130.v1"


class PythonSection(Section):
    """Which interpreter, and which packages if Zaffre is to install them.

    user_managed_dependencies True: nothing is installed, the interpreter at interpreter_path is
    used as it is. False: an environment is made of conda_dependencies.
    """

    __slots__ = (
        "base_conda_environment",
        "conda_dependencies",
        "conda_dependencies_file",
        "interpreter_path",
        "user_managed_dependencies",
    )
    _order = (
        "user_managed_dependencies",
        "interpreter_path",
        "conda_dependencies_file",
        "base_conda_environment",
    )

    def __init__(self, **kwargs: object) -> None:
        no_more(kwargs, "PythonSection")
        self.interpreter_path: str | None = "python"
        self.user_managed_dependencies = False
        self.conda_dependencies_file: str | None = None
        self.base_conda_environment: str | None = None
        self.conda_dependencies: CondaDependencies | None = CondaDependencies()

    def to_plain(self) -> dict[str, Any]:
        """Return the section with its packages, which files keep apart."""
        data = super().to_plain()
        if self.conda_dependencies is not None:
            data["condaDependencies"] = self.conda_dependencies.as_dict()
        return data

    def fill_from(self, data: dict[str, Any]) -> None:
        """Take the fields and packages that `data` has."""
        super().fill_from(data)
        if "condaDependencies" in data:
            packages = data["condaDependencies"]
            self.conda_dependencies = (
                None if packages is None else CondaDependencies(_underlying_structure=packages)
            )


class PythonEnvironment(PythonSection):
    """The old name of `PythonSection`."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()


class DockerImagePlatform(Section):
    """What an image is built for."""

    __slots__ = ("architecture", "os")
    _order = ("os", "architecture")

    def __init__(self) -> None:
        self.os: str | None = "Linux"
        self.architecture: str | None = "amd64"


class DockerBuildContext(Section):
    """A folder with a Dockerfile, in Git or in storage."""

    __slots__ = ("dockerfile_path", "location", "location_type")
    _order = ("location_type", "location", "dockerfile_path")

    class LocationType:
        """Where the folder is."""

        Git = "git"
        StorageAccount = "storageaccount"

    def __init__(
        self,
        location_type: str | None = None,
        location: str | None = None,
        dockerfile_path: str = "Dockerfile",
    ) -> None:
        self.location_type = location_type
        self.location = location
        self.dockerfile_path = dockerfile_path

    @staticmethod
    def from_local_directory(
        workspace: object, path: str, dockerfile_path: str = "Dockerfile"
    ) -> DockerBuildContext:
        """Upload a folder to build an image of."""
        del workspace, path, dockerfile_path
        from zaffre.sdk.exceptions import NotBuiltYetException

        raise NotBuiltYetException("DockerBuildContext.from_local_directory")


class DockerSection(Section):
    """Which image the environment is, or is built on.

    base_image, base_dockerfile and build_context exclude each other; as in v1 nothing checks that
    before the environment is used.
    """

    __slots__ = (
        "arguments",
        "base_dockerfile",
        "base_image",
        "base_image_registry",
        "build_context",
        "enabled",
        "platform",
        "shared_volumes",
        "shm_size",
    )
    _order = (
        "enabled",
        "base_image",
        "base_dockerfile",
        "build_context",
        "shared_volumes",
        "shm_size",
        "arguments",
        "base_image_registry",
        "platform",
    )
    _kinds = (("build_context", DockerBuildContext),)

    def __init__(self, **kwargs: object) -> None:
        no_more(kwargs, "DockerSection")
        self.enabled = False
        self.base_image: str | None = DEFAULT_CPU_IMAGE
        self.base_dockerfile: str | None = None
        self.build_context: DockerBuildContext | None = None
        self.shared_volumes = True
        self.shm_size: str | None = "2g"
        self.arguments: list[str] = []
        self.base_image_registry = ContainerRegistry()
        self.platform = DockerImagePlatform()

    @property
    def gpu_support(self) -> bool:
        """Always True: v1 found GPUs by itself and ignored what was set here."""
        return True

    @gpu_support.setter
    def gpu_support(self, value: bool) -> None:
        from zaffre.sdk import notices

        del value
        notices.once("docker.gpu_support changes nothing: GPUs that are there are used.")


class DockerEnvironment(DockerSection):
    """The old name of `DockerSection`."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()


class SparkPackage(Section):
    """A Spark package by its coordinates."""

    __slots__ = ("artifact", "group", "version")
    _order = ("group", "artifact", "version")

    def __init__(
        self, group: str | None = None, artifact: str | None = None, version: str | None = None
    ) -> None:
        self.group = group
        self.artifact = artifact
        self.version = version


class SparkSection(Section):
    """The Spark part of an environment."""

    __slots__ = ("packages", "precache_packages", "repositories")
    _order = ("repositories", "packages", "precache_packages")
    _kinds = (("packages", SparkPackage),)

    def __init__(self, **kwargs: object) -> None:
        no_more(kwargs, "SparkSection")
        self.repositories: list[str] = []
        self.packages: list[SparkPackage] = []
        self.precache_packages = True


class SparkEnvironment(SparkSection):
    """The old name of `SparkSection`."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()


class RCranPackage(Section):
    """A package from CRAN."""

    __slots__ = ("name", "repository", "version")

    def __init__(self) -> None:
        self.name: str | None = None
        self.version: str | None = None
        self.repository: str | None = None


class RGitHubPackage(Section):
    """An R package from GitHub."""

    __slots__ = ("auth_token", "repository")

    def __init__(self) -> None:
        self.repository: str | None = None
        self.auth_token: str | None = None


class RSection(Section):
    """The R part of an environment."""

    __slots__ = (
        "bioconductor_packages",
        "cran_packages",
        "custom_url_packages",
        "github_packages",
        "r_version",
        "rscript_path",
        "snapshot_date",
        "user_managed",
    )
    _kinds = (
        ("cran_packages", RCranPackage),
        ("github_packages", RGitHubPackage),
    )

    def __init__(self) -> None:
        self.r_version: str | None = None
        self.user_managed = False
        self.rscript_path: str | None = None
        self.snapshot_date: str | None = None
        self.cran_packages: list[RCranPackage] | None = None
        self.github_packages: list[RGitHubPackage] | None = None
        self.custom_url_packages: list[str] | None = None
        self.bioconductor_packages: list[str] | None = None
