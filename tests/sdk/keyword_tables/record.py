"""Classes that keep what they are given and look at none of it, as in v1: any value does."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from tests.sdk.keyword_tables.table import ANY, SET, SURFACE, Keyword, Table

_RUNCONFIG = (
    "ApplicationEndpointConfiguration",
    "Data",
    "DataLocation",
    "DataPath",
    "DataReferenceConfiguration",
    "DatacacheConfiguration",
    "Dataset",
    "DatasetRegistrationOptions",
    "DockerConfiguration",
    "GlobsOptions",
    "MountOptions",
    "MpiConfiguration",
    "OutputData",
    "OutputOptions",
    "PyTorchConfiguration",
    "RegistrationOptions",
    "TensorflowConfiguration",
    "UploadOptions",
    "Uri",
)
_DATABRICKS = (
    "DatabricksCluster",
    "EggLibrary",
    "JarLibrary",
    "MavenLibrary",
    "PyPiLibrary",
    "RCranLibrary",
)
_NAMES = (
    *(f"azureml.core.runconfig.{name}" for name in _RUNCONFIG),
    *(f"azureml.core.databricks.{name}" for name in _DATABRICKS),
    "azureml.core.environment.DockerBuildContext",
    "azureml.core.environment.EnvironmentReference",
    "azureml.core.environment.SparkPackage",
    "azureml.core.run.LinkOutput",
    "azureml.core.run.OutputDatasets",
    # These have no keywords: users assign to their attributes.
    "azureml.core.container_registry.ContainerRegistry",
    "azureml.core.container_registry.RegistryIdentity",
    "azureml.core.databricks.DatabricksEnvironment",
    "azureml.core.databricks.DatabricksSection",
    "azureml.core.environment.DockerEnvironment",
    "azureml.core.environment.DockerSection",
    "azureml.core.environment.DockerImagePlatform",
    "azureml.core.environment.PythonEnvironment",
    "azureml.core.environment.PythonSection",
    "azureml.core.environment.RCranPackage",
    "azureml.core.environment.RGitHubPackage",
    "azureml.core.environment.RSection",
    "azureml.core.environment.SparkEnvironment",
    "azureml.core.environment.SparkSection",
    "azureml.core.runconfig.AmlComputeConfiguration",
    "azureml.core.runconfig.AzureContainerRegistry",
    "azureml.core.runconfig.HdiConfiguration",
    "azureml.core.runconfig.HistoryConfiguration",
    "azureml.core.runconfig.KubernetesComputeConfiguration",
    "azureml.core.runconfig.ParallelTaskConfiguration",
    "azureml.core.runconfig.SparkConfiguration",
)
#: What needs a workspace's data or environments, of a later release.
_LATER = frozenset({"create", "from_local_directory", "get_environment", "link"})
#: What is assigned to these changes nothing.
_FIXED = {"gpu_support": bool}


def _table(v1: str) -> Table:
    module, _, name = v1.rpartition(".")
    of: Any = getattr(importlib.import_module(module), name)
    init = {
        row[0]: Keyword(["x"] if row[0] == "arguments" else "x", ANY)
        for row in SURFACE[v1].get("init") or ()
        if row[1] not in ("*", "**")
    }
    needed = {
        name: init[name].right
        for name, parameter in inspect.signature(of).parameters.items()
        if parameter.default is parameter.empty and name in init
    }
    members = SURFACE[v1].get("members", {}).items()
    properties = [name for name, row in members if row["k"].startswith("property")]
    return Table(
        of=of,
        v1=v1,
        owner=lambda _: of(**needed),
        methods={"__init__": init},
        attributes={
            name: _FIXED.get(name, SET) for name in [*(SURFACE[v1].get("attrs") or ()), *properties]
        },
        later=_LATER,
    )


TABLES = [_table(name) for name in _NAMES]
