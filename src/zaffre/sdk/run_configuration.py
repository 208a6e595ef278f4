"""How a script is to be run: v1's RunConfiguration, and its files."""

from __future__ import annotations

from zaffre.sdk import argument
from zaffre.sdk.conda_dependencies import CondaDependencies
from zaffre.sdk.distributed_configuration import (
    MpiConfiguration,
    PyTorchConfiguration,
    TensorflowConfiguration,
)
from zaffre.sdk.docker_configuration import DockerConfiguration
from zaffre.sdk.environment import DEFAULT_ENVIRONMENT_NAME, Environment, environment_of
from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.run_configuration_sections import (
    AmlComputeConfiguration,
    ApplicationEndpointConfiguration,
    Data,
    DatacacheConfiguration,
    DataReferenceConfiguration,
    HdiConfiguration,
    HistoryConfiguration,
    KubernetesComputeConfiguration,
    OutputData,
    ParallelTaskConfiguration,
    SparkConfiguration,
)
from zaffre.sdk.section import Section, as_dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FOLDERS = (".azureml", "aml_config")
_CONDA_FILE = "conda_dependencies.yml"
_ENVIRONMENT_FILE = "environment.yml"
_COMMENTS = {
    "script": "The script to run, relative to the source directory.",
    "arguments": "The arguments of the script.",
    "target": "The name of the compute target.",
    "framework": "Python, PySpark, TensorFlow or PyTorch.",
    "maxRunDurationSeconds": "After how many seconds the run is canceled.",
    "nodeCount": "How many nodes the run takes.",
    "environment": "What the script needs around it.",
    "history": "What of the run is kept.",
}


class RunConfiguration(Section):
    """Target, environment, distribution, data and history settings of a script's run."""

    __slots__ = (
        "_environment_variables",
        "_name",
        "_path",
        "_target",
        "amlcompute",
        "arguments",
        "auto_cluster_compute_specification",
        "command",
        "communicator",
        "credential_passthrough",
        "data",
        "data_references",
        "datacaches",
        "docker",
        "environment",
        "framework",
        "hdi",
        "history",
        "kubernetescompute",
        "max_run_duration_seconds",
        "mpi",
        "node_count",
        "output_data",
        "paralleltask",
        "priority",
        "pytorch",
        "script",
        "services",
        "source_directory_data_store",
        "spark",
        "tensorflow",
    )
    _order = (
        "script",
        "arguments",
        "target",
        "framework",
        "communicator",
        "max_run_duration_seconds",
        "node_count",
        "priority",
        "environment",
        "history",
        "spark",
        "docker",
        "hdi",
        "tensorflow",
        "mpi",
        "pytorch",
        "paralleltask",
        "data_references",
        "data",
        "datacaches",
        "output_data",
        "source_directory_data_store",
        "amlcompute",
        "auto_cluster_compute_specification",
        "kubernetescompute",
        "credential_passthrough",
        "command",
        "environment_variables",
        "services:applicationEndpoints",
    )
    _kinds = (
        ("data_references", DataReferenceConfiguration),
        ("data", Data),
        ("output_data", OutputData),
        ("datacaches", DatacacheConfiguration),
        ("services", ApplicationEndpointConfiguration),
    )

    def __init__(
        self,
        script: str | None = None,
        arguments: list[Any] | None = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: CondaDependencies | None = None,
        _history_enabled: bool | None = None,
        _path: str | None = None,
        _name: str | None = None,
        command: Any = None,
    ) -> None:
        self._path = _path
        self._name = _name
        self.script = script
        self.arguments: Any = arguments or []
        self._target: str | None = "local"
        self.framework: str | None = framework or "Python"
        self.communicator: str | None = communicator or "None"
        self.max_run_duration_seconds: int | None = None
        self.node_count = 1
        self.priority: int | None = None
        self.environment = Environment(DEFAULT_ENVIRONMENT_NAME)
        if conda_dependencies is not None:
            self.environment.python.conda_dependencies = argument.instance(
                conda_dependencies, CondaDependencies, "conda_dependencies"
            )
        self.history = HistoryConfiguration()
        if _history_enabled is False:
            self.history.output_collection = False
        self.spark = SparkConfiguration()
        self.docker = DockerConfiguration()
        self.hdi = HdiConfiguration()
        self.tensorflow = TensorflowConfiguration()
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.paralleltask = ParallelTaskConfiguration()
        self.data_references: dict[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.datacaches: list[Any] = []
        self.output_data: dict[str, Any] = {}
        self.source_directory_data_store: str | None = None
        self.amlcompute = AmlComputeConfiguration()
        self.kubernetescompute = KubernetesComputeConfiguration()
        self.services: dict[str, Any] = {}
        self.credential_passthrough = False
        self.command: Any = command or ""
        self.auto_cluster_compute_specification: Any = None
        self._environment_variables: dict[str, Any] = {}

    @property
    def target(self) -> Any:
        """The name of the compute target; a ComputeTarget is taken for its name."""
        return self._target

    @target.setter
    def target(self, value: Any) -> None:
        self._target = target_name(value)

    @property
    def environment_variables(self) -> dict[str, Any]:
        """Variables that the script sees, before those of the environment."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, value: dict[str, Any]) -> None:
        self._environment_variables = value

    @property
    def auto_prepare_environment(self) -> bool:
        """Unused since long before v1's end."""
        return True

    @auto_prepare_environment.setter
    def auto_prepare_environment(self, value: bool) -> None:
        from zaffre.sdk import notices

        del value
        notices.once("auto_prepare_environment changes nothing: environments prepare themselves.")

    # Files.

    def save(
        self,
        path: str | None = None,
        name: str | None = None,
        separate_environment_yaml: bool = False,
    ) -> None:
        """Write `<path>/.azureml/NAME` and the conda file beside it.

        path: a project folder, the present one without it; its `aml_config` is used if only that
        is there. No extension is added to the name. separate_environment_yaml: the environment
        goes to `environment.yml` beside it.
        """
        import os

        from zaffre.sdk.yaml_text import dump

        name = name or self._name
        if not name:
            raise UserErrorException("name: a run configuration needs a name to be saved under.")
        project = argument.path(path or self._path or os.getcwd(), "path")
        folder_name = _FOLDERS[0]
        if not os.path.isdir(os.path.join(project, folder_name)) and os.path.isdir(
            os.path.join(project, _FOLDERS[1])
        ):
            folder_name = _FOLDERS[1]
        folder = os.path.join(project, folder_name)
        os.makedirs(folder, exist_ok=True)
        data = self.to_plain()
        environment = as_dict(data["environment"])
        if environment["python"].pop("condaDependencies", None) is not None:
            packages = self.environment.python.conda_dependencies
            assert packages is not None  # noqa: S101 - it was encoded a line above
            packages.save(os.path.join(folder, _CONDA_FILE))
            environment["python"]["condaDependenciesFile"] = f"{folder_name}/{_CONDA_FILE}"
        if separate_environment_yaml:
            _write(os.path.join(folder, _ENVIRONMENT_FILE), dump(environment))
            data["environment"] = f"{folder_name}/{_ENVIRONMENT_FILE}"
        _write(os.path.join(folder, name), dump(data, _COMMENTS))

    @staticmethod
    def load(path: str, name: str | None = None) -> RunConfiguration:
        """Read NAME or NAME.runconfig of a project folder, or the file at `path`."""
        import os

        from zaffre.sdk.yaml_parser import YamlError
        from zaffre.sdk.yaml_text import parse

        file_path = _find(path, name)
        if file_path is None:
            raise UserErrorException(
                f"Failed to load RunConfiguration from path={path} name={name}"
            )
        try:
            data = parse(_read(file_path))
        except YamlError as error:
            raise UserErrorException(f"{file_path}: {error}", inner_exception=error) from error
        if not isinstance(data, dict):
            raise UserErrorException(f"{file_path} is no run configuration: it has no keys.")
        folder = os.path.dirname(os.path.abspath(file_path))
        configuration = RunConfiguration(_path=path, _name=name)
        values = as_dict(data)
        environment = values.pop("environment", None)
        configuration.fill_from(values)
        if isinstance(environment, str):
            environment = parse(_read(_beside(environment, folder)))
        if isinstance(environment, dict):
            configuration.environment = _environment(as_dict(environment), folder)
        return configuration

    @staticmethod
    def delete(path: str, name: str) -> None:
        """Remove NAME.runconfig of a project folder."""
        import os

        for folder in _FOLDERS:
            file_path = os.path.join(path, folder, f"{name}.runconfig")
            if os.path.isfile(file_path):
                os.remove(file_path)
                return
        raise UserErrorException(f"RunConfiguration {name}.runconfig was not found in {path}.")


def target_name(value: Any) -> str | None:
    """Return the name of a compute target that is given as one or by its name."""
    if value is None or isinstance(value, str):
        return value
    name = getattr(value, "name", None)
    if isinstance(name, str):
        return name
    raise UserErrorException(
        f"target: must be a ComputeTarget or its name, not {type(value).__name__}."
    )


def _find(path: str, name: str | None) -> str | None:
    import os

    if not name:
        return path if os.path.isfile(path) else None
    for folder in _FOLDERS:
        for file_name in (name, f"{name}.runconfig"):
            candidate = os.path.join(path, folder, file_name)
            if os.path.isfile(candidate):
                return candidate
    return None


def _beside(file_name: str, folder: str) -> str:
    """Return where a file that a run configuration in `folder` names is.

    Names are relative to the project, which is the folder above; old files had them relative to
    their own.
    """
    import os

    for base in (os.path.dirname(folder), folder, os.getcwd()):
        candidate = os.path.join(base, file_name)
        if os.path.isfile(candidate):
            return candidate
    raise UserErrorException(
        f"The run configuration in {folder} names the file {file_name}, which is not there."
    )


def _environment(data: dict[str, Any], folder: str) -> Environment:
    from zaffre.sdk.conda_dependencies import CondaDependencies

    environment = environment_of(data)
    conda_file = environment.python.conda_dependencies_file
    if conda_file:
        environment.python.conda_dependencies = CondaDependencies(_beside(conda_file, folder))
        environment.python.conda_dependencies_file = None
    return environment


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
