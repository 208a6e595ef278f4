"""From an estimator's many keywords to a run configuration: v1's rules, in one place."""

from __future__ import annotations

from zaffre.sdk.conda_dependencies import DEFAULT_PIP_PACKAGE, CondaDependencies
from zaffre.sdk.environment_sections import DEFAULT_CPU_IMAGE, DEFAULT_GPU_IMAGE
from zaffre.sdk.exceptions import TrainingException
from zaffre.sdk.run_configuration import RunConfiguration, target_name
from zaffre.sdk.section import as_dict, as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

#: What an environment_definition stands for already.
_WITHOUT_DEFINITION = (
    "pip_packages",
    "pip_requirements_file",
    "conda_packages",
    "conda_dependencies_file",
    "custom_docker_image",
    "image_registry_details",
    "use_gpu",
    "user_managed",
    "shm_size",
)


def arguments_of(script_params: Any) -> list[Any]:
    """Return script parameters as arguments: key, then value; '' or None is a flag alone."""
    if script_params is None:
        return []
    if not isinstance(script_params, dict):
        # v1 failed with this class on `.items()`.
        raise AttributeError(  # noqa: TRY004 - v1's class
            "script_params: must be a dict such as {'--rate': 0.1}, "
            f"not {type(script_params).__name__}"
        )
    arguments: list[Any] = []
    for key, value in as_dict(script_params).items():
        arguments.append(key)
        if not (value is None or (isinstance(value, str) and value == "")):
            arguments.append(value)
    return arguments


class Settings:
    """An estimator's keywords; one that its class lacks reads as None."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        """Take what an estimator's `__init__` was called with, as `locals()` there shows it."""
        self._values = {
            name: value for name, value in given.items() if name not in ("self", "__class__")
        }
        for name, old_name in (
            ("conda_dependencies_file", "conda_dependencies_file_path"),
            ("pip_requirements_file", "pip_requirements_file_path"),
            ("custom_docker_image", "custom_docker_base_image"),
        ):
            if self._values.get(name) is None:
                self._values[name] = self._values.get(old_name)

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name)


def configure(
    configuration: RunConfiguration,
    settings: Settings,
    estimator_name: str,
    own_packages: list[str] | None = None,
    python_version: str | None = None,
) -> None:
    """Fill a run configuration from an estimator's keywords.

    own_packages: the pip packages of the framework. Raises TrainingException for keywords that do
    not go together, as v1 did.
    """
    _set_target(configuration, settings)
    configuration.script = settings["entry_script"]
    configuration.arguments = arguments_of(settings["script_params"])
    configuration.max_run_duration_seconds = settings["max_run_duration_seconds"]
    configuration.source_directory_data_store = settings["source_directory_data_store"]
    _distribute(configuration, settings, estimator_name)
    if settings["environment_definition"] is not None:
        _check_alone(settings)
        configuration.environment = settings["environment_definition"]
        return
    environment = configuration.environment
    environment.python.user_managed_dependencies = bool(settings["user_managed"])
    environment.python.conda_dependencies = _packages(settings, own_packages, python_version)
    if settings["environment_variables"]:
        environment.environment_variables = {
            **(environment.environment_variables or {}),
            **settings["environment_variables"],
        }
    image = DEFAULT_GPU_IMAGE if settings["use_gpu"] else DEFAULT_CPU_IMAGE
    environment.docker.base_image = settings["custom_docker_image"] or image
    if settings["image_registry_details"] is not None:
        environment.docker.base_image_registry = settings["image_registry_details"]
    configuration.docker.use_docker = bool(settings["use_docker"])
    if settings["shm_size"] is not None:
        environment.docker.shm_size = configuration.docker.shm_size = settings["shm_size"]


def _set_target(configuration: RunConfiguration, settings: Settings) -> None:
    if settings["compute_target"] is None and settings["vm_size"] is None:
        raise TrainingException(
            "compute_target: an estimator needs a compute target such as 'local', or a vm_size."
        )
    configuration.target = target_name(settings["compute_target"]) or "amlcompute"
    configuration.amlcompute.vm_size = settings["vm_size"]
    configuration.amlcompute.vm_priority = settings["vm_priority"]


def _check_alone(settings: Settings) -> None:
    given = [name for name in _WITHOUT_DEFINITION if settings[name]]
    if given:
        raise TrainingException(
            f"{', '.join(given)}: cannot be given together with environment_definition, which "
            f"stands for all of {', '.join(_WITHOUT_DEFINITION)}."
        )


_BACKENDS = {
    "mpi": ("Python", "IntelMpi"),
    "ps": ("TensorFlow", "ParameterServer"),
    "nccl": ("PyTorch", "Nccl"),
    "gloo": ("PyTorch", "Gloo"),
}


def _distribute(configuration: RunConfiguration, settings: Settings, estimator_name: str) -> None:
    way = settings["distributed_training"]
    backend = settings["distributed_backend"]
    nodes = settings["node_count"] or 1
    processes = settings["process_count_per_node"] or 1
    if way is None and backend is None:
        if nodes > 1 or processes > 1:
            raise TrainingException(
                "node_count and process_count_per_node above 1 need distributed_training, "
                "for example Mpi()."
            )
        return
    if configuration.target == "local":
        raise TrainingException(
            "distributed_training: only runs on a cluster are distributed, not those on 'local'."
        )
    if way is not None:
        way.validate(estimator_name)
        configuration.framework, configuration.communicator = way.framework, way.communicator
        processes = getattr(way, "process_count_per_node", processes)
        configuration.tensorflow.worker_count = getattr(way, "worker_count", 1)
        configuration.tensorflow.parameter_server_count = getattr(way, "parameter_server_count", 1)
    elif str(backend).lower() in _BACKENDS:
        configuration.framework, configuration.communicator = _BACKENDS[str(backend).lower()]
    else:
        raise TrainingException(
            f"distributed_backend: {backend!r} is none of {', '.join(_BACKENDS)}."
        )
    configuration.node_count = nodes
    configuration.mpi.node_count = nodes
    configuration.mpi.process_count_per_node = processes


def _packages(
    settings: Settings, own_packages: list[str] | None, python_version: str | None
) -> CondaDependencies:
    import os

    folder = settings["source_directory"] or "."
    if settings["conda_dependencies_file"]:
        packages = CondaDependencies(os.path.join(folder, settings["conda_dependencies_file"]))
    else:
        packages = CondaDependencies()
        if python_version:
            packages.set_python_version(python_version)
        packages.set_pip_requirements([DEFAULT_PIP_PACKAGE])
        for package in own_packages or []:
            packages.add_pip_package(package)
    for package in as_list(settings["conda_packages"] or []):
        packages.add_conda_package(package)
    for package in as_list(settings["pip_packages"] or []):
        packages.add_pip_package(package)
    if settings["pip_requirements_file"]:
        path = os.path.join(folder, settings["pip_requirements_file"])
        with open(path, encoding="utf-8") as file:
            for line in file:
                requirement = line.partition(" #")[0].strip()
                if requirement and not requirement.startswith("#"):
                    packages.add_pip_package(requirement)
    return packages
