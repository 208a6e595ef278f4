"""The estimators of older notebooks: a script, its parameters and its packages in one object."""

from __future__ import annotations

from zaffre.sdk.estimator_configuration import Settings, configure
from zaffre.sdk.exceptions import TrainingException
from zaffre.sdk.run_configuration import RunConfiguration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.conda_dependencies import CondaDependencies
    from zaffre.sdk.container_registry import ContainerRegistry
    from zaffre.sdk.distributed_training import DistributedTraining
    from zaffre.sdk.environment import Environment


class MMLBaseEstimatorRunConfig(RunConfiguration):
    """The run configuration of an estimator."""

    __slots__ = ()

    def __init__(
        self,
        compute_target: Any,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: dict[str, Any] | None = None,
        node_count: int | None = None,
        process_count_per_node: int | None = None,
        distributed_backend: str | None = None,
        use_gpu: bool | None = None,
        use_docker: bool | None = None,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: ContainerRegistry | None = None,
        user_managed: bool = False,
        conda_packages: list[str] | None = None,
        pip_packages: list[str] | None = None,
        environment_definition: Environment | None = None,
        inputs: list[Any] | None = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
    ) -> None:
        settings = Settings(locals())
        super().__init__()
        configure(self, settings, "Estimator")


class MMLBaseEstimator:
    """What all estimators are: a folder and a run configuration."""

    def __init__(
        self, source_directory: str, compute_target: Any, estimator_config: Any = None
    ) -> None:
        self._source_directory = source_directory
        self._compute_target = compute_target
        self._estimator_config: RunConfiguration = (
            MMLBaseEstimatorRunConfig(compute_target)
            if estimator_config is None
            else estimator_config
        )
        #: Data that the script reads beside its arguments, and what it goes on from.
        self.inputs: list[Any] = []
        self.resume_from: Any = None

    @property
    def run_config(self) -> RunConfiguration:
        """The run configuration; what is changed on it counts at `submit`."""
        return self._estimator_config

    @property
    def source_directory(self) -> str:
        """The folder that is sent."""
        return self._source_directory

    @property
    def conda_dependencies(self) -> CondaDependencies | None:
        """The packages that the estimator asks for."""
        return self._estimator_config.environment.python.conda_dependencies

    def _set_up(
        self,
        settings: Settings,
        own_packages: list[str] | None = None,
        python_version: str | None = None,
    ) -> None:
        """Do what every estimator's constructor does with its keywords."""
        import logging

        name = type(self).__name__
        logging.getLogger("azureml.train.estimator").warning(
            "'%s' is deprecated. Please use 'ScriptRunConfig' from "
            "'azureml.core.script_run_config' with your own defined environment.",
            name,
        )
        configuration = RunConfiguration()
        configure(configuration, settings, name, own_packages, python_version)
        MMLBaseEstimator.__init__(
            self, settings["source_directory"], settings["compute_target"], configuration
        )
        self.inputs = list(settings["inputs"] or [])
        self.resume_from = settings["resume_from"]


class Estimator(MMLBaseEstimator):
    """A script with its parameters and packages, for any framework."""

    def __init__(
        self,
        source_directory: str,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: dict[str, Any] | None = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        distributed_backend: str | None = None,
        distributed_training: DistributedTraining | None = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: ContainerRegistry | None = None,
        user_managed: bool = False,
        conda_packages: list[str] | None = None,
        pip_packages: list[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: dict[str, str] | None = None,
        environment_definition: Environment | None = None,
        inputs: list[Any] | None = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = None,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._set_up(Settings(locals()))


class FrameworkBaseEstimator(MMLBaseEstimator):
    """An estimator that brings the packages of a framework's version."""

    FRAMEWORK_NAME: str | None = None
    DEFAULT_VERSION: str | None = None
    _VERSIONS: tuple[str, ...] = ()

    def __init__(
        self,
        source_directory: str,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: dict[str, Any] | None = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        distributed_backend: str | None = None,
        distributed_training: DistributedTraining | None = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: ContainerRegistry | None = None,
        user_managed: bool = False,
        conda_packages: list[str] | None = None,
        pip_packages: list[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: dict[str, str] | None = None,
        environment_definition: Environment | None = None,
        inputs: list[Any] | None = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = None,
        framework_name: str | None = None,
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = False,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._set_up_framework(Settings(locals()))

    @property
    def framework_version(self) -> str | None:
        """The framework's version that was asked for, or v1's default."""
        return self._framework_version

    @classmethod
    def get_supported_versions(cls) -> list[str]:
        """Return the framework versions that v1 knew."""
        return list(cls._VERSIONS)

    def _set_up_framework(self, settings: Settings) -> None:
        version = settings["framework_version"]
        if version is None:
            version = self.DEFAULT_VERSION
            if settings["environment_definition"] is None and version is not None:
                import logging

                logging.getLogger("azureml.train.estimator").warning(
                    "framework_version is not specified, defaulting to version %s.", version
                )
        elif self._VERSIONS and version not in self._VERSIONS:
            raise TrainingException(
                f"framework_version: {self.FRAMEWORK_NAME} {version} is none of "
                f"{', '.join(self._VERSIONS)}. Use Estimator with your own packages for it."
            )
        self._framework_version: str | None = version
        packages = self._own_packages(version or "", bool(settings["use_gpu"]))
        self._set_up(settings, packages, self._python_version())

    def _own_packages(self, version: str, gpu: bool) -> list[str]:
        """Return the pip packages of the framework's version."""
        del version, gpu
        return []

    def _python_version(self) -> str | None:
        """Return the python that v1 ran the framework's versions on."""
        return "3.6.2"
