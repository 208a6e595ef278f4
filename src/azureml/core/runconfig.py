"""v1's module of RunConfiguration and its parts."""

from __future__ import annotations

from zaffre.sdk.conda_dependencies import CondaDependencies
from zaffre.sdk.container_registry import AzureContainerRegistry, ContainerRegistry
from zaffre.sdk.databricks import JarLibrary
from zaffre.sdk.distributed_configuration import (
    MpiConfiguration,
    PyTorchConfiguration,
    TensorflowConfiguration,
)
from zaffre.sdk.docker_configuration import DockerConfiguration
from zaffre.sdk.environment import Environment, EnvironmentDefinition
from zaffre.sdk.environment_sections import DEFAULT_CPU_IMAGE, DEFAULT_GPU_IMAGE
from zaffre.sdk.run_configuration import RunConfiguration
from zaffre.sdk.run_configuration_sections import (
    AmlComputeConfiguration,
    ApplicationEndpointConfiguration,
    Data,
    DatacacheConfiguration,
    DataLocation,
    DataPath,
    DataReferenceConfiguration,
    Dataset,
    DatasetRegistrationOptions,
    GlobsOptions,
    HdiConfiguration,
    HistoryConfiguration,
    KubernetesComputeConfiguration,
    MountOptions,
    OutputData,
    OutputOptions,
    ParallelTaskConfiguration,
    RegistrationOptions,
    SparkConfiguration,
    UploadOptions,
    Uri,
)

__all__ = [
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "AmlComputeConfiguration",
    "ApplicationEndpointConfiguration",
    "AzureContainerRegistry",
    "CondaDependencies",
    "ContainerRegistry",
    "Data",
    "DataLocation",
    "DataPath",
    "DataReferenceConfiguration",
    "DatacacheConfiguration",
    "Dataset",
    "DatasetRegistrationOptions",
    "DockerConfiguration",
    "Environment",
    "EnvironmentDefinition",
    "GlobsOptions",
    "HdiConfiguration",
    "HistoryConfiguration",
    "JarLibrary",
    "KubernetesComputeConfiguration",
    "MountOptions",
    "MpiConfiguration",
    "OutputData",
    "OutputOptions",
    "ParallelTaskConfiguration",
    "PyTorchConfiguration",
    "RegistrationOptions",
    "RunConfiguration",
    "SparkConfiguration",
    "TensorflowConfiguration",
    "UploadOptions",
    "Uri",
]
