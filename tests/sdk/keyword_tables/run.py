"""Run, and the run of a script that nobody submitted."""

from __future__ import annotations

import io
from typing import Any

from tests.sdk.keyword_tables.table import ANY, NEW_ID, NONE, Bench, Keyword, Table, made

from zaffre.contract.run import RunState
from zaffre.sdk.exceptions import (
    AzureMLException,
    ModelPathNotFoundException,
    RunEnvironmentException,
    ServiceException,
    WebserviceException,
)
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.offline_run import _OfflineRun  # pyright: ignore[reportPrivateUsage]
from zaffre.sdk.resource_configuration import ResourceConfiguration
from zaffre.sdk.run import Run
from zaffre.sdk.run_datasets import InputDatasets, OutputDatasets
from zaffre.sdk.script_run_config import ScriptRunConfig

_FILTER = Keyword({"k": "v"}, 5)
_STATUS = Keyword(RunState.RUNNING.value, "Walking")
_METRIC = Keyword("metric", "")
_DESCRIPTION = Keyword("what it is", ANY)
_DATASTORE = Keyword("store", ANY)
_CHART = {
    "name": _METRIC,
    "value": Keyword({"schema_type": "x", "data": {}}, "no json"),
    "description": _DESCRIPTION,
}
#: The beginning of an image of one pixel: more is not looked at.
_PNG = b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d49484452000000010000000108000000003a7e9b55")


class _Figure:
    """A figure as log_image asks for it: it saves itself."""

    def savefig(self, target: io.BytesIO, **_: Any) -> None:
        target.write(_PNG)


class _Target:
    """A compute target as `list_by_compute` asks for it."""

    def __init__(self, bench: Bench) -> None:
        self.workspace = bench.ws
        self.name = "local"


def _png(bench: Bench) -> str:
    path = bench.folder / "image.png"
    path.write_bytes(_PNG)
    return str(path)


def _snapshot(bench: Bench) -> str:
    return bench.run.take_snapshot(bench.source())


def _text_file(bench: Bench) -> str:
    return str(bench.file())


def _folder(bench: Bench) -> str:
    bench.file()
    return str(bench.folder)


def _waiting(bench: Bench) -> Run:
    return bench.run.create_children(1)[0]


RUN = Table(
    of=Run,
    v1="azureml.core.run.Run",
    owner=lambda bench: bench.run,
    attributes={
        **dict.fromkeys(("id", "status", "identity", "portal_url"), str),
        **dict.fromkeys(("name", "display_name", "description", "type", "parent"), NONE),
        "number": int,
        "experiment": Experiment,
        "tags": dict,
        "properties": dict,
        "input_datasets": InputDatasets,
        "output_datasets": OutputDatasets,
    },
    methods={
        "__init__": {
            "experiment": Keyword(made(lambda bench: bench.experiment), None, AttributeError),
            "run_id": Keyword(made(lambda bench: bench.run.id), "absent", ServiceException),
            "outputs": Keyword(made(lambda bench: str(bench.folder)), 5),
        },
        "get_context": {
            "allow_offline": Keyword(True, False, RunEnvironmentException),
            "used_for_context_manager": Keyword(True, ANY),
        },
        "get_secret": {"name": Keyword("a-name", "a b")},
        "get_secrets": {"secrets": Keyword(["a"], "a")},
        "add_type_provider": {
            "runtype": Keyword("my.type", 5),
            "run_factory": Keyword(lambda experiment, record: record, "x"),
        },
        "list": {
            "experiment": Keyword(made(lambda bench: bench.experiment), None, AttributeError),
            "type": Keyword("azureml.scriptrun", 5),
            "tags": _FILTER,
            "properties": _FILTER,
            "status": _STATUS,
            "include_children": Keyword(True, ANY),
            "_rehydrate_runs": Keyword(False, ANY),
        },
        "list_by_compute": {
            "compute": Keyword(made(_Target), "local", AttributeError),
            "type": Keyword("azureml.scriptrun", 5),
            "tags": _FILTER,
            "properties": _FILTER,
            "status": Keyword("Queued", "Completed"),
        },
        "get": {
            "workspace": Keyword(made(lambda bench: bench.ws), None, AttributeError),
            "run_id": Keyword(made(lambda bench: bench.run.id), "absent", ServiceException),
        },
        "submit_child": {
            "config": Keyword(
                made(lambda bench: ScriptRunConfig(bench.source(), "train.py")),
                None,
                AzureMLException,
            ),
            "tags": Keyword({"k": 1}, 5),
            "run_id": Keyword(NEW_ID, "a/b"),
        },
        "wait_for_completion": {
            "show_output": Keyword(True, ANY),
            "wait_post_processing": Keyword(True, ANY),
            "raise_on_error": Keyword(False, ANY),
        },
        "clean": {},
        "get_all_logs": {"destination": Keyword(made(lambda bench: str(bench.folder)), 5)},
        "get_details_with_logs": {},
        "get_status": {},
        "get_detailed_status": {},
        "get_details": {},
        "get_children": {
            "recursive": Keyword(True, ANY),
            "tags": _FILTER,
            "properties": _FILTER,
            "type": Keyword("azureml.scriptrun", 5),
            "status": _STATUS,
            "_rehydrate_runs": Keyword(False, ANY),
        },
        "get_metrics": {
            "name": Keyword("metric", 5),
            "recursive": Keyword(True, ANY),
            "run_type": Keyword("azureml.scriptrun", 5, needs=("recursive",)),
            "populate": Keyword(True, ANY),
        },
        "complete": {"_set_status": Keyword(False, ANY)},
        "fail": {
            "error_details": Keyword("what is wrong", ANY),
            "error_code": Keyword("MyError", ANY),
            "_set_status": Keyword(True, ANY),
        },
        "cancel": {},
        "flush": {"timeout_seconds": Keyword(30, "soon")},
        "child_run": {
            "name": Keyword("a child", 5),
            "run_id": Keyword(NEW_ID, "a/b"),
            "outputs": Keyword(made(lambda bench: str(bench.folder)), 5),
        },
        "create_children": {
            "count": Keyword(2, "two"),
            "tag_key": Keyword("k", "", needs=("tag_values",)),
            "tag_values": Keyword(["a"], 5, needs=("tag_key",)),
        },
        "tag": {"key": Keyword("k", ""), "value": Keyword("v", "x" * 1_001)},
        "set_tags": {"tags": Keyword({"k": 1}, 5)},
        "get_tags": {},
        "remove_tags": {"tags": Keyword(["k"], 5)},
        "add_properties": {"properties": Keyword({"p": 1}, 5)},
        "get_properties": {},
        "log": {
            "name": _METRIC,
            "value": Keyword(1.5, [1, 2]),
            "description": _DESCRIPTION,
            "step": Keyword(3, "third"),
        },
        "log_list": {
            "name": _METRIC,
            "value": Keyword([1, 2.5], [[1], [2]], AzureMLException),
            "description": _DESCRIPTION,
        },
        "log_row": {
            "name": _METRIC,
            "description": _DESCRIPTION,
            "x": Keyword(1, [1], AzureMLException),
        },
        "log_table": {
            "name": _METRIC,
            "value": Keyword({"a": [1, 2]}, {"a": [1], "b": [1, 2]}, AzureMLException),
            "description": _DESCRIPTION,
        },
        "log_confusion_matrix": _CHART,
        "log_accuracy_table": _CHART,
        "log_residuals": _CHART,
        "log_predictions": _CHART,
        "log_image": {
            "name": Keyword("metric", "", needs=("path",)),
            "path": Keyword(made(_png), made(_text_file), AzureMLException),
            "plot": Keyword(_Figure(), 5, AzureMLException),
            "description": Keyword("what it is", ANY, needs=("path",)),
        },
        "upload_file": {
            "name": Keyword("a.txt", "../a"),
            "path_or_stream": Keyword(made(_text_file), "absent", FileNotFoundError),
            "datastore_name": _DATASTORE,
        },
        "upload_folder": {
            "name": Keyword("folder", "/a"),
            "path": Keyword(made(_folder), "absent"),
            "datastore_name": _DATASTORE,
        },
        "upload_files": {
            "names": Keyword(["a.txt"], ["a", "b"], TypeError),
            "paths": Keyword(
                made(lambda bench: [_text_file(bench)]), ["absent"], FileNotFoundError
            ),
            "return_artifacts": Keyword(True, ANY),
            "timeout_seconds": Keyword(5, ANY),
            "datastore_name": _DATASTORE,
        },
        "get_file_names": {},
        "download_file": {
            "name": Keyword("model.pkl", "absent"),
            "output_file_path": Keyword(made(lambda bench: str(bench.folder / "x")), 5),
            "_validate_checksum": Keyword(True, ANY),
        },
        "download_files": {
            "prefix": Keyword("out", 5),
            "output_directory": Keyword(made(lambda bench: str(bench.folder)), 5),
            "output_paths": Keyword(["a.txt"], 5, needs=("prefix",)),
            "batch_size": Keyword(10, ANY),
            "append_prefix": Keyword(False, ANY),
            "timeout_seconds": Keyword(5, ANY),
        },
        "take_snapshot": {
            "file_or_folder_path": Keyword(
                made(lambda bench: bench.source()), "absent", FileNotFoundError
            )
        },
        "restore_snapshot": {
            "snapshot_id": Keyword(made(_snapshot), "absent", ServiceException),
            "path": Keyword(made(_folder), 5, needs=("snapshot_id",)),
        },
        "get_snapshot_id": {},
        "register_model": {
            "model_name": Keyword("model.pkl", "a b", WebserviceException),
            "model_path": Keyword("out", "absent", ModelPathNotFoundException),
            "tags": Keyword({"k": 1.5}, 5, WebserviceException),
            "properties": Keyword({"p": 1.5}, 5, WebserviceException),
            "model_framework": Keyword("ScikitLearn", 5, WebserviceException),
            "model_framework_version": Keyword("0.20", ANY),
            "description": Keyword("what it is", 5, WebserviceException),
            "datasets": Keyword([], [("train", "x")], WebserviceException),
            "sample_input_dataset": Keyword("id", 5, AzureMLException),
            "sample_output_dataset": Keyword("id", 5, AzureMLException),
            "resource_configuration": Keyword(ResourceConfiguration(cpu=1), 5, AzureMLException),
        },
        "get_docs_url": {},
        "get_portal_url": {},
    },
)

WAITING_RUN = Table(
    of=Run,
    v1="azureml.core.run.Run",
    owner=_waiting,
    methods={"start": {}},
    later=frozenset({*RUN.methods, *RUN.attributes}),
)

_ANYTHING = Keyword("x", ANY)
_ANY_METRIC = {"name": _ANYTHING, "value": _ANYTHING, "description": _ANYTHING}

OFFLINE_RUN = Table(
    of=_OfflineRun,
    v1="azureml.core.run._OfflineRun",
    owner=lambda _: _OfflineRun(),
    attributes={"id": str, "identity": str},
    methods={
        "__init__": {"parent_logger": _ANYTHING, "run_id": _ANYTHING},
        "add_properties": {"properties": _ANYTHING},
        "set_tags": {"tags": _ANYTHING},
        "tag": {"name": _ANYTHING, "value": _ANYTHING},
        "complete": {},
        "fail": {"error_details": _ANYTHING, "error_code": _ANYTHING},
        "cancel": {},
        "flush": {},
        "log": {**_ANY_METRIC, "step": Keyword(1, ANY)},
        "log_list": _ANY_METRIC,
        "log_table": _ANY_METRIC,
        "log_row": {"name": _ANYTHING, "description": _ANYTHING, "x": Keyword(1, ANY)},
        "log_image": {
            "name": _ANYTHING,
            "path": _ANYTHING,
            "plot": _ANYTHING,
            "description": _ANYTHING,
        },
        "log_confusion_matrix": _ANY_METRIC,
        "log_accuracy_table": _ANY_METRIC,
        "log_residuals": _ANY_METRIC,
        "log_predictions": _ANY_METRIC,
        "upload_file": {
            "name": _ANYTHING,
            "path_or_stream": _ANYTHING,
            "datastore_name": _ANYTHING,
        },
        "upload_files": {
            "name": _ANYTHING,
            "names": _ANYTHING,
            "paths": _ANYTHING,
            "return_artifacts": Keyword(True, ANY),
            "timeout_seconds": Keyword(5, ANY),
            "datastore_name": _ANYTHING,
        },
        "upload_folder": {"name": _ANYTHING, "path": _ANYTHING, "datastore_name": _ANYTHING},
        "child_run": {"name": _ANYTHING, "run_id": _ANYTHING, "outputs": _ANYTHING},
    },
)

TABLES = [RUN, WAITING_RUN, OFFLINE_RUN]
