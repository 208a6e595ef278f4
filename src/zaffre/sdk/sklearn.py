"""The estimator for scikit-learn."""

from __future__ import annotations

from zaffre.sdk.estimator import FrameworkBaseEstimator
from zaffre.sdk.estimator_configuration import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.container_registry import ContainerRegistry
    from zaffre.sdk.environment import Environment


class SKLearn(FrameworkBaseEstimator):
    """A scikit-learn script with its parameters; never distributed."""

    FRAMEWORK_NAME = "SKLearn"
    DEFAULT_VERSION = "0.20.3"
    _VERSIONS = ("0.20.3",)

    def __init__(
        self,
        source_directory: str,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: dict[str, Any] | None = None,
        use_docker: bool = True,
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
        return [f"scikit-learn=={version}", "scipy==1.2.1", "joblib==0.13.2"]
