"""Classes that keep what they are given and look at none of it, as in v1: any value does."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from tests.sdk.keyword_tables.table import ANY, Keyword, Table

SURFACE = json.loads((Path(__file__).parents[2] / "compat" / "surface.json").read_text("utf-8"))[
    "classes"
]

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
)
#: What needs a workspace's data or environments, of a later release.
_LATER = frozenset({"create", "from_local_directory", "get_environment"})


def _table(v1: str) -> Table:
    module, _, name = v1.rpartition(".")
    of: Any = getattr(importlib.import_module(module), name)
    init = {
        row[0]: Keyword(["x"] if row[0] == "arguments" else "x", ANY)
        for row in SURFACE[v1]["init"]
        if row[1] not in ("*", "**")
    }
    return Table(of=of, v1=v1, owner=lambda _: of(), methods={"__init__": init}, later=_LATER)


TABLES = [_table(name) for name in _NAMES]
