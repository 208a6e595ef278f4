"""Experiment."""

from __future__ import annotations

from tests.sdk.keyword_tables.table import ANY, NEW_ID, NONE, Bench, Keyword, Table, made

from zaffre.sdk.exceptions import AzureMLException
from zaffre.sdk.experiment import Experiment, ViewType
from zaffre.sdk.script_run_config import ScriptRunConfig
from zaffre.sdk.workspace import Workspace

_WORKSPACE = Keyword(made(lambda bench: bench.ws), None)
_FILTER = Keyword({"k": "v"}, 5)


def _old_folder(bench: Bench) -> str:
    bench.file("project.json", f'{{"Scope": "{bench.ws.scope}/projects/p"}}')
    return str(bench.folder)


def _ended(bench: Bench) -> str:
    bench.run.complete()
    return bench.experiment.id


TABLES = [
    Table(
        of=Experiment,
        v1="azureml.core.experiment.Experiment",
        owner=lambda bench: bench.experiment,
        attributes={
            "workspace": Workspace,
            "workspace_object": Workspace,
            "archived_time": NONE,
            "tags": dict,
            **dict.fromkeys(("name", "id", "identity", "portal_url"), str),
        },
        methods={
            "__init__": {
                "workspace": _WORKSPACE,
                "name": Keyword("e", "a b"),
                "_skip_name_validation": Keyword(True, ANY),
                "_id": Keyword(made(lambda bench: bench.experiment.id), ANY),
                "_archived_time": Keyword(None, ANY),
                "_create_in_cloud": Keyword(False, ANY),
                "_experiment_dto": Keyword(None, ANY),
            },
            "submit": {
                "config": Keyword(
                    made(lambda bench: ScriptRunConfig(bench.source(), "train.py")),
                    None,
                    AzureMLException,
                ),
                "tags": Keyword({"k": 1}, 5),
                "run_id": Keyword(NEW_ID, "a/b"),
                "show_output": Keyword(True, ANY),
            },
            "start_logging": {
                "outputs": Keyword(made(lambda bench: str(bench.folder)), 5),
                "snapshot_directory": Keyword(None, 5),
                "display_name": Keyword("shown", 5),
                "name": Keyword("shown", 5),
                "run_id": Keyword(NEW_ID, "a/b"),
            },
            "archive": {},
            "reactivate": {"new_name": Keyword(None, "other")},
            "tag": {"key": Keyword("k", ""), "value": Keyword("v", "x" * 1_001)},
            "set_tags": {"tags": Keyword({"k": 1}, 5)},
            "remove_tags": {"tags": Keyword(["k"], 5)},
            "refresh": {},
            "from_directory": {
                "path": Keyword(made(_old_folder), "/absent"),
                "auth": Keyword(None, ANY),
            },
            "list": {
                "workspace": Keyword(made(lambda bench: bench.ws), None),
                "experiment_name": Keyword("e", 5),
                "view_type": Keyword(ViewType.All, "Some", AzureMLException),
                "tags": _FILTER,
            },
            "delete": {
                "workspace": Keyword(made(lambda bench: bench.ws), None),
                "experiment_id": Keyword(made(_ended), None),
            },
            "get_runs": {
                "type": Keyword("azureml.scriptrun", 5),
                "tags": _FILTER,
                "properties": _FILTER,
                "include_children": Keyword(True, ANY),
            },
            "get_docs_url": {},
            "get_portal_url": {},
        },
    )
]
