from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from zaffre.sdk.exceptions import (
    ModelPathNotFoundException,
    UserErrorException,
    WebserviceException,
)
from zaffre.sdk.run import Run


def test_a_file_is_stored_listed_and_fetched_and_the_last_one_wins(run: Run) -> None:
    Path("a.txt").write_text("one")
    run.upload_file("outputs/a.txt", "a.txt")
    Path("a.txt").write_text("two")
    run.upload_file("outputs/a.txt", Path("a.txt"))
    run.upload_file(name="b", path_or_stream=io.BytesIO(b"bytes"))
    run.upload_file("empty", io.BytesIO(b""))
    assert run.get_file_names() == ["b", "empty", "outputs/a.txt"]
    for name, content in (("b", "bytes"), ("empty", ""), ("outputs/a.txt", "two")):
        run.download_file(name, "got")
        assert Path("got").read_text() == content


@pytest.mark.parametrize(
    "name", ["my model v1.pkl", "50% #1+2.txt", "übung.csv", "emoji 🦜/x", "a'b\"c.txt", "a&b=c?d"]
)
def test_odd_names_come_back_byte_for_byte(run: Run, name: str) -> None:
    """R049, for a run's files."""
    run.upload_file(name, io.BytesIO(name.encode()))
    assert run.get_file_names() == [name]
    run.download_file(name)
    assert Path(name.rpartition("/")[2]).read_text() == name
    run.download_files(output_directory="all")
    assert Path("all", name).read_text() == name


def test_back_slashes_become_slashes_and_names_cannot_leave_the_run(run: Run) -> None:
    run.upload_file("a\\b.txt", io.BytesIO(b"x"))
    run.upload_file("./c//d.txt", io.BytesIO(b"x"))
    assert run.get_file_names() == ["a/b.txt", "c/d.txt"]
    for name in ("../x", "a/../../x", "/etc/passwd", "C:\\x", "", "x" * 2000):
        with pytest.raises(UserErrorException, match="file name"):
            run.upload_file(name, io.BytesIO(b"x"))
        with pytest.raises(UserErrorException, match="file name"):
            run.download_file(name)


def test_what_cannot_be_uploaded_is_a_plain_os_error(run: Run) -> None:
    with pytest.raises(FileNotFoundError):
        run.upload_file("a", "absent")
    Path("folder").mkdir()
    with pytest.raises(IsADirectoryError):
        run.upload_file("a", "folder")


def test_several_files_at_once(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        Path(name).write_text(name)
    run.upload_files(["x/a", "x/b"], ["a", "b"])
    assert run.get_file_names() == ["x/a", "x/b"]
    with pytest.raises(TypeError, match="2 names, 1 paths"):
        run.upload_files(["a", "b"], ["a"])
    stored = run.upload_files(["same", "same"], ["a", "b"], return_artifacts=True)
    assert "same" in capsys.readouterr().out
    assert list(stored) == ["same"]
    run.download_file("same")
    assert Path("same").read_text() == "b"


def test_a_folder_is_stored_with_all_below_it(run: Run) -> None:
    Path("f/sub").mkdir(parents=True)
    Path("f/a").write_text("a")
    Path("f/sub/b").write_text("b")
    run.upload_folder("outputs/model", "f")
    assert run.get_file_names() == ["outputs/model/a", "outputs/model/sub/b"]
    for wrong in ("absent", "f/a"):
        with pytest.raises(UserErrorException, match="not a folder"):
            run.upload_folder("x", wrong)


def test_where_a_download_goes(run: Run) -> None:
    run.upload_file("outputs/model.pkl", io.BytesIO(b"m"))
    Path("there").mkdir()
    run.download_file("outputs/model.pkl")
    run.download_file("outputs/model.pkl", "there")
    run.download_file("outputs/model.pkl", "new/folder/")
    run.download_file("outputs/model.pkl", output_file_path="deep/er/mine.pkl")
    Path("old").write_text("a longer content that goes")
    run.download_file("outputs\\model.pkl", "old")
    for path in ("model.pkl", "there/model.pkl", "new/folder/model.pkl", "deep/er/mine.pkl", "old"):
        assert Path(path).read_bytes() == b"m"


def test_a_file_that_is_not_there_names_those_that_are(run: Run) -> None:
    for name in ("a", "b"):
        run.upload_file(name, io.BytesIO(b"x"))
    with pytest.raises(UserErrorException) as caught:
        run.download_file("c", "folder/c")
    assert caught.value.message == ("File with path c was not found, available files include: a,b.")
    assert not Path("folder/c").exists()


def test_many_files_arrive_whole_under_their_names(run: Run) -> None:
    """R042, in small."""
    Path("outputs/many").mkdir(parents=True)
    for number in range(300):
        Path(f"outputs/many/{number:03}.txt").write_text(f"content {number}")
    large = os.urandom(5_000_000)
    Path("outputs/large.bin").write_bytes(large)
    run.upload_folder("outputs", "outputs")
    run.upload_file("other", io.BytesIO(b"x"))
    run.download_files(prefix="outputs/", output_directory="got")
    found = sorted(path.relative_to("got").as_posix() for path in Path("got").rglob("*.*"))
    assert found == ["outputs/large.bin"] + [f"outputs/many/{n:03}.txt" for n in range(300)]
    assert hashlib.sha256(Path("got/outputs/large.bin").read_bytes()).digest() == (
        hashlib.sha256(large).digest()
    )
    assert Path("got/outputs/many/299.txt").read_text() == "content 299"


def test_prefixes_are_folders_and_can_be_taken_off(run: Run) -> None:
    for name in ("outputs/a", "outputs/sub/b", "outputs2/c"):
        run.upload_file(name, io.BytesIO(name.encode()))
    run.download_files(prefix="outputs", output_directory="kept")
    assert sorted(p.name for p in Path("kept").rglob("*") if p.is_file()) == ["a", "b"]
    run.download_files(prefix="outputs", output_directory="off", append_prefix=False)
    assert Path("off/a").read_text() == "outputs/a"
    assert Path("off/sub/b").exists()
    run.download_files(prefix="outputs")
    assert Path("outputs/sub/b").exists()
    run.download_files(prefix="nothing", output_directory="none")
    assert not Path("none").exists()


def test_paths_can_be_given_one_by_one(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("x/a", "x/b"):
        run.upload_file(name, io.BytesIO(name.encode()))
    run.download_files(prefix="x", output_paths=["one", "deep/two"])
    assert Path("one").read_text() == "x/a"
    assert Path("deep/two").read_text() == "x/b"
    run.download_files(prefix="x", output_directory="d", output_paths=["one"])
    run.download_files(prefix="x", output_directory="d", output_paths=["one", "one"])
    assert capsys.readouterr().out.count("is not used") == 2
    assert Path("d/x/b").exists()


def test_a_model_is_made_of_a_file_or_a_folder_of_the_run(run: Run) -> None:
    run.upload_file("outputs/m.pkl", io.BytesIO(b"m"))
    run.upload_file("outputs/model/a", io.BytesIO(b"a"))
    run.upload_file("outputs/model/sub/b", io.BytesIO(b"b"))
    for number, path in enumerate(("outputs/m.pkl", "./outputs/m.pkl", "outputs\\m.pkl")):
        model = run.register_model("file-model", path, tags={"k": "v"}, properties={"auc": 0.84})
        assert model.version == number + 1
        assert model.run_id == run.id
        assert model.tags == {"k": "v"}
        assert model.properties == {"auc": "0.84"}
    assert model.experiment_name == run.experiment.name
    folder = run.register_model("folder-model", "outputs/model")
    path = folder.download("models")
    assert Path(path, "sub/b").read_text() == "b"
    with pytest.raises(ModelPathNotFoundException, match=r"outputs/m\.pkl"):
        run.register_model("absent")
    with pytest.raises(WebserviceException):
        run.register_model("bad name", "outputs/m.pkl")
    assert run.experiment.workspace.models["file-model"].version == 3
