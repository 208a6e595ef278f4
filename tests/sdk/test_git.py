from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from zaffre.sdk import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    _git(tmp_path, "init", "-q", "-b", "topic")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").touch()
    (tmp_path / "b.py").touch()
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-q", "-m", "x")
    return tmp_path


def test_branch_commit_and_remote_are_recorded_under_both_names(repository: Path) -> None:
    _git(repository, "remote", "add", "origin", "https://me:secret@example.com/a/b.git")
    found = git.properties(str(repository / "src"))
    commit = _git(repository, "rev-parse", "HEAD")
    assert found == {
        "azureml.git.repository_uri": "https://example.com/a/b.git",
        "mlflow.source.git.repoURL": "https://example.com/a/b.git",
        "azureml.git.branch": "topic",
        "mlflow.source.git.branch": "topic",
        "azureml.git.commit": commit,
        "mlflow.source.git.commit": commit,
        "azureml.git.dirty": "False",
    }


def test_only_changes_below_the_folder_make_it_dirty(repository: Path) -> None:
    (repository / "b.py").write_text("changed")
    assert git.properties(str(repository / "src"))["azureml.git.dirty"] == "False"
    (repository / "src" / "new.py").touch()
    assert git.properties(str(repository / "src"))["azureml.git.dirty"] == "True"


def test_what_git_does_not_know_is_absent(repository: Path) -> None:
    _git(repository, "checkout", "-q", "--detach")
    found = git.properties(str(repository))
    assert "azureml.git.branch" not in found
    assert "azureml.git.repository_uri" not in found
    assert "azureml.git.commit" in found


def test_a_repository_without_a_commit_has_no_commit(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q")
    assert "azureml.git.commit" not in git.properties(str(tmp_path))


def test_outside_a_repository_and_without_git_there_is_nothing(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.properties(str(repository)) == {}
    assert git.properties("/") == {}
