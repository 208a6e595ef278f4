"""Model and ResourceConfiguration."""

from __future__ import annotations

from datetime import datetime

from tests.sdk.keyword_tables.table import ANY, NONE, SET, Bench, Keyword, Table, made

from zaffre.sdk.exceptions import (
    AzureMLException,
    ModelNotFoundException,
    NotBuiltYetException,
    WebserviceException,
)
from zaffre.sdk.model import Model
from zaffre.sdk.resource_configuration import ResourceConfiguration
from zaffre.sdk.workspace import Workspace

_WORKSPACE = Keyword(made(lambda bench: bench.ws), None, AttributeError)
_FILTER = Keyword([["k", "v"]], {"k": "v"})
_TAGS = Keyword({"k": 1.5}, 5, WebserviceException)
_DATASET = Keyword("id", 5, AzureMLException)
_RESOURCES = Keyword(ResourceConfiguration(cpu=1), 5, AzureMLException)


def _stored(bench: Bench) -> str:
    """The name of a model that is registered."""
    return bench.model.name


def _folder(bench: Bench) -> str:
    bench.file("fold/a.txt")
    return str(bench.folder / "fold")


MODEL = Table(
    of=Model,
    v1="azureml.core.model.Model",
    owner=lambda bench: bench.model,
    later=frozenset({"print_configuration", "deploy", "package", "profile"}),
    attributes={
        **dict.fromkeys(("name", "id", "model_framework", "mime_type", "url"), str),
        **dict.fromkeys(("tags", "properties", "datasets", "created_by"), dict),
        "version": int,
        "created_time": datetime,
        "unpack": bool,
        "workspace": Workspace,
        "derived_model_ids": list,
        **dict.fromkeys(("description", "experiment_name", "model_framework_version"), NONE),
        **dict.fromkeys(("parent_id", "resource_configuration", "run", "run_id"), NONE),
        **dict.fromkeys(("sample_input_dataset", "sample_output_dataset"), NONE),
    },
    methods={
        "__init__": {
            "workspace": Keyword(
                made(lambda bench: bench.ws), None, AttributeError, needs=("name",)
            ),
            "name": Keyword(made(_stored), "absent", ModelNotFoundException),
            "id": Keyword(made(lambda bench: bench.model.id), "absent:1", ModelNotFoundException),
            "tags": Keyword([["k", "v"]], {"k": "v"}, needs=("name",)),
            "properties": Keyword([], {"k": "v"}, needs=("name",)),
            "version": Keyword(1, "first", WebserviceException, needs=("name",)),
            "run_id": Keyword(None, "absent", ModelNotFoundException, needs=("name",)),
            "model_framework": Keyword("Custom", "absent", ModelNotFoundException, needs=("name",)),
            "expand": Keyword(False, ANY, needs=("name",)),
        },
        "register": {
            "workspace": _WORKSPACE,
            "model_path": Keyword(made(_folder), "absent", FileNotFoundError),
            "model_name": Keyword("m", "a b", WebserviceException),
            "tags": _TAGS,
            "properties": _TAGS,
            "description": Keyword("what it is", 5, WebserviceException),
            "datasets": Keyword([], [("train", "x")], WebserviceException),
            "model_framework": Keyword("ScikitLearn", 5, WebserviceException),
            "model_framework_version": Keyword("0.20", ANY),
            "child_paths": Keyword(["a.txt"], ["absent"], FileNotFoundError),
            "sample_input_dataset": _DATASET,
            "sample_output_dataset": _DATASET,
            "resource_configuration": _RESOURCES,
        },
        "get_model_path": {
            "model_name": Keyword(
                made(_stored), "absent", ModelNotFoundException, needs=("_workspace",)
            ),
            "version": Keyword(1, "1", WebserviceException, needs=("_workspace",)),
            "_workspace": Keyword(made(lambda bench: bench.ws), "x", AttributeError),
        },
        "download": {
            "target_dir": Keyword(made(lambda bench: str(bench.folder / "to")), 5),
            "exist_ok": Keyword(True, ANY),
            "exists_ok": Keyword(True, ANY),
        },
        "list": {
            "workspace": _WORKSPACE,
            "name": Keyword("m", 5),
            "tags": _FILTER,
            "properties": _FILTER,
            "run_id": Keyword("r", 5),
            "latest": Keyword(True, ANY),
            "dataset_id": Keyword(None, "id", NotBuiltYetException),
            "expand": Keyword(False, ANY),
            "page_count": Keyword(2, "two"),
            "model_framework": Keyword("Custom", 5),
        },
        "serialize": {},
        "deserialize": {
            "workspace": Keyword(made(lambda bench: bench.ws), ANY),
            "model_payload": Keyword(
                made(lambda bench: bench.model.serialize()), {}, WebserviceException
            ),
        },
        "update": {
            "tags": _TAGS,
            "description": Keyword("what it is", 5, AzureMLException),
            "sample_input_dataset": _DATASET,
            "sample_output_dataset": _DATASET,
            "resource_configuration": _RESOURCES,
        },
        "update_tags_properties": {
            "add_tags": _TAGS,
            "remove_tags": Keyword(["k"], 5, WebserviceException),
            "add_properties": _TAGS,
        },
        "add_tags": {"tags": _TAGS},
        "remove_tags": {"tags": Keyword(["k"], 5, WebserviceException)},
        "add_properties": {"properties": _TAGS},
        "add_dataset_references": {"datasets": Keyword([], [("train", "x")], WebserviceException)},
        "delete": {},
        "get_sas_urls": {},
    },
)

RESOURCES = Table(
    of=ResourceConfiguration,
    v1="azureml.core.resource_configuration.ResourceConfiguration",
    owner=lambda _: ResourceConfiguration(),
    attributes=dict.fromkeys(("cpu", "memory_in_gb", "gpu"), SET),
    methods={
        "__init__": {
            "cpu": Keyword(1, ANY),
            "memory_in_gb": Keyword(1.5, ANY),
            "gpu": Keyword(1, ANY),
        },
        "serialize": {},
        "deserialize": {"payload_obj": Keyword({"cpu": 1}, 5, AzureMLException)},
    },
)

TABLES = [MODEL, RESOURCES]
