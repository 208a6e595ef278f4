"""Journeys are what users write: each runs as a program of its own, in a folder with a config.json.

The server is the test process's own; with ZAFFRE_TEST_DATABASE=postgresql it keeps its records in
PostgreSQL.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import ServerProcess

SOURCE = Path(__file__).resolve().parents[2] / "src"
PROGRAM_LIMIT_S = 120


class Project:
    """A user's folder: a config.json, scripts, and programs that run in it."""

    def __init__(self, folder: Path, server: ServerProcess) -> None:
        self.folder = folder
        self.server = server
        self.workspace_name = f"ws-{uuid.uuid4().hex[:12]}"
        config = {
            "subscription_id": "sub",
            "resource_group": "rg",
            "workspace_name": self.workspace_name,
        }
        self.write("config.json", json.dumps(config))

    def write(self, name: str, text: str) -> Path:
        """Write a file below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def environment(self) -> dict[str, str]:
        """The variables of a user's terminal."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ZAFFRE_", "AZUREML_"))}
        return {
            **kept,
            "ZAFFRE_HOME": str(self.server.home),
            "PYTHONPATH": str(SOURCE),
            "PYTHONWARNINGS": "error::DeprecationWarning:__main__",
        }

    def run(self, text: str, *, name: str = "snippet.py") -> str:
        """Run a Python program in the folder; return what it printed. It must not fail."""
        self.write(name, text)
        return self.call(sys.executable, name)

    def call(self, *command: str, folder: Path | None = None) -> str:
        """Run a command in the folder; return its standard output. It must not fail."""
        done = subprocess.run(
            command,
            cwd=folder or self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PROGRAM_LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        return done.stdout


@pytest.fixture
def project(tmp_path: Path, server: ServerProcess) -> Project:
    """A folder of the test's own, with a workspace of its own."""
    return Project(tmp_path, server)


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory, server: ServerProcess) -> Project:
    """A folder that a module's tests share."""
    return Project(tmp_path_factory.mktemp("project"), server)
