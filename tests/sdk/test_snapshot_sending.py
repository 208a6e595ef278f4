from __future__ import annotations

import os
from pathlib import Path

import pytest

from zaffre.contract.snapshot import snapshot_id
from zaffre.sdk import session, snapshot
from zaffre.sdk.workspace import Workspace


def _take(ws: Workspace, folder: str = "src") -> str:
    return snapshot.take(folder, session.current(), ws.workspace_id).snapshot_id


def test_the_id_is_that_of_the_content(ws: Workspace) -> None:
    Path("src/lib").mkdir(parents=True)
    Path("src/train.py").write_text("1")
    Path("src/lib/run.sh").write_text("1")
    Path("src/lib/run.sh").chmod(0o755)
    taken = snapshot.take("src", session.current(), ws.workspace_id)
    assert taken.snapshot_id == snapshot_id(taken.files)
    assert [(file.name, file.executable) for file in taken.files] == [
        ("lib/run.sh", True),
        ("train.py", False),
    ]
    again = _take(ws)
    assert again == taken.snapshot_id


def test_a_file_that_is_rewritten_within_the_same_moment_is_sent_again(ws: Workspace) -> None:
    Path("src").mkdir()
    seen = {}
    for text in ("a", "b", "a"):
        Path("src/train.py").write_text(text)
        os.utime("src/train.py", (1, 1))
        seen[text] = _take(ws)
    assert seen["a"] != seen["b"]
    Path("src/train.py").chmod(0o755)
    assert _take(ws) not in seen.values()


def test_an_unchanged_folder_is_not_asked_about_again(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("src").mkdir()
    Path("src/train.py").write_text("x")
    first = _take(ws)
    from zaffre.client.connection import NamedServer
    from zaffre.client.http import Client

    nobody = Client(NamedServer("http://127.0.0.1:9", "token"), retry_s=0)
    with monkeypatch.context() as patch:
        patch.setattr(session.current(), "_client", nobody)
        assert _take(ws) == first
    other = Workspace.create(f"{ws.name[:20]}-other", show_output=False)
    assert _take(other) == first


def test_an_empty_folder_has_a_snapshot(ws: Workspace) -> None:
    Path("src").mkdir()
    assert len(_take(ws)) == 64


def test_a_thousand_files_go_by_a_few_requests(ws: Workspace) -> None:
    Path("src").mkdir()
    for number in range(1_000):
        Path(f"src/{number}").write_text(str(number))
    taken = snapshot.take("src", session.current(), ws.workspace_id)
    assert len(taken.files) == 1_000
