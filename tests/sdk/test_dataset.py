"""Datasets from a user's side: made from a datastore's files, registered, read, changed."""

from __future__ import annotations

import functools
import importlib
import json
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from zaffre.contract.dataset import Headers as PromoteHeadersBehavior
from zaffre.sdk.data_reference import DataPath
from zaffre.sdk.dataset import Dataset
from zaffre.sdk.dataset_errors import DatasetExecutionError, DatasetValidationError
from zaffre.sdk.dataset_factory import DataType
from zaffre.sdk.exceptions import (
    DatasetTimestampMissingError,
    UserErrorException,
    WebserviceException,
)
from zaffre.sdk.file_dataset import FileDataset
from zaffre.sdk.model import Model
from zaffre.sdk.run import Run
from zaffre.sdk.tabular_dataset import TabularDataset
from zaffre.sdk.workspace import Workspace

pd: Any = importlib.import_module("pandas")


@pytest.fixture
def put(ws: Workspace) -> Any:
    """Write a file into the default datastore and return that: `put("a/1.csv", text)`."""
    datastore = ws.get_default_datastore()

    def write(path: str, text: str) -> Any:
        file = Path(datastore.settings["root"]) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return datastore

    return write


@pytest.fixture
def animals(put: Any) -> TabularDataset:
    """Six rows of two files."""
    put("animals/1.csv", "name,age,seen\ncat,1,2020-01-01\ndog,2,2020-01-02\nowl,3,2020-01-03\n")
    store = put(
        "animals/2.csv", "name,age,seen\nfox,4,2020-01-04\ncow,5,2020-01-05\nape,6,2020-01-06\n"
    )
    return Dataset.Tabular.from_delimited_files((store, "animals/*.csv"))


def day(number: int) -> datetime:
    return datetime(2020, 1, number, tzinfo=UTC)


def names(dataset: TabularDataset) -> list[str]:
    return list(dataset.to_pandas_dataframe()["name"])


class TestMaking:
    def test_csv_files_become_a_frame_with_guessed_types(self, animals: TabularDataset) -> None:
        frame = animals.to_pandas_dataframe()
        assert list(frame.columns) == ["name", "age", "seen"]
        assert list(frame["age"]) == [1, 2, 3, 4, 5, 6]
        assert frame["age"].dtype == "int64"
        assert str(frame["seen"].dtype) == "datetime64[ns]"

    def test_every_form_of_path_leads_to_the_same_rows(self, put: Any) -> None:
        store = put("x/1.csv", "a\n1\n")
        for path in (
            (store, "x/1.csv"),
            store.path("x/1.csv"),
            DataPath(store, "x/1.csv"),
            [(store, "x/1.csv")],
            [(store, "/x/")],
        ):
            frame = Dataset.Tabular.from_delimited_files(path=path).to_pandas_dataframe()
            assert list(frame["a"]) == [1]

    @pytest.mark.parametrize("path", ["data/a.csv", None, [], "azureml://x", ["a.csv"], 5])
    def test_local_paths_and_others_are_refused_with_the_valid_forms(
        self, home: Path, path: Any
    ) -> None:
        for make in (Dataset.Tabular.from_delimited_files, Dataset.File.from_files):
            with pytest.raises(UserErrorException, match="Valid forms are"):
                make(path)

    def test_a_tuple_of_three_is_an_invalid_tuple(self, put: Any) -> None:
        store = put("x.csv", "a\n1\n")
        with pytest.raises(UserErrorException, match="Invalid tuple for path"):
            Dataset.File.from_files((store, "a", "b"))  # pyright: ignore

    def test_what_is_not_there_is_said_when_the_dataset_is_made(self, put: Any) -> None:
        store = put("empty.csv", "a,b\n")
        for path in ("absent.csv", "empty.csv"):
            with pytest.raises(DatasetValidationError, match="please set validate to False"):
                Dataset.Tabular.from_delimited_files((store, path))
        with pytest.raises(DatasetValidationError, match="Failed to infer column type"):
            Dataset.Tabular.from_delimited_files((store, "absent.csv"), validate=False)
        later = Dataset.Tabular.from_delimited_files(
            (store, "absent.csv"), validate=False, infer_column_types=False
        )
        with pytest.raises(DatasetExecutionError, match="stream was not found"):
            later.to_pandas_dataframe()
        with pytest.raises(DatasetValidationError):
            Dataset.File.from_files((store, "absent/*.png"))

    def test_types_headers_and_partitions_are_as_asked(self, put: Any) -> None:
        store = put("sales/north/2020/01/02/d.csv", "1;x\n2;y\n")
        dataset = Dataset.Tabular.from_delimited_files(
            (store, "sales/**/*.csv"),
            separator=";",
            header=False,
            set_column_types={"Column1": DataType.to_string()},
            partition_format="{region}/{day:yyyy/MM/dd}/d.csv",
        )
        frame = dataset.to_pandas_dataframe()
        assert list(frame.columns) == ["region", "day", "Column1", "Column2"]
        assert list(frame["Column1"]) == ["1", "2"]
        assert dataset.partition_keys == ["region", "day"]
        assert dataset.get_partition_key_values(["region"]) == [{"region": "north"}]
        with pytest.raises(UserErrorException, match="set_column_types"):
            Dataset.Tabular.from_delimited_files(
                (store, "sales/**/*.csv"),
                set_column_types={"a": int},  # pyright: ignore
            )
        with pytest.raises(UserErrorException, match="utf8, iso88591"):
            Dataset.Tabular.from_delimited_files((store, "sales/**/*.csv"), encoding="x")
        headers = PromoteHeadersBehavior.NO_HEADERS
        plain = Dataset.Tabular.from_delimited_files((store, "sales/"), header=headers)
        assert len(plain.to_pandas_dataframe()) == 2

    def test_json_lines_and_parquet_are_read(self, put: Any, tmp_path: Path) -> None:
        store = put("x.jsonl", '{"a": 1}\nbroken\n{"a": 2}\n')
        dataset = Dataset.Tabular.from_json_lines_files((store, "x.jsonl"), invalid_lines="drop")
        assert list(dataset.to_pandas_dataframe()["a"]) == [1, 2]
        put("x/y", "")
        pd.DataFrame({"b": [1.5, None]}).to_parquet(Path(store.settings["root"]) / "b.parquet")
        frame = Dataset.Tabular.from_parquet_files((store, "b.parquet")).to_pandas_dataframe()
        assert frame["b"].isna().tolist() == [False, True]

    def test_a_frame_is_written_and_registered_as_the_next_version(
        self, ws: Workspace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[5, 6])
        store = ws.get_default_datastore()
        first = Dataset.Tabular.register_pandas_dataframe(frame, store, "my frame", tags={"k": "v"})
        assert "Successfully created and registered a new dataset." in capsys.readouterr().out
        second = Dataset.Tabular.register_pandas_dataframe(
            frame, (store, "sub/folder"), name="my frame", show_progress=False
        )
        assert capsys.readouterr().out == ""
        assert (first.version, second.version, first.tags) == (1, 2, {"k": "v"})
        back = Dataset.get_by_name(ws, "my frame", version=1).to_pandas_dataframe()
        assert list(back["a"]) == [1, 2]
        assert back["b"].isna().tolist() == [False, True]
        with pytest.raises(UserErrorException, match="must be a pandas DataFrame"):
            Dataset.Tabular.register_pandas_dataframe([1], store, "x")


class TestRegistering:
    def test_a_name_gets_versions(self, ws: Workspace, animals: TabularDataset) -> None:
        assert (animals.id, animals.name, animals.version, animals.tags) == (None,) * 4
        first = animals.register(ws, "animals set", "about", {"format": "CSV"})
        assert (first.name, first.version, first.description) == ("animals set", 1, "about")
        assert first.tags == {"format": "CSV"}
        assert first.id
        with pytest.raises(UserErrorException, match="create_new_version=True"):
            animals.register(workspace=ws, name="animals set")
        second = animals.register(ws, "animals set", create_new_version=True)
        assert second.version == 2
        assert Dataset.get_by_name(ws, "animals set").version == 2
        found = Dataset.get_by_name(ws, "animals set", version=1)
        assert isinstance(found, TabularDataset)
        assert found.id == first.id
        assert names(found) == names(animals)
        assert names(Dataset.get_by_id(ws, second.id or "")) == names(animals)

    def test_one_name_may_have_versions_of_both_kinds(
        self, ws: Workspace, animals: TabularDataset, put: Any
    ) -> None:
        animals.register(ws, "x")
        files = Dataset.File.from_files((put("f.txt", "f"), "f.txt"))
        files.register(ws, "x", create_new_version=True)
        assert isinstance(Dataset.get_by_name(ws, "x"), FileDataset)
        assert isinstance(Dataset.get_by_name(ws, "x", 1), TabularDataset)

    def test_what_is_not_registered_is_told_in_v1s_words(self, ws: Workspace) -> None:
        with pytest.raises(UserErrorException) as raised:
            Dataset.get_by_name(ws, "x", version=3)
        text = 'Cannot find dataset registered with name "x" (version: 3) in the workspace.'
        assert raised.value.message == text
        with pytest.raises(UserErrorException, match='registered with name "x" in the workspace'):
            Dataset.get_by_name(ws, "x")
        with pytest.raises(UserErrorException, match='Cannot find dataset with id "absent"'):
            Dataset.get_by_id(ws, "absent")
        with pytest.raises(UserErrorException, match="whole number"):
            Dataset.get_by_name(ws, "x", version="newest")

    def test_a_workspace_lists_its_datasets(self, ws: Workspace, animals: TabularDataset) -> None:
        assert ws.datasets == {}
        animals.register(ws, "a")
        animals.register(ws, "a", create_new_version=True)
        animals.take(1).register(ws, "b")
        assert {name: d.version for name, d in ws.datasets.items()} == {"a": 2, "b": 1}
        assert set(Dataset.get_all(ws)) == {"a", "b"}
        assert "c" not in ws.datasets

    def test_tags_and_description_change(self, ws: Workspace, animals: TabularDataset) -> None:
        with pytest.raises(UserErrorException, match="Call register first"):
            animals.add_tags({"a": "1"})
        registered = animals.register(ws, "x", tags={"a": "1"})
        registered.add_tags({"b": 2})
        assert registered.tags == {"a": "1", "b": "2"}
        registered.remove_tags(["a", "absent"])
        registered.update(description="new")
        found = Dataset.get_by_name(ws, "x")
        assert (found.description, found.tags) == ("new", {"b": "2"})
        registered.update(tags={"c": "3"})
        assert Dataset.get_by_name(ws, "x").tags == {"c": "3"}

    def test_an_unregistered_name_is_gone(self, ws: Workspace, animals: TabularDataset) -> None:
        first = animals.register(ws, "x")
        first_id = first.id or ""
        animals.register(ws, "x", create_new_version=True)
        first.unregister_all_versions()
        assert ws.datasets == {}
        assert (first.id, first.name) == (None, None)
        assert names(Dataset.get_by_id(ws, first_id)) == names(animals)

    def test_the_text_is_v1s_json(self, ws: Workspace, animals: TabularDataset) -> None:
        kind, _, text = str(animals.take(3).register(ws, "x", tags={"a": "1"})).partition("\n")
        shown = json.loads(text)
        assert kind == "TabularDataset"
        assert shown["source"] == ["('workspaceblobstore', 'animals/*.csv')"]
        assert shown["definition"] == ["GetDatastoreFiles", "ParseDelimited", "Take"]
        assert shown["registration"]["name"] == "x"
        assert shown["registration"]["version"] == 1
        assert "registration" not in str(animals)


class TestRows:
    def test_steps_apply_in_their_order(self, animals: TabularDataset) -> None:
        assert names(animals.take(2)) == ["cat", "dog"]
        assert names(animals.skip(4)) == ["cow", "ape"]
        assert names(animals.take(3).skip(1)) == ["dog", "owl"]
        assert names(animals.skip(99)) == []
        for count in (-1, "2", None):
            with pytest.raises(ValueError, match="count must be a positive integer"):
                animals.take(count)  # pyright: ignore

    def test_a_split_is_disjoint_complete_and_repeatable(self, animals: TabularDataset) -> None:
        for seed in (None, 7):
            first, second = animals.random_split(percentage=0.5, seed=seed)
            assert sorted(names(first) + names(second)) == sorted(names(animals))
            assert names(first) == names(first)
        assert names(animals.random_split(0.5, 7)[0]) == names(animals.random_split(0.5, 7)[0])
        with pytest.raises(ValueError, match="from 0 to 1"):
            animals.random_split(1.5)
        assert names(animals.take_sample(1.0)) == names(animals)

    def test_columns_are_kept_and_dropped(self, animals: TabularDataset) -> None:
        kept = animals.keep_columns(["age", "name", "absent"]).to_pandas_dataframe()
        assert list(kept.columns) == ["name", "age"]
        assert list(animals.drop_columns("seen").to_pandas_dataframe()) == ["name", "age"]
        with pytest.raises(ValueError, match="columns"):
            animals.keep_columns(None)  # pyright: ignore

    def test_a_filter_keeps_the_rows_for_which_it_is_true(self, animals: TabularDataset) -> None:
        assert names(animals.filter(animals["age"] > 4)) == ["cow", "ape"]
        both = (animals["age"] >= 2) & ~animals["name"].contains("o")
        assert names(animals.filter(both)) == ["ape"]
        early = (animals["seen"] < day(2)) | (animals["name"] == "ape")
        assert names(animals.filter(early)) == ["cat", "ape"]
        assert names(animals.filter(animals["age"] == "1")) == []
        assert names(animals.filter(animals["absent"] > 1)) == []
        with pytest.raises(TypeError, match="named by text"):
            _ = animals[["name", "age"]]  # pyright: ignore
        with pytest.raises(TypeError, match="no truth of its own"):
            _ = (animals["age"] > 1) and (animals["age"] < 3)

    def test_times_filter_by_the_timestamp_column(self, animals: TabularDataset) -> None:
        with pytest.raises(DatasetTimestampMissingError, match="`time_after`"):
            animals.time_after(day(5))
        timed = animals.with_timestamp_columns("seen", validate=True)
        assert timed.timestamp_columns == ("seen", None)
        assert names(timed.time_after(day(5))) == ["cow", "ape"]
        assert names(timed.time_before(day(2), include_boundary=False)) == ["cat"]
        between = timed.time_between(day(2), day(3))
        assert names(between) == ["dog", "owl"]
        assert names(timed.time_recent(timedelta(days=1))) == []
        assert animals.with_timestamp_columns(fine_grain_timestamp="seen").timestamp_columns[0]
        assert timed.drop_columns("seen").timestamp_columns == (None, None)
        with pytest.raises(TypeError, match="must be a datetime"):
            timed.time_before("2020-01-01")  # pyright: ignore
        with pytest.raises(UserErrorException, match="no column 'absent'"):
            animals.with_timestamp_columns("absent", validate=True)

    def test_rows_become_files(self, animals: TabularDataset, tmp_path: Path) -> None:
        (csv,) = animals.take(1).to_csv_files().download(str(tmp_path / "csv"))
        assert Path(csv).read_text() == "name,age,seen\ncat,1,2020-01-01T00:00:00+00:00\n"
        (parquet,) = animals.to_parquet_files().download(str(tmp_path / "parquet"))
        assert len(pd.read_parquet(parquet)) == 6


class TestFiles:
    @pytest.fixture
    def pictures(self, put: Any) -> FileDataset:
        put("pictures/dog/2.png", "woof")
        return Dataset.File.from_files((put("pictures/cat/1.png", "miaow"), "pictures/"))

    def test_paths_are_those_below_the_datasets_folder(
        self, pictures: FileDataset, put: Any
    ) -> None:
        assert pictures.to_path() == ["/cat/1.png", "/dog/2.png"]
        store = put("a/1.txt", "")
        assert Dataset.File.from_files((store, "a/1.txt")).to_path() == ["/1.txt"]
        both = Dataset.File.from_files([(store, "pictures/cat/"), (store, "pictures/dog/")])
        assert both.to_path() == ["/cat/1.png", "/dog/2.png"]

    def test_files_are_downloaded(self, pictures: FileDataset, tmp_path: Path) -> None:
        paths = pictures.download(str(tmp_path / "here"))
        assert paths == [str(tmp_path / "here/cat/1.png"), str(tmp_path / "here/dog/2.png")]
        assert Path(paths[0]).read_text() == "miaow"
        with pytest.raises(UserErrorException, match="already exists"):
            pictures.download(str(tmp_path / "here"))
        assert pictures.download(str(tmp_path / "here"), overwrite=True) == paths
        assert Path(pictures.download()[1]).read_text() == "woof"

    def test_missing_files_may_be_ignored(self, put: Any) -> None:
        absent = Dataset.File.from_files((put("x", ""), "absent/*"), validate=False)
        assert absent.download(ignore_not_found=True) == []
        with pytest.raises(DatasetExecutionError, match="stream was not found"):
            absent.to_path()

    def test_files_are_shown_below_a_folder_while_mounted(self, pictures: FileDataset) -> None:
        with pictures.mount() as mounted:
            assert (Path(mounted.mount_point) / "cat/1.png").read_text() == "miaow"
        assert list(Path(mounted.mount_point).iterdir()) == []
        assert len(pictures.download()) == 2

    def test_files_are_taken_split_and_filtered(self, pictures: FileDataset) -> None:
        assert pictures.take(1).to_path() == ["/cat/1.png"]
        assert pictures.filter(pictures.file_metadata("Size") > 4).to_path() == ["/cat/1.png"]
        first, second = pictures.random_split(0.5, seed=1)
        assert sorted(first.to_path() + second.to_path()) == pictures.to_path()

    def test_a_folder_is_uploaded(
        self, ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "a.csv").write_text("a")
        (tmp_path / "sub/b.csv").write_text("b")
        (tmp_path / "c.txt").write_text("c")
        store = ws.get_default_datastore()
        dataset = Dataset.File.upload_directory(str(tmp_path), (store, "up"), pattern="**/*.csv")
        assert dataset.to_path() == ["/a.csv", "/sub/b.csv"]
        assert dataset.id is None
        assert "Creating new dataset" in capsys.readouterr().out
        with pytest.raises(UserErrorException, match="must be a directory"):
            Dataset.File.upload_directory(str(tmp_path / "c.txt"), (store, "up"))


class TestNamedInputs:
    def test_only_files_can_be_mounted(self, animals: TabularDataset) -> None:
        named = animals.as_named_input("training_data")
        assert (named.name, named.mode) == ("training_data", "direct")
        with pytest.raises(UserErrorException, match="Only FileDataset supports mount"):
            named.as_mount()

    def test_names_are_checked(self, animals: TabularDataset) -> None:
        for name in ("a b", "1a", "ä", "a-b"):
            with pytest.raises(UserErrorException, match="Invalid input name"):
                animals.as_named_input(name)
        assert animals.as_named_input("").name.startswith("input__")


def test_a_missing_package_is_named_in_one_error(
    animals: TabularDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserErrorException, match=r"pip install 'zaffre\[data\]'"):
        animals.to_pandas_dataframe()
    assert animals.take(1).keep_columns("name").partition_keys == []


class TestOfModels:
    def test_a_model_knows_the_datasets_that_it_was_made_with(
        self, ws: Workspace, animals: TabularDataset
    ) -> None:
        Path("model.pkl").write_text("weights")
        training = animals.take(3)
        model = Model.register(
            ws, "model.pkl", "m", datasets=[(Dataset.Scenario.TRAINING, training)]
        )
        assert training.id
        model.add_dataset_references([(Dataset.Scenario.VALIDATION, animals.register(ws, "x"))])
        found = Model(ws, "m").datasets
        assert [d.id for d in found["training"]] == [training.id]
        assert names(found["validation"][0]) == names(animals)

    def test_what_a_run_registers_does_too(self, run: Run, animals: TabularDataset) -> None:
        Path("model.pkl").write_text("weights")
        run.upload_file("model.pkl", "model.pkl")
        model = run.register_model("m", "model.pkl", datasets=[("training data", animals)])
        assert [d.id for d in model.datasets["training data"]] == [animals.id]

    def test_what_is_no_pair_of_a_use_and_a_dataset_is_refused(
        self, ws: Workspace, animals: TabularDataset
    ) -> None:
        Path("model.pkl").write_text("weights")
        for wrong in (animals, ("training", "x")):
            with pytest.raises(WebserviceException, match="datasets: "):
                Model.register(ws, "model.pkl", "m", datasets=[wrong])


class TestWebAddresses:
    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[str]:
        """The address of a server of files."""
        (tmp_path / "site").mkdir()
        (tmp_path / "site/t.csv").write_text("a\n1\n2\n")
        handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()

    def test_rows_are_read_from_a_web_address(self, ws: Workspace, site: str) -> None:
        dataset = Dataset.Tabular.from_delimited_files(f"{site}/t.csv?x=1")
        assert list(dataset.to_pandas_dataframe()["a"]) == [1, 2]
        registered = dataset.register(ws, "web")
        assert list(Dataset.get_by_name(ws, "web").to_pandas_dataframe()["a"]) == [1, 2]
        assert '"GetFiles"' in str(registered)

    def test_a_file_is_downloaded_from_a_web_address(self, site: str, tmp_path: Path) -> None:
        dataset = Dataset.File.from_files([f"{site}/t.csv"])
        host = site.partition("://")[2]
        assert dataset.to_path() == [f"/http%3A/%2F{host}/t.csv"]
        (path,) = dataset.download(str(tmp_path / "to"))
        assert Path(path).read_text() == "a\n1\n2\n"

    def test_what_is_not_there_is_said(self, home: Path, site: str) -> None:
        with pytest.raises(DatasetValidationError, match="stream was not found"):
            Dataset.Tabular.from_delimited_files(f"{site}/absent.csv")
        with pytest.raises(DatasetExecutionError, match="stream was not found"):
            Dataset.File.from_files(f"{site}/absent.csv").to_path()
        with pytest.raises(DatasetValidationError, match="cannot be reached"):
            Dataset.Tabular.from_delimited_files("http://127.0.0.1:9/x.csv")
