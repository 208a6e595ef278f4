"""v1's main package: its names, each imported when it is first asked for."""

from __future__ import annotations

from zaffre.contract.version import SDK_V1_VERSION as VERSION
from zaffre.sdk.lazy import loader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from azureml.core.compute import ComputeTarget
    from azureml.core.compute_target import (
        attach_legacy_compute_target,
        is_compute_target_prepared,
        prepare_compute_target,
        remove_legacy_compute_target,
    )
    from azureml.core.container_registry import ContainerRegistry
    from azureml.core.dataset import Dataset
    from azureml.core.datastore import Datastore
    from azureml.core.environment import Environment
    from azureml.core.experiment import Experiment
    from azureml.core.image import Image
    from azureml.core.keyvault import Keyvault
    from azureml.core.linked_service import (
        LinkedService,
        SynapseWorkspaceLinkedServiceConfiguration,
    )
    from azureml.core.model import Model
    from azureml.core.private_endpoint import PrivateEndPoint, PrivateEndPointConfig
    from azureml.core.run import Run, get_run
    from azureml.core.runconfig import RunConfiguration
    from azureml.core.script_run import ScriptRun
    from azureml.core.script_run_config import ScriptRunConfig
    from azureml.core.webservice import Webservice
    from azureml.core.workspace import Workspace
    from azureml.train.estimator import Estimator
    from zaffre.sdk.diagnostic_log import diagnostic_log

__version__ = VERSION

_NAMES = {
    "ComputeTarget": "azureml.core.compute",
    "ContainerRegistry": "azureml.core.container_registry",
    "Dataset": "azureml.core.dataset",
    "Datastore": "azureml.core.datastore",
    "Environment": "azureml.core.environment",
    "Estimator": "azureml.train.estimator",
    "Experiment": "azureml.core.experiment",
    "Image": "azureml.core.image",
    "Keyvault": "azureml.core.keyvault",
    "LinkedService": "azureml.core.linked_service",
    "Model": "azureml.core.model",
    "PrivateEndPoint": "azureml.core.private_endpoint",
    "PrivateEndPointConfig": "azureml.core.private_endpoint",
    "Run": "azureml.core.run",
    "RunConfiguration": "azureml.core.runconfig",
    "ScriptRun": "azureml.core.script_run",
    "ScriptRunConfig": "azureml.core.script_run_config",
    "SynapseWorkspaceLinkedServiceConfiguration": "azureml.core.linked_service",
    "Webservice": "azureml.core.webservice",
    "Workspace": "azureml.core.workspace",
    "attach_legacy_compute_target": "azureml.core.compute_target",
    "diagnostic_log": "zaffre.sdk.diagnostic_log",
    "get_run": "azureml.core.run",
    "is_compute_target_prepared": "azureml.core.compute_target",
    "prepare_compute_target": "azureml.core.compute_target",
    "remove_legacy_compute_target": "azureml.core.compute_target",
}

_SUBMODULES = (
    "authentication",
    "compute",
    "compute_target",
    "conda_dependencies",
    "container_registry",
    "databricks",
    "dataset",
    "datastore",
    "environment",
    "experiment",
    "image",
    "keyvault",
    "linked_service",
    "model",
    "private_endpoint",
    "profile",
    "resource_configuration",
    "run",
    "runconfig",
    "script_run",
    "script_run_config",
    "util",
    "webservice",
    "workspace",
)

__all__ = [
    "VERSION",
    "ComputeTarget",
    "ContainerRegistry",
    "Dataset",
    "Datastore",
    "Environment",
    "Estimator",
    "Experiment",
    "Image",
    "Keyvault",
    "LinkedService",
    "Model",
    "PrivateEndPoint",
    "PrivateEndPointConfig",
    "Run",
    "RunConfiguration",
    "ScriptRun",
    "ScriptRunConfig",
    "SynapseWorkspaceLinkedServiceConfiguration",
    "Webservice",
    "Workspace",
    "attach_legacy_compute_target",
    "diagnostic_log",
    "get_run",
    "is_compute_target_prepared",
    "prepare_compute_target",
    "remove_legacy_compute_target",
]

__getattr__ = loader(__name__, globals(), _NAMES, _SUBMODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES, *_SUBMODULES})
