"""What a script needs around it: interpreter, packages, image, variables.

In this release an environment is a record: a run on `local` uses the interpreter that submitted
it. Environments are built, registered and listed in a later one.
"""

from __future__ import annotations

from zaffre.sdk import argument
from zaffre.sdk.conda_dependencies import CondaDependencies
from zaffre.sdk.container_registry import ContainerRegistry
from zaffre.sdk.databricks import DatabricksSection
from zaffre.sdk.environment_sections import (
    DockerBuildContext,
    DockerSection,
    PythonSection,
    RSection,
    SparkSection,
)
from zaffre.sdk.exceptions import NotBuiltYetException, UserErrorException
from zaffre.sdk.section import Section, as_dict, no_more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

DEFAULT_ENVIRONMENT_NAME = "default-environment"

_CONDA_KEYS = ("name", "channels", "dependencies", "prefix", "variables")
_DEFINITION_FILE = "azureml_environment.json"
_CONDA_FILE = "conda_dependencies.yml"


class Environment(Section):
    """An environment by name, with its python, docker, spark, databricks and R sections.

    The name is not checked before something is registered under it, as in v1.
    """

    __slots__ = (
        "_environment_variables",
        "asset_id",
        "databricks",
        "docker",
        "inferencing_stack_version",
        "name",
        "python",
        "r",
        "spark",
        "version",
    )
    _order = (
        "name",
        "version",
        "environment_variables",
        "python",
        "docker",
        "spark",
        "databricks",
        "r",
        "inferencing_stack_version",
        "asset_id",
    )
    _kinds = (("r", RSection),)

    def __init__(self, name: str, **kwargs: object) -> None:
        no_more(kwargs, "Environment")
        self.name: str | None = argument.optional_text(name, "name")
        self.version: str | None = None
        self.asset_id: str | None = None
        self.python = PythonSection()
        self.docker = DockerSection()
        self.spark = SparkSection()
        self.databricks = DatabricksSection()
        self.r: RSection | None = None
        self.inferencing_stack_version: str | None = None
        self._environment_variables: dict[str, Any] | None = {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}

    @property
    def environment_variables(self) -> dict[str, Any] | None:
        """Variables that the script (or the service) sees."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, value: dict[str, Any] | None) -> None:
        self._environment_variables = value

    def __repr__(self) -> str:
        """Return v1's two lines."""
        return f"Environment(Name: {self.name},\nVersion: {self.version})"

    def __str__(self) -> str:
        """Return v1's two lines."""
        return repr(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the definition as a notebook cell's last value, as v1 did."""
        import json

        del cycle
        printer.text(json.dumps(self.to_plain(), indent=4, sort_keys=True, default=str))

    def clone(self, new_name: str) -> Environment:
        """Return an independent copy under another name, without a version."""
        if not new_name:
            raise UserErrorException("Name is required to clone an environment.")
        import copy

        other = copy.deepcopy(self)
        other.name = argument.text(new_name, "new_name")
        other.version = None
        other.asset_id = None
        return other

    # Made of files.

    @staticmethod
    def from_conda_specification(name: str, file_path: str) -> Environment:
        """Return an environment of the packages that a conda file names."""
        return _with_conda_file(Environment(name), file_path)

    @staticmethod
    def from_pip_requirements(
        name: str, file_path: str, pip_version: str | None = None
    ) -> Environment:
        """Return an environment of v1's default python and the lines of a requirements file."""
        return _with_requirements(Environment(name), file_path, pip_version)

    @staticmethod
    def from_docker_image(
        name: str,
        image: str,
        container_registry: ContainerRegistry | None = None,
        conda_specification: str | None = None,
        pip_requirements: str | None = None,
    ) -> Environment:
        """Return an environment on an image; without packages its own python is used."""
        environment = Environment(name)
        environment.docker.base_image = argument.text(image, "image")
        if container_registry is not None:
            environment.docker.base_image_registry = argument.instance(
                container_registry, ContainerRegistry, "container_registry"
            )
        return _with_packages(environment, conda_specification, pip_requirements)

    @staticmethod
    def from_dockerfile(
        name: str,
        dockerfile: str,
        conda_specification: str | None = None,
        pip_requirements: str | None = None,
    ) -> Environment:
        """Return an environment of a Dockerfile, given by its path or its text."""
        import os

        text = argument.text(dockerfile, "dockerfile")
        if "\n" not in dockerfile and os.path.isfile(dockerfile):
            with open(dockerfile, encoding="utf-8") as file:
                text = file.read()
        environment = Environment(name)
        environment.docker.base_image = None
        environment.docker.base_dockerfile = text
        return _with_packages(environment, conda_specification, pip_requirements)

    @staticmethod
    def from_docker_build_context(
        name: str, docker_build_context: DockerBuildContext
    ) -> Environment:
        """Return an environment of a folder with a Dockerfile."""
        environment = Environment(name)
        environment.docker.base_image = None
        environment.docker.build_context = argument.instance(
            docker_build_context, DockerBuildContext, "docker_build_context"
        )
        return _with_packages(environment, None, None)

    @staticmethod
    def from_existing_conda_environment(
        name: str, conda_environment_name: str
    ) -> Environment | None:
        """Return an environment of the packages of a conda environment on this machine.

        Without conda: FileNotFoundError. None if conda cannot export it, as in v1.
        """
        import subprocess

        from zaffre.sdk.yaml_text import parse

        # conda is looked up on PATH on purpose: whichever conda the user has.
        exported = subprocess.run(
            ["conda", "env", "export", "--no-builds", "--name", conda_environment_name],
            capture_output=True,
            check=False,
        )
        if exported.returncode != 0:
            return None
        data = as_dict(parse(exported.stdout.decode()))
        data.pop("prefix", None)
        environment = Environment(name)
        environment.python.conda_dependencies = CondaDependencies(_underlying_structure=data)
        return environment

    def save_to_directory(self, path: str, overwrite: bool = False) -> None:
        """Write the definition into a folder; FileExistsError if it is there already."""
        import json
        import os

        if os.path.exists(argument.path(path, "path")) and not overwrite:
            raise FileExistsError(f"{path} exists already. Pass overwrite=True to write into it.")
        os.makedirs(path, exist_ok=True)
        data = self.to_plain()
        packages = self.python.conda_dependencies
        if packages is not None:
            packages.save(os.path.join(path, _CONDA_FILE))
        with open(os.path.join(path, _DEFINITION_FILE), "w", encoding="utf-8") as file:
            json.dump(data, file, indent=4)

    @staticmethod
    def load_from_directory(path: str) -> Environment:
        """Return the environment that `save_to_directory` wrote; a missing file is an OSError."""
        import json
        import os

        with open(os.path.join(path, _DEFINITION_FILE), encoding="utf-8") as file:
            data = as_dict(json.load(file))
        environment = environment_of(data)
        conda_file = os.path.join(path, _CONDA_FILE)
        if os.path.isfile(conda_file):
            environment.python.conda_dependencies = CondaDependencies(conda_file)
        return environment

    # What needs a registry of environments, or a build.

    def register(self, workspace: object) -> NoReturn:
        """Store the definition in the workspace."""
        raise NotBuiltYetException("Environment.register")

    @staticmethod
    def get(
        workspace: object, name: str, version: str | None = None, label: str | None = None
    ) -> Environment:
        """Return a registered or curated environment."""
        raise NotBuiltYetException(f"Environment.get({name!r})")

    @staticmethod
    def list(workspace: object) -> dict[str, Environment]:
        """Return the registered environments by name: none can be in this release."""
        return {}

    @staticmethod
    def label(workspace: object, name: str, version: str, labels: Any) -> NoReturn:
        """Label a version."""
        raise NotBuiltYetException("Environment.label")

    @staticmethod
    def add_private_pip_wheel(workspace: object, file_path: str, exist_ok: bool = False) -> str:
        """Store a wheel in the workspace and return its address."""
        raise NotBuiltYetException("Environment.add_private_pip_wheel")

    def get_image_details(self, workspace: object) -> NoReturn:
        """Return the image of a registered environment."""
        raise NotBuiltYetException("Environment.get_image_details")

    def build(self, workspace: object, image_build_compute: object = None) -> NoReturn:
        """Build the environment."""
        raise NotBuiltYetException("Environment.build")

    def build_local(self, workspace: object, platform: object = None, **kwargs: object) -> NoReturn:
        """Build the environment on this machine."""
        raise NotBuiltYetException("Environment.build_local")


class EnvironmentReference(Section):
    """An environment by name and version."""

    __slots__ = ("name", "version")

    def __init__(self, name: str, version: str | None = None) -> None:
        self.name = name
        self.version = version

    def get_environment(self, workspace: object) -> Environment:
        """Return the environment that is meant."""
        return Environment.get(workspace, self.name, self.version)

    def __repr__(self) -> str:
        """Return name and version."""
        return f"EnvironmentReference(Name: {self.name},\nVersion: {self.version})"


class EnvironmentDefinition(Environment):
    """The old name of `Environment`."""

    __slots__ = ()

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name or DEFAULT_ENVIRONMENT_NAME)


class DockerImageDetails:
    """What an image is made of: `Environment.get_image_details`."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise NotBuiltYetException("DockerImageDetails")


class ImageBuildDetails:
    """A build of an environment: `Environment.build`."""

    def __init__(self, environment_client: object, location: object) -> None:
        raise NotBuiltYetException("ImageBuildDetails")


def environment_of(data: dict[str, Any]) -> Environment:
    """Return the environment that v1's JSON or YAML form says."""
    environment = Environment(data.get("name") or DEFAULT_ENVIRONMENT_NAME)
    environment.fill_from(data)
    return environment


def _with_packages(
    environment: Environment, conda_specification: str | None, pip_requirements: str | None
) -> Environment:
    if conda_specification and pip_requirements:
        raise UserErrorException(
            "Only one of conda_specification or pip_requirements can be specified."
        )
    if conda_specification:
        return _with_conda_file(environment, conda_specification)
    if pip_requirements:
        return _with_requirements(environment, pip_requirements, None)
    environment.python.user_managed_dependencies = True
    return environment


def _with_conda_file(environment: Environment, file_path: str) -> Environment:
    from zaffre.sdk.yaml_text import parse

    with open(file_path, encoding="utf-8") as file:
        data = parse(file.read())
    if not isinstance(data, dict):
        raise UserErrorException(f"{file_path} is no conda file: it has no keys at its top.")
    for key in as_dict(data):
        if key not in _CONDA_KEYS:
            raise UserErrorException(
                f"Unknown {key} key in environment specification {file_path}; "
                f"it can have {', '.join(_CONDA_KEYS)}."
            )
    environment.python.conda_dependencies = CondaDependencies(_underlying_structure=as_dict(data))
    return environment


def _with_requirements(
    environment: Environment, file_path: str, pip_version: str | None
) -> Environment:
    with open(file_path, encoding="utf-8") as file:
        # Comments, blank lines and options stay as they stand: pip reads them itself.
        lines = file.read().splitlines()
    packages = CondaDependencies()
    packages.add_conda_package(f"pip={pip_version}" if pip_version else "pip")
    packages.set_pip_requirements(lines)
    environment.python.conda_dependencies = packages
    return environment
