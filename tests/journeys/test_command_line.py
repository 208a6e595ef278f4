"""The command line beside a script that runs: its log is followed live, and it survives `down`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Project

pytestmark = pytest.mark.timeout(120)

#: Says that it has begun, waits until somebody writes to the pipe, says what it read.
SCRIPT = """
import os, sys
print('begun', flush=True)
with open(os.environ['GATE']) as gate:
    print('read', gate.read(), flush=True)
"""

SUBMIT = """
import os
from azureml.core import Experiment, ScriptRunConfig, Workspace

ws = Workspace.from_config()
script = ScriptRunConfig(source_directory='scripts', script='wait.py')
script.run_config.environment_variables['GATE'] = os.path.abspath('gate')
print(Experiment(ws, 'waiting').submit(script).id)
"""


@pytest.fixture
def waiting(project: Project) -> Project:
    """A project with a script that waits for a line through the pipe `gate`."""
    project.write("scripts/wait.py", SCRIPT)
    os.mkfifo(project.folder / "gate")
    return project


@pytest.fixture
def own_server(project: Project) -> Iterator[Project]:
    """The project, with a home of its own in which `zaffre` starts and stops the server."""
    home = Path(tempfile.mkdtemp(prefix="zf-", dir="/tmp"))
    project.server = SimpleNamespace(home=home)
    yield project
    zaffre(project, "down")
    shutil.rmtree(home, ignore_errors=True)


def zaffre(project: Project, *arguments: str) -> str:
    return project.call(sys.executable, "-m", "zaffre.cli", *arguments)


def zaffre_json(project: Project, *arguments: str) -> Any:
    return json.loads(zaffre(project, *arguments, "--json"))


def submit(project: Project) -> str:
    """Submit the waiting script; return the run's id."""
    return project.run(SUBMIT).strip().splitlines()[-1]


def follow(project: Project, run_id: str) -> subprocess.Popen[str]:
    """Start `zaffre run logs -f`."""
    return subprocess.Popen(
        [sys.executable, "-m", "zaffre.cli", "run", "logs", "-f", run_id],
        env=project.environment(),
        cwd=project.folder,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_log_is_followed_while_it_grows(waiting: Project) -> None:
    run_id = submit(waiting)
    with follow(waiting, run_id) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "begun\n"
        (waiting.folder / "gate").write_text("on")
        assert follower.stdout.read() == "read on\n"
    assert follower.returncode == 0
    assert zaffre_json(waiting, "why", run_id)["state"] == "Completed"


def test_a_canceled_run_says_who_canceled_it(waiting: Project) -> None:
    run_id = submit(waiting)
    with follow(waiting, run_id) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "begun\n"
        zaffre(waiting, "run", "cancel", run_id)
        assert follower.stdout.read() == ""
    assert "Canceled by " in zaffre(waiting, "why", run_id)


def test_runs_go_on_while_the_server_is_down(own_server: Project, waiting: Project) -> None:
    zaffre(own_server, "up")
    run_id = submit(waiting)
    with follow(waiting, run_id) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "begun\n"
        assert "1 run goes on" in zaffre(own_server, "down")
        (waiting.folder / "gate").write_text("on")
        zaffre(own_server, "up")
        # The one who follows finds the server again, and misses nothing.
        assert follower.stdout.read() == "read on\n"
    shown = zaffre_json(own_server, "run", "show", run_id)["run"]
    assert (shown["state"], shown["attempt"]) == ("Completed", 1)


REGISTER = """
from azureml.core import Model, Workspace

with open('model.pkl', 'w') as file:
    file.write('weights')
Model.register(Workspace.from_config(), model_path='model.pkl', model_name='wide')
"""


def test_a_model_is_downloaded_over_nothing_unless_asked(project: Project) -> None:
    project.run(REGISTER)
    (project.folder / "model.pkl").unlink()
    options = ("model", "download", "wide", "--workspace", project.workspace_name)
    downloaded = zaffre_json(project, *options)
    assert (downloaded["version"], downloaded["files"]) == (1, ["model.pkl"])
    (project.folder / "model.pkl").write_text("mine")
    refused = subprocess.run(
        [sys.executable, "-m", "zaffre.cli", *options],
        env=project.environment(),
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 4
    assert "'model.pkl' exists already. --overwrite writes over it." in refused.stderr
    assert (project.folder / "model.pkl").read_text() == "mine"
    zaffre(project, *options, "--overwrite")
    assert (project.folder / "model.pkl").read_text() == "weights"


def test_sync_names_no_run_that_has_nothing_left(project: Project) -> None:
    project.run(
        "import os\nfrom azureml.core import Experiment, Workspace\n"
        "run = Experiment(Workspace.from_config(), 'left').start_logging(snapshot_directory=None)\n"
        "run.log('a', 1); run.flush(); print(run.id, flush=True); os._exit(0)"
    )
    zaffre(project, "sync")
    assert zaffre(project, "sync") == "Nothing is left to ship.\n"
