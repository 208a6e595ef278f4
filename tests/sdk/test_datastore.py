from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from zaffre.sdk.datastore import Datastore
from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.workspace import Workspace


def test_a_new_workspace_has_v1s_datastores(ws: Workspace) -> None:
    assert list(ws.datastores) == [
        "workspaceblobstore",
        "workspacefilestore",
        "workspaceartifactstore",
        "workspaceworkingdirectory",
        "azureml_globaldatasets",
    ]
    default = ws.get_default_datastore()
    assert (default.name, default.datastore_type) == ("workspaceblobstore", "AzureBlob")
    assert type(default).__name__ == "AzureBlobDatastore"
    assert Datastore(ws).name == Datastore.get_default(ws).name == "workspaceblobstore"
    assert Datastore(ws, "workspacefilestore").datastore_type == "AzureFile"
    assert Datastore.get(ws, "WorkspaceFileStore").name == "workspacefilestore"
    assert default.workspace is ws
    assert default.container_name == f"azureml-blobstore-{ws.workspace_id}"
    assert default.account_key is None


def test_its_text_is_json_as_v1_wrote_it(ws: Workspace) -> None:
    default = ws.get_default_datastore()
    assert repr(default) == str(default)
    assert list(json.loads(str(default))) == [
        "name",
        "container_name",
        "account_name",
        "protocol",
        "endpoint",
    ]
    with pytest.raises(AttributeError, match="'AzureBlobDatastore' object has no attribute 'nme'"):
        _ = default.nme


def test_another_default_can_be_chosen(ws: Workspace) -> None:
    ws.set_default_datastore("workspacefilestore")
    assert ws.get_default_datastore().name == "workspacefilestore"
    Datastore(ws, "workspaceblobstore").set_as_default()
    assert ws.get_default_datastore().name == "workspaceblobstore"
    with pytest.raises(UserErrorException, match="Could not find datastore absent"):
        ws.set_default_datastore("absent")


def test_a_datastore_that_is_not_there_is_a_user_error(ws: Workspace) -> None:
    with pytest.raises(UserErrorException, match="Could not find datastore absent"):
        Datastore.get(ws, "absent")
    with pytest.raises(UserErrorException, match="'a/b' is not allowed"):
        Datastore(ws, "a/b")


def test_a_built_in_datastore_cannot_be_unregistered(ws: Workspace) -> None:
    with pytest.raises(UserErrorException, match="cannot be removed"):
        ws.get_default_datastore().unregister()


def below(ws: Workspace, name: str = "workspaceblobstore") -> dict[str, str]:
    """Return path to content of all files of a built-in datastore."""
    root = Path(ws.datastores[name].settings["root"])
    found = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_text() for path in sorted(found)}


@pytest.fixture
def tree(home: Path) -> Path:
    """The current folder with three files below `data`."""
    for path in ("data/a.csv", "data/b.csv", "data/sub/c.csv"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(path)
    return Path.cwd()


def test_files_of_one_folder_land_flat_with_v1s_lines(
    ws: Workspace, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ws.get_default_datastore()
    target = store.upload_files(
        files=["./data/a.csv", "./data/b.csv"], target_path="diabetes-data/", overwrite=True
    )
    assert capsys.readouterr().out.splitlines() == [
        "Uploading an estimated of 2 files",
        "Uploading ./data/a.csv",
        "Uploaded ./data/a.csv, 1 files out of an estimated total of 2",
        "Uploading ./data/b.csv",
        "Uploaded ./data/b.csv, 2 files out of an estimated total of 2",
        "Uploaded 2 files",
    ]
    assert below(ws) == {"diabetes-data/a.csv": "data/a.csv", "diabetes-data/b.csv": "data/b.csv"}
    assert (target.path_on_datastore, len(target.data_reference_name)) == ("diabetes-data", 32)


def test_a_relative_root_keeps_the_path_below_it(ws: Workspace, tree: Path) -> None:
    store = ws.get_default_datastore()
    store.upload_files(["data/sub/c.csv"], ".", "folder")
    store.upload_files([str(tree / "data/sub/c.csv"), str(tree / "data/a.csv")])
    assert list(below(ws)) == ["a.csv", "folder/data/sub/c.csv", "sub/c.csv"]
    with pytest.raises(UserErrorException, match="is not part of the file_path"):
        store.upload_files(["data/a.csv"], relative_root="data/sub")
    with pytest.raises(UserErrorException, match="'data' does not point to a file"):
        store.upload_files(["data"])


def test_no_files_at_all_is_no_error(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    ws.get_default_datastore().upload_files([])
    assert capsys.readouterr().out == "Uploading an estimated of 0 files\nUploaded 0 files\n"


def test_what_is_there_is_skipped_unless_it_may_be_overwritten(
    ws: Workspace, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ws.get_default_datastore()
    store.upload("data", "x", show_progress=False)
    Path("data/a.csv").write_text("new")
    assert capsys.readouterr().out == ""
    store.upload("data", "x")
    lines = capsys.readouterr().out.splitlines()
    assert "Target already exists. Skipping upload for a.csv" in lines
    assert lines[-1] == "Uploaded 0 files"
    assert below(ws)["x/a.csv"] == "data/a.csv"
    store.upload("data", "x", overwrite=True, show_progress=False)
    assert below(ws)["x/a.csv"] == "new"
    with pytest.raises(UserErrorException, match="must be a directory"):
        store.upload("data/a.csv")


@pytest.mark.parametrize("target", ["../out", "/out", "./out", "..\\out"])
def test_dots_and_slashes_in_front_of_a_target_are_dropped(
    ws: Workspace, tree: Path, target: str
) -> None:
    ws.get_default_datastore().upload_files(["data/a.csv"], target_path=target)
    assert list(below(ws)) == ["out/a.csv"]


def test_a_path_never_leaves_the_datastore(ws: Workspace, tree: Path) -> None:
    store = ws.get_default_datastore()
    with pytest.raises(UserErrorException, match=r"'\.\.' is not allowed"):
        store.upload_files(["data/a.csv"], target_path="a/../../../x")
    root = Path(store.settings["root"])
    root.mkdir(parents=True)
    (root / "out").symlink_to(tree)
    with pytest.raises(UserErrorException, match="a link leads to"):
        store.upload_files(["data/a.csv"], target_path="out")
    with pytest.raises(UserErrorException, match="a link leads to"):
        store.download("got", prefix="out/")


def test_a_download_keeps_the_whole_path_below_a_folder(
    ws: Workspace, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ws.get_default_datastore()
    store.upload("data", "weather/2019", show_progress=False)
    assert store.download("got.csv", prefix="weather/2019/a.csv") == 1
    assert capsys.readouterr().out.splitlines() == [
        "Downloading weather/2019/a.csv",
        "Downloaded weather/2019/a.csv, 1 files out of an estimated total of 1",
    ]
    assert Path("got.csv/weather/2019/a.csv").read_text() == "data/a.csv"
    assert store.download("got.csv", "weather", show_progress=False) == 2
    assert store.download("got.csv", "weather", overwrite=True) == 3
    assert store.download("other", prefix="absent") == 0


def test_a_transfer_that_fails_says_how_far_it_came_and_leaves_nothing_half(
    ws: Workspace, tree: Path
) -> None:
    store = ws.get_default_datastore()
    store.upload("data", show_progress=False)
    (tree / "got/sub").parent.mkdir()
    (tree / "got/sub").write_text("in the way")
    with pytest.raises(UserErrorException, match="2 of 3 files were done"):
        store.download("got", show_progress=False)
    assert sorted(os.listdir("got")) == ["a.csv", "b.csv", "sub"]


def test_the_store_of_samples_is_read_only(ws: Workspace, tree: Path) -> None:
    with pytest.raises(UserErrorException, match="read-only"):
        Datastore(ws, "azureml_globaldatasets").upload("data")
