"""The SDK against the shared server, each test in a workspace and a folder of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk import session
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.run import Run
from zaffre.sdk.script_run_config import ScriptRunConfig
from zaffre.sdk.workspace import Workspace


@pytest.fixture
def home(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the SDK of this process speak to the shared server, from an empty current folder."""
    for name in ("ZAFFRE_URL", "ZAFFRE_TOKEN", "ZAFFRE_RUN_TOKEN", "ZAFFRE_SPOOL_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AZUREML_RUN_ID", raising=False)
    monkeypatch.setenv("ZAFFRE_HOME", str(server.home))
    monkeypatch.setattr(session, "_session", session.Session())
    folder = tmp_path / "notebook"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return server.home


@pytest.fixture
def ws(home: Path) -> Workspace:
    """A new workspace."""
    return Workspace.create(f"ws-{uuid.uuid4().hex[:12]}", show_output=False)


@pytest.fixture
def experiment(ws: Workspace) -> Experiment:
    """A new experiment."""
    return Experiment(ws, "test-experiment")


@pytest.fixture
def run(experiment: Experiment) -> Run:
    """An interactive run without a snapshot."""
    return experiment.start_logging(snapshot_directory=None)


@pytest.fixture
def submit(experiment: Experiment, tmp_path: Path) -> Callable[..., Run]:
    """Submit a script's text: `submit(text, *arguments)`."""

    def start(text: str, *arguments: str, **options: Any) -> Run:
        folder = tmp_path / f"source-{uuid.uuid4().hex[:6]}"
        folder.mkdir()
        (folder / "train.py").write_text(text)
        config = ScriptRunConfig(str(folder), "train.py", arguments=list(arguments))
        return experiment.submit(config, **options)

    return start
