"""The estimators for deep learning: PyTorch, TensorFlow, Chainer."""

from __future__ import annotations

from zaffre.sdk.estimator import FrameworkBaseEstimator
from zaffre.sdk.estimator_configuration import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.container_registry import ContainerRegistry
    from zaffre.sdk.distributed_training import DistributedTraining
    from zaffre.sdk.environment import Environment

#: PyTorch version: those of torchvision, horovod.
_TORCH_COMPANIONS = {
    "1.0": ("0.2.1", "0.16.1"),
    "1.1": ("0.2.1", "0.16.1"),
    "1.2": ("0.4.0", "0.16.1"),
    "1.3": ("0.4.1", "0.18.1"),
    "1.4": ("0.5.0", "0.18.1"),
    "1.5": ("0.5.0", "0.19.1"),
    "1.6": ("0.7.0", "0.19.5"),
}
#: TensorFlow version: its pip version, that of horovod.
_TENSORFLOW_COMPANIONS = {
    "1.10": ("1.10.0", "0.15.2"),
    "1.12": ("1.12.0", "0.15.2"),
    "1.13": ("1.13.1", "0.16.1"),
    "2.0": ("2.0.0", "0.18.1"),
    "2.1": ("2.1.0", "0.19.1"),
    "2.2": ("2.2.0", "0.19.5"),
    "2.3": ("2.3.0", "0.19.5"),
}


class PyTorch(FrameworkBaseEstimator):
    """A PyTorch script with its parameters."""

    FRAMEWORK_NAME = "PyTorch"
    DEFAULT_VERSION = "1.4"
    _VERSIONS = tuple(_TORCH_COMPANIONS)

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
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._set_up_framework(Settings(locals()))

    def _own_packages(self, version: str, gpu: bool) -> list[str]:
        torchvision, horovod = _TORCH_COMPANIONS[version]
        return [
            f"torch=={version}",
            f"torchvision=={torchvision}",
            f"horovod=={horovod}",
            "tensorboard==1.14.0",
            "future==0.17.1",
        ]


class TensorFlow(FrameworkBaseEstimator):
    """A TensorFlow script with its parameters."""

    FRAMEWORK_NAME = "TensorFlow"
    DEFAULT_VERSION = "1.13"
    _VERSIONS = tuple(_TENSORFLOW_COMPANIONS)

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
        worker_count: int = 1,
        parameter_server_count: int = 1,
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
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._set_up_framework(Settings(locals()))

    def _own_packages(self, version: str, gpu: bool) -> list[str]:
        tensorflow, horovod = _TENSORFLOW_COMPANIONS[version]
        return [
            "azureml-dataset-runtime[fuse,pandas]",
            f"tensorflow-gpu=={tensorflow}" if gpu else f"tensorflow=={tensorflow}",
            f"horovod=={horovod}",
        ]


class Chainer(FrameworkBaseEstimator):
    """A Chainer script with its parameters."""

    FRAMEWORK_NAME = "Chainer"
    DEFAULT_VERSION = "5.1.0"
    _VERSIONS = ("5.1.0", "7.0.0")

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
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._set_up_framework(Settings(locals()))

    def _own_packages(self, version: str, gpu: bool) -> list[str]:
        return [f"chainer=={version}", "mpi4py==3.0.0"]
