"""The model registry through the SDK: v1's rules of names, versions, filters and paths."""

from __future__ import annotations

import io
import threading
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import requests

from zaffre.sdk.exceptions import (
    ModelNotFoundException,
    ModelPathNotFoundException,
    NotBuiltYetException,
    UserErrorException,
    WebserviceException,
)
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.model import Model
from zaffre.sdk.resource_configuration import ResourceConfiguration
from zaffre.sdk.run import Run
from zaffre.sdk.workspace import Workspace

ODD_NAMES = [
    "my model v1.pkl",
    "100%.pkl",
    "a#b.pkl",
    "c+d.pkl",
    "größe.pkl",
    "😀.pkl",
    "e?f=1.pkl",
]


@pytest.fixture
def file(home: Path) -> Path:
    """A model file in the present folder."""
    path = Path("model.pkl")
    path.write_text("model")
    return path


@pytest.fixture
def folder(home: Path) -> Path:
    """A model folder in the present folder."""
    path = Path("fold")
    (path / "sub").mkdir(parents=True)
    (path / "a.txt").write_text("a")
    (path / "sub" / "b.txt").write_text("b")
    return path


def test_a_file_is_registered_with_all_that_is_said_of_it(
    ws: Workspace, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model.register(
        workspace=ws,
        model_name="classification_model",
        model_path="model.pkl",
        description="A classification model",
        tags={"dept": "sales"},
        properties={"AUC": 0.848},
        model_framework=Model.Framework.SCIKITLEARN,
        model_framework_version="0.20.3",
        resource_configuration=ResourceConfiguration(1, 0.5),
    )
    assert capsys.readouterr().out == "Registering model classification_model\n"
    for found in (model, Model(ws, "classification_model"), Model(ws, id="classification_model:1")):
        assert (found.name, found.version, found.id) == (
            "classification_model", 1, "classification_model:1",
        )  # fmt: skip
        assert found.tags == {"dept": "sales"}
        assert found.properties == {"AUC": "0.848"}
        assert found.description == "A classification model"
        assert found.model_framework == "ScikitLearn"
        assert found.model_framework_version == "0.20.3"
        assert found.created_time.tzinfo == UTC
        assert found.created_by["userName"]
        assert found.resource_configuration is not None
        assert found.resource_configuration.serialize()["memoryInGB"] == 0.5
        assert (found.run, found.run_id, found.experiment_name) == (None, None, None)
        assert found.datasets == {}
    assert repr(model) == (
        f"Model(workspace=Workspace.create(name='{ws.name}', "
        f"subscription_id='{ws.subscription_id}', resource_group='{ws.resource_group}'), "
        "name=classification_model, id=classification_model:1, version=1, "
        "tags={'dept': 'sales'}, properties={'AUC': '0.848'})"
    )


def test_versions_count_up_for_each_name(ws: Workspace, file: Path) -> None:
    versions = [Model.register(ws, "model.pkl", name).version for name in ("a", "b", "a", "a")]
    assert versions == [1, 1, 2, 3]
    assert Model(ws, "a").version == 3
    assert Model(ws, "a", version=2).id == "a:2"
    assert ws.models["a"].version == 3


def test_versions_have_neither_gaps_nor_doubles_when_many_register_at_once(
    ws: Workspace, file: Path
) -> None:
    versions: list[int] = []

    def register() -> None:
        versions.extend(Model.register(ws, "model.pkl", "crowded").version for _ in range(3))

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(1, 19))


@pytest.mark.parametrize(
    "name", ["", "a b", "a/b", "../x", "_a", "-a", "ü", "a" * 256, "a ", 3, None]
)
def test_a_name_that_cannot_be_is_refused_before_anything_is_sent(
    ws: Workspace, file: Path, name: Any
) -> None:
    with pytest.raises(WebserviceException, match="model name"):
        Model.register(ws, "model.pkl", name)
    assert Model.list(ws) == []


@pytest.mark.parametrize(
    "labels", [{"tags": ["pdm"]}, {"properties": "x"}, {"tags": "x"}, {"tags": {"k" * 101: "v"}}]
)
def test_tags_and_properties_that_are_none_are_refused_by_name(
    ws: Workspace, file: Path, labels: dict[str, Any]
) -> None:
    with pytest.raises(WebserviceException, match=next(iter(labels))):
        Model.register(ws, "model.pkl", "m", **labels)
    assert Model.list(ws) == []


def test_numbers_in_tags_come_back_as_text(ws: Workspace, file: Path) -> None:
    assert Model.register(ws, "model.pkl", "m", tags={1: 2, "x": None}).tags == {
        "1": "2",
        "x": None,
    }


def test_a_path_that_is_not_there_is_an_error_of_the_file_system(ws: Workspace) -> None:
    with pytest.raises(FileNotFoundError, match="Path does not exist"):
        Model.register(ws, "absent.pkl", "m")


def test_a_folder_keeps_its_own_name_on_top(ws: Workspace, folder: Path, tmp_path: Path) -> None:
    model = Model.register(ws, "./fold/", "m")
    path = model.download(str(tmp_path / "down"))
    assert path == str(tmp_path / "down" / "fold")
    assert (Path(path) / "a.txt").read_text() == "a"
    assert (Path(path) / "sub" / "b.txt").read_text() == "b"


def test_child_paths_choose_files_of_a_folder(ws: Workspace, folder: Path, tmp_path: Path) -> None:
    model = Model.register(ws, "fold", "m", child_paths=["sub"])
    path = Path(model.download(str(tmp_path / "down")))
    assert sorted(one.name for one in path.rglob("*") if one.is_file()) == ["b.txt"]
    urls = model.get_sas_urls()
    assert list(urls) == ["fold/sub/b.txt"]
    assert requests.get(urls["fold/sub/b.txt"], timeout=20).text == "b"
    with pytest.raises(FileNotFoundError):
        Model.register(ws, "fold", "m", child_paths=["absent"])
    Path("other").mkdir()
    with pytest.raises(WebserviceException, match="child_paths"):
        Model.register(ws, "fold", "m", child_paths=["../other"])


def test_a_folder_without_files_is_refused(ws: Workspace) -> None:
    Path("empty").mkdir()
    with pytest.raises(WebserviceException, match="holds no files"):
        Model.register(ws, "empty", "m")


def test_file_names_come_back_byte_for_byte(ws: Workspace, tmp_path: Path) -> None:
    Path("odd").mkdir()
    for name in ODD_NAMES:
        (Path("odd") / name).write_text(name)
    path = Path(Model.register(ws, "odd", "odd").download(str(tmp_path)))
    assert {one.name: one.read_text() for one in path.iterdir()} == {n: n for n in ODD_NAMES}
    Path(ODD_NAMES[0]).write_text("alone")
    alone = Model.register(ws, ODD_NAMES[0], "alone")
    assert Path(alone.download(str(tmp_path))).name == ODD_NAMES[0]


def test_a_download_that_would_write_over_something_asks_for_exist_ok(
    ws: Workspace, file: Path
) -> None:
    model = Model.register(ws, "model.pkl", "m")
    file.write_text("mine")
    with pytest.raises(WebserviceException, match="exist_ok=True"):
        model.download()
    assert file.read_text() == "mine"
    assert model.download(exist_ok=True) == "./model.pkl"
    assert file.read_text() == "model"
    assert model.download("new/folder", exists_ok=True) == "new/folder/model.pkl"


def test_a_model_that_is_not_there_is_both_exceptions(ws: Workspace) -> None:
    for criteria in ({"name": "absent"}, {"id": "absent:1"}, {"name": "absent", "version": 3}):
        with pytest.raises(ModelNotFoundException, match=r"ModelNotFound:.*absent") as raised:
            Model(ws, **criteria)  # type: ignore[arg-type]
        assert isinstance(raised.value, WebserviceException)
        assert raised.value.message.startswith("ModelNotFound:")
    with pytest.raises(WebserviceException, match="One of name and id"):
        Model(ws)
    with pytest.raises(WebserviceException, match="NAME:VERSION"):
        Model(ws, id="absent")


def test_models_are_listed_newest_first_and_filtered(ws: Workspace, file: Path) -> None:
    Model.register(ws, "model.pkl", "a", tags={"t": "1", "u": "x"}, properties={"p": 1})
    Model.register(ws, "model.pkl", "b", tags={"t": "2"}, model_framework="Onnx")
    Model.register(ws, "model.pkl", "a")

    def ids(**filters: Any) -> list[str]:
        return [model.id for model in Model.list(ws, **filters)]

    assert ids() == ["a:2", "b:1", "a:1"]
    assert ids(page_count=1) == ["a:2", "b:1", "a:1"]
    assert ids(name="a") == ["a:2", "a:1"]
    assert ids(latest=True) == ["a:2", "b:1"]
    assert ids(tags=["t"]) == ["b:1", "a:1"]
    assert ids(tags=[["t", "1"], "u"]) == ["a:1"]
    assert ids(tags=[("t", 2)]) == ["b:1"]
    assert ids(properties=[["p", "1"]]) == ["a:1"]
    assert ids(model_framework="Onnx") == ["b:1"]
    assert ids(tags=["absent"]) == []
    assert Model(ws, "a", tags=["t"]).version == 1
    for model in Model.list(ws):
        assert model.tags is not None
        assert model.properties is not None


@pytest.mark.parametrize("wrong", [{"t": "1"}, "t", [["a", "b", "c"]], [3]])
def test_a_filter_of_another_form_shows_the_form(ws: Workspace, wrong: Any) -> None:
    with pytest.raises(UserErrorException, match=r"tags: .*'key'.*\['key', 'value'\]"):
        Model.list(ws, tags=wrong)


def test_tags_and_properties_are_added_with_the_lines_of_the_sdk(
    ws: Workspace, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model.register(ws, "model.pkl", "m", tags={"z": 1})
    capsys.readouterr()
    model.add_tags({"z": 2, "y": "n"})
    assert capsys.readouterr().out == (
        "Replacing tag z -> 1 with z -> 2\nModel tag add operation complete.\n"
    )
    model.remove_tags(["y", "absent"])
    assert capsys.readouterr().out == "Model tag remove operation complete.\n"
    model.add_properties({"p": 0.5})
    assert capsys.readouterr().out == "Model properties add operation complete.\n"
    fetched = Model(ws, "m")
    assert (fetched.tags, fetched.properties) == ({"z": "2"}, {"p": "0.5"})
    assert (model.tags, model.properties) == (fetched.tags, fetched.properties)
    with pytest.raises(WebserviceException, match=r"immutable.*p"):
        fetched.add_properties({"p": 1, "q": 2})
    # A property that was added since this object was fetched is refused by the server.
    other = Model(ws, "m")
    fetched.add_properties({"late": 1})
    with pytest.raises(WebserviceException, match="late"):
        other.add_properties({"late": 2})
    with pytest.raises(WebserviceException, match="list of keys"):
        model.remove_tags("z")


def test_update_replaces_and_one_call_does_all_three(ws: Workspace, file: Path) -> None:
    model = Model.register(ws, "model.pkl", "m", tags={"a": "1"}, description="old")
    model.update(tags={"b": "2"}, description="new")
    assert Model(ws, "m").tags == {"b": "2"}
    model.update_tags_properties({"c": "3"}, ["b"], {"p": "4"})
    fetched = Model(ws, "m")
    assert (fetched.tags, fetched.properties) == ({"c": "3"}, {"p": "4"})
    assert fetched.description == "new"
    fetched.tags["changed"] = "here only"
    assert Model(ws, "m").tags == {"c": "3"}


def test_a_deleted_version_is_gone_and_its_number_is_not_used_again(
    ws: Workspace, file: Path
) -> None:
    first, second = (Model.register(ws, "model.pkl", "m") for _ in range(2))
    second.delete()
    assert [model.id for model in Model.list(ws)] == [first.id]
    assert Model.register(ws, "model.pkl", "m").version == 3
    with pytest.raises(ModelNotFoundException):
        second.add_tags({"a": "b"})


def test_a_model_of_a_run_knows_it(ws: Workspace, run: Run, file: Path) -> None:
    run.upload_file("outputs/model.pkl", "model.pkl")
    model = run.register_model("m", "./outputs/model.pkl", properties={"AUC": 0.5})
    assert (model.run_id, model.experiment_name) == (run.id, run.experiment.name)
    assert model.run is not None
    assert model.run.id == run.id
    assert [one.id for one in Model.list(ws, run_id=run.id)] == ["m:1"]
    assert Path(model.download("down")).read_text() == "model"
    folder = run.register_model("whole", "outputs")
    assert Path(folder.download("down")) == Path("down/outputs")
    with pytest.raises(ModelPathNotFoundException, match=r"outputs/model\.pkl"):
        run.register_model("m", "absent")


def test_serialize_has_the_keys_of_the_sdk_and_leads_back(ws: Workspace, file: Path) -> None:
    model = Model.register(ws, "model.pkl", "m", tags={"a": "b"})
    payload = model.serialize()
    assert list(payload) == [
        "createdTime", "createdBy", "description", "id", "mimeType", "name", "framework",
        "frameworkVersion", "tags", "properties", "unpack", "url", "version", "experimentName",
        "runId", "runDetails", "datasets", "resourceConfiguration", "sampleInputDatasetId",
        "sampleOutputDatasetId",
    ]  # fmt: skip
    assert Model.deserialize(ws, payload).id == model.id
    with pytest.raises(WebserviceException, match="name"):
        Model.deserialize(ws, {"version": 1})


def test_deployment_says_that_it_is_not_built_yet(ws: Workspace) -> None:
    for call in (Model.deploy, Model.package, Model.profile):
        with pytest.raises(NotBuiltYetException, match=f"Model.{call.__name__}"):
            call(ws, "name", [])


# get_model_path


def test_a_model_path_of_a_workspace_is_downloaded_to_the_cache(ws: Workspace, file: Path) -> None:
    Model.register(ws, "model.pkl", "m")
    file.write_text("second")
    Model.register(ws, "model.pkl", "m")
    assert Model.get_model_path("m", _workspace=ws) == "azureml-models/m/2/model.pkl"
    assert Model.get_model_path("m", 1, ws) == "azureml-models/m/1/model.pkl"
    assert Path("azureml-models/m/2/model.pkl").read_text() == "second"
    assert Model.get_model_path("m") == "azureml-models/m/2/model.pkl"


def test_the_cache_gives_the_numerically_highest_version(home: Path) -> None:
    for version in ("9", "10", "not-a-version"):
        Path("azureml-models/m", version).mkdir(parents=True)
        Path("azureml-models/m", version, "model.pkl").touch()
    assert Model.get_model_path("m") == "azureml-models/m/10/model.pkl"
    assert Model.get_model_path("m", 9) == "azureml-models/m/9/model.pkl"
    Path("azureml-models/m/10/more").touch()
    with pytest.raises(WebserviceException, match=r"model\.pkl, more"):
        Model.get_model_path("m")


def test_without_a_cache_the_present_folder_counts(home: Path) -> None:
    Path("m").mkdir()
    assert Model.get_model_path("m") == "m"
    with pytest.raises(WebserviceException, match="azureml-models") as raised:
        Model.get_model_path("m", 1)
    assert not isinstance(raised.value, ModelNotFoundException)
    with pytest.raises(ModelNotFoundException, match="azureml-models"):
        Model.get_model_path("absent")
    with pytest.raises(WebserviceException, match="version: must be an int"):
        Model.get_model_path("m", "1")  # type: ignore[arg-type]


def test_a_submitted_script_finds_the_model_of_its_workspace(
    ws: Workspace, file: Path, submit: Any
) -> None:
    Model.register(ws, "model.pkl", "m")
    run = submit(
        "from azureml.core import Model, Run\n"
        "Run.get_context().tag('path', Model.get_model_path('m'))\n"
    )
    run.wait_for_completion()
    assert run.get_tags()["path"] == "azureml-models/m/1/model.pkl"


def test_a_models_run_is_none_once_it_is_deleted(run: Run) -> None:
    run.upload_file("m.pkl", io.BytesIO(b"x"))
    model = run.register_model("kept", "m.pkl")
    run.complete()
    assert model.run is not None
    Experiment.delete(run.experiment.workspace, run.experiment.id)
    again = Model(run.experiment.workspace, "kept")
    assert again.run is None
    assert again.run_id == run.id
