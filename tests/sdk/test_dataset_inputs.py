"""Datasets as inputs of runs: as themselves, or as paths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk.dataset import Dataset
from zaffre.sdk.estimator import Estimator
from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.file_dataset import FileDataset
from zaffre.sdk.run import Run
from zaffre.sdk.run_configuration import RunConfiguration
from zaffre.sdk.run_configuration_sections import Data, DataLocation
from zaffre.sdk.run_configuration_sections import Dataset as RunDataset
from zaffre.sdk.script_run_config import ScriptRunConfig
from zaffre.sdk.tabular_dataset import TabularDataset
from zaffre.sdk.workspace import Workspace

ROWS = """
import os, sys
from azureml.core import Run
dataset = Run.get_context().input_datasets["rows"]
print(sys.argv[1:] == [dataset.id] == [os.environ["rows"]])
print(dataset.to_pandas_dataframe()["a"].tolist())
"""

PATHS = """
import os, sys
from azureml.core import Run
path = Run.get_context().input_datasets["files"]
print(path == os.environ["files"] and path in (sys.argv + [path])[1:])
for at, _, names in sorted(os.walk(path)):
    for name in sorted(names):
        full = os.path.join(at, name)
        print(os.path.relpath(full, path), open(full).read())
if os.path.isfile(path):
    print(os.path.basename(path), open(path).read())
"""


@pytest.fixture
def store(ws: Workspace) -> Any:
    """The default datastore with a table and three files."""
    datastore = ws.get_default_datastore()
    root = Path(datastore.settings["root"])
    for path, text in (
        ("t.csv", "a\n1\n2\n"),
        ("f/1.txt", "one"),
        ("f/sub/2.txt", "two"),
        ("f/3.md", "three"),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return datastore


@pytest.fixture
def rows(store: Any) -> TabularDataset:
    """Two rows."""
    return Dataset.Tabular.from_delimited_files((store, "t.csv"))


@pytest.fixture
def submit(experiment: Experiment, tmp_path: Path) -> Callable[..., Run]:
    """Submit a script's text with arguments and return the ended run."""

    def start(text: str, *arguments: Any, **options: Any) -> Run:
        (tmp_path / "source").mkdir(exist_ok=True)
        (tmp_path / "source/train.py").write_text(text)
        config = ScriptRunConfig(
            str(tmp_path / "source"), "train.py", arguments=list(arguments), **options
        )
        run = experiment.submit(config)
        run.wait_for_completion(raise_on_error=False)
        return run

    return start


def log_of(run: Run) -> str:
    text = run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert run.get_status() == "Completed", text
    return text


def test_a_table_is_itself_in_the_script(rows: TabularDataset, submit: Callable[..., Run]) -> None:
    run = submit(ROWS, rows.as_named_input("rows"))
    assert log_of(run) == "True\n[1, 2]\n"
    assert rows.id, "it was saved at submit"
    assert rows.name is None
    (shown,) = run.get_details()["inputDatasets"]
    assert json.loads(json.dumps(shown)) == {
        "dataset": {"id": rows.id},
        "consumptionDetails": {"type": "RunInput", "inputName": "rows", "mechanism": "Direct"},
    }
    assert isinstance(shown["dataset"], TabularDataset)
    assert run.input_datasets["rows"].id == rows.id
    data = run.get_details()["runDefinition"]["data"]["rows"]
    assert data["dataLocation"]["dataset"] == {"id": rows.id, "name": None, "version": None}
    assert data["mechanism"] == "Direct"


def test_an_estimators_input_is_a_registered_table(
    ws: Workspace, rows: TabularDataset, experiment: Experiment, tmp_path: Path
) -> None:
    registered = rows.register(ws, "my rows")
    (tmp_path / "train.py").write_text(
        ROWS.replace("sys.argv[1:] == [dataset.id] ==", "[dataset.id] ==")
    )
    run = experiment.submit(
        Estimator(
            str(tmp_path),
            compute_target="local",
            entry_script="train.py",
            inputs=[registered.as_named_input("rows")],
        )
    )
    run.wait_for_completion(raise_on_error=False)
    assert log_of(run) == "True\n[1, 2]\n"
    data = run.get_details()["runDefinition"]["data"]["rows"]["dataLocation"]["dataset"]
    assert data == {"id": registered.id, "name": "my rows", "version": "1"}


@pytest.mark.parametrize("mode", ["as_mount", "as_download"])
def test_files_are_a_path(store: Any, submit: Callable[..., Run], mode: str) -> None:
    for path, shown in (
        ("f/", "1.txt one\n3.md three\nsub/2.txt two\n"),
        ("f/**/*.txt", "1.txt one\nsub/2.txt two\n"),
        ("f/*.md", "3.md three\n"),
        ("f/1.txt", "1.txt one\n"),
    ):
        named = Dataset.File.from_files((store, path)).as_named_input("files")
        run = submit(PATHS, getattr(named, mode)())
        assert log_of(run) == "True\n" + shown


def test_a_command_may_hold_an_input(store: Any, experiment: Experiment, tmp_path: Path) -> None:
    named = Dataset.File.from_files((store, "f/1.txt")).as_named_input("files").as_mount()
    run = experiment.submit(ScriptRunConfig(str(tmp_path), command=["cat", named]))
    run.wait_for_completion(raise_on_error=False)
    assert log_of(run) == "one"


def test_a_path_may_be_chosen(store: Any, submit: Callable[..., Run]) -> None:
    named = Dataset.File.from_files((store, "f/*.txt")).as_named_input("files")
    run = submit("print(open('data/1.txt').read())", named.as_download(path_on_compute="data"))
    assert log_of(run) == "one\n"


def test_an_input_may_be_written_out_in_a_run_configuration(
    ws: Workspace, store: Any, submit: Callable[..., Run]
) -> None:
    dataset = Dataset.File.from_files((store, "f/1.txt")).register(ws, "one file")
    run_config = RunConfiguration()
    run_config.data = {
        "files": Data(
            data_location=DataLocation(dataset=RunDataset(dataset_id=dataset.id)),
            mechanism="mount",
            environment_variable_name="files",
        )
    }
    config = {"run_config": run_config}
    run = submit(PATHS, "DatasetConsumptionConfig:files", **config)
    assert log_of(run) == "True\n1.txt one\n"


def test_a_dataset_by_itself_is_refused(
    rows: TabularDataset, submit: Callable[..., Run], store: Any
) -> None:
    with pytest.raises(UserErrorException, match="as_named_input"):
        submit("", rows)
    with pytest.raises(UserErrorException, match="environment variable PATH"):
        submit("", rows.as_named_input("path"))
    assert isinstance(Dataset.File.from_files((store, "f/")).as_mount().dataset, FileDataset)


def test_files_that_are_gone_fail_the_run_before_its_script(
    store: Any, submit: Callable[..., Run]
) -> None:
    gone = Dataset.File.from_files((store, "absent/*.txt"), validate=False)
    run = submit("print('started')", gone.as_named_input("files").as_download())
    assert run.get_status() == "Failed"
    assert "stream was not found" in run.get_details()["error"]["error"]["message"]
