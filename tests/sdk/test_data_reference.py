from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk.data_reference import (
    DataPath,
    DataPathComputeBinding,
    DataReference,
    SqlDataReference,
)
from zaffre.sdk.estimator import Estimator
from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.run import Run
from zaffre.sdk.run_configuration import RunConfiguration
from zaffre.sdk.script_run_config import ScriptRunConfig
from zaffre.sdk.workspace import Workspace

Submit = Callable[..., Run]

#: Prints each path that it is given with the files below it.
SHOW = """
import os, sys
for path in sys.argv[1:]:
    names = [path] if os.path.isfile(path) else sorted(
        os.path.relpath(os.path.join(at, name), path)
        for at, _, files in os.walk(path) for name in files)
    print(os.path.basename(path), names if os.path.isdir(path) else open(path).read())
"""


def files(ws: Workspace, name: str = "workspaceblobstore") -> Path:
    """Return where a built-in datastore's files are, with three of them."""
    root = Path(ws.datastores[name].settings["root"])
    for path in ("data/a.csv", "data/sub/b.csv", "other.txt"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def log_of(run: Run, *, status: str = "Completed") -> str:
    run.wait_for_completion(raise_on_error=False)
    text = run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert run.get_status() == status, text
    return text


def test_a_references_name_is_the_stores_or_made_for_its_path(ws: Workspace) -> None:
    store = ws.get_default_datastore()
    assert str(store.as_mount()) == "$AZUREML_DATAREFERENCE_workspaceblobstore"
    made = store.path("a/b")
    assert len(made.data_reference_name) == 32
    assert repr(made) == f"$AZUREML_DATAREFERENCE_{made.data_reference_name}"
    assert store.path("a", data_reference_name="mine").data_reference_name == "mine"
    below = made.path("c")
    assert below.path_on_datastore == "a/b/c"
    assert below.data_reference_name != made.data_reference_name


def test_a_mode_is_chosen_on_a_copy(ws: Workspace) -> None:
    reference = ws.get_default_datastore().path("a")
    assert reference.mode == "mount"
    copy = reference.as_download(path_on_compute="here")
    assert (copy.mode, copy.path_on_compute, reference.mode) == ("download", "here", "mount")
    assert reference.as_upload(overwrite=True).overwrite
    assert copy.as_mount().path_on_compute is None
    config = copy.to_config()
    assert (config.data_store_name, config.path_on_data_store, config.mode) == (
        "workspaceblobstore",
        "a",
        "download",
    )
    with pytest.raises(UserErrorException, match="Only mount, download, upload are supported"):
        DataReference(reference.datastore, mode="stream")


def test_a_path_and_a_binding_make_a_reference(ws: Workspace) -> None:
    store = ws.get_default_datastore()
    with pytest.raises(ValueError, match="datastore"):
        DataPath()
    path = DataPath(store, "a/b")
    assert (path.datastore_name, path.path_on_datastore) == ("workspaceblobstore", "a/b")
    binding = DataPathComputeBinding(mode="download", path_on_compute="x", overwrite=True)
    made = DataReference.create("name", path, binding)
    assert (made.data_reference_name, made.mode, made.path_on_compute) == ("name", "download", "x")
    assert DataPath.create_from_data_reference(made).path_on_datastore == "a/b"
    again = DataPathComputeBinding.create_from_data_reference(made).create_data_reference("n", path)
    assert again.overwrite
    assert path.create_data_reference().mode == "mount"


def test_a_reference_to_a_database_has_no_path(ws: Workspace) -> None:
    reference = SqlDataReference(ws.get_default_datastore(), "name", sql_query="SELECT 1")
    assert reference.sql_query == "SELECT 1"
    with pytest.raises(UserErrorException, match="no files"):
        reference.as_mount()


def test_a_script_reads_a_mounted_folder_and_file_and_cannot_write_there(
    ws: Workspace, submit: Submit
) -> None:
    root = files(ws)
    store = ws.get_default_datastore()
    text = SHOW + (
        "try:\n    open(os.path.join(sys.argv[1], 'new'), 'w')\n"
        "except OSError as error:\n    print(error.strerror)\n"
    )
    log = log_of(submit(text, store.path("data").as_mount(), store.path("other.txt")))
    assert log.splitlines() == [
        "data ['a.csv', 'sub/b.csv']",
        "other.txt other.txt",
        "Read-only file system",
    ]
    assert not (root / "data/new").exists()


def test_without_a_namespace_a_mount_is_a_link_and_a_line_says_so(
    ws: Workspace, tmp_path: Path
) -> None:
    root = files(ws)
    (tmp_path / "train.py").write_text(SHOW)
    config = ScriptRunConfig(str(tmp_path), "train.py", [ws.get_default_datastore().path("data")])
    config.run_config.environment_variables["ZAFFRE_ISOLATED"] = "0"
    log = log_of(Experiment(ws, "e").submit(config))
    assert "is a link, not a read-only mount" in log
    assert "data ['a.csv', 'sub/b.csv']" in log
    assert sorted(os.listdir(root / "data")) == ["a.csv", "sub"]


def test_a_mount_of_what_is_not_there_is_an_empty_folder(ws: Workspace, submit: Submit) -> None:
    assert log_of(submit(SHOW, ws.get_default_datastore().path("absent"))) == "absent []\n"


def test_a_download_is_a_copy_below_the_working_folder(ws: Workspace, submit: Submit) -> None:
    root = files(ws)
    store = ws.get_default_datastore()
    text = SHOW + "open('inputs/a.csv', 'w').write('changed')\n"
    reference = store.path("data").as_download(path_on_compute="inputs")
    log = log_of(submit(text, reference, store.path("other.txt").as_download()))
    assert log == "inputs ['a.csv', 'sub/b.csv']\nother.txt other.txt\n"
    assert (root / "data/a.csv").read_text() == "data/a.csv"


def test_what_a_script_leaves_arrives_after_the_run_and_replaces_nothing_unasked(
    ws: Workspace, submit: Submit
) -> None:
    root = files(ws)
    store = ws.get_default_datastore()
    text = (
        "import os, sys\n"
        "for folder in sys.argv[1:]:\n"
        "    os.makedirs(folder + '/sub')\n"
        "    for name in ('a.csv', 'sub/new'):\n"
        "        open(folder + '/' + name, 'w').write('of the run')\n"
    )
    first = store.path("data").as_upload(path_on_compute="results")
    second = store.path("other").as_upload(overwrite=True)
    run = submit(text, first, second)
    log_of(run)
    assert (root / "data/sub/new").read_text() == "of the run"
    assert (root / "data/a.csv").read_text() == "data/a.csv"
    assert (root / "other/a.csv").read_text() == "of the run"
    (warning,) = run.get_details()["warnings"]
    assert "Pass overwrite=True" in str(warning)


def test_references_of_a_run_configuration_fill_variables_and_arguments(
    ws: Workspace, tmp_path: Path
) -> None:
    files(ws)
    reference = ws.get_default_datastore().path("data", data_reference_name="raw")
    config = RunConfiguration()
    config.data_references = {reference.data_reference_name: reference.to_config()}
    (tmp_path / "train.py").write_text(
        "import os, sys\n"
        "assert sys.argv[2] == os.environ['AZUREML_DATAREFERENCE_raw'] + '/a.csv'\n"
        "print(open(sys.argv[2]).read())\n"
    )
    script = ScriptRunConfig(
        str(tmp_path), "train.py", ["--data", f"{reference}/a.csv"], run_config=config
    )
    run = Experiment(ws, "e").submit(script)
    assert log_of(run) == "data/a.csv\n"
    definition = run.get_details()["runDefinition"]
    assert definition["arguments"] == ["--data", "$AZUREML_DATAREFERENCE_raw/a.csv"]
    assert definition["dataReferences"]["raw"]["pathOnDataStore"] == "data"


def test_an_estimators_parameters_and_inputs_may_be_references(
    ws: Workspace, tmp_path: Path
) -> None:
    files(ws)
    store = ws.get_default_datastore()
    (tmp_path / "train.py").write_text(
        "import os, sys\nprint(os.listdir(sys.argv[2]), os.environ['AZUREML_DATAREFERENCE_more'])"
    )
    parameters: dict[str, Any] = {"--data-folder": store.path("data/sub").as_mount()}
    estimator = Estimator(
        source_directory=str(tmp_path),
        entry_script="train.py",
        script_params=parameters,
        compute_target="local",
        inputs=[store.path("data", data_reference_name="more").as_download("more")],
    )
    log = log_of(Experiment(ws, "e").submit(estimator))
    assert log.startswith("['b.csv'] ")
    assert log.rstrip().endswith("/work/more")


def test_data_that_cannot_be_had_fails_the_run_in_one_sentence(
    ws: Workspace, submit: Submit
) -> None:
    config = ws.get_default_datastore().path("../../etc").as_download()
    run = submit("print('never')", config)
    log = log_of(run, status="Failed")
    assert "'..' is not allowed" in log
    assert "never" not in log
