"""`RunDetails(run).show()` as users see it: in a notebook's real kernel, and in a terminal."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Project

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PARTS = ("head", "metrics", "about", "log")
#: nbclient and its parts warn of things of their own, so it runs in a process of its own.
EXECUTE = """
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read("widget.ipynb", as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
nbformat.write(notebook, "executed.ipynb")
"""

pytestmark = [pytest.mark.xdist_group("widget"), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def outputs(shared_project: Project) -> list[dict[str, dict[str, str]]]:
    """What the notebook's two widgets show in the end: by part, text/html and text/plain."""
    shutil.copy(EXAMPLES / "widget.ipynb", shared_project.folder)
    shared_project.write(
        "quickstart/config.json", (shared_project.folder / "config.json").read_text()
    )
    shared_project.run(EXECUTE, name="execute.py")
    notebook = json.loads((shared_project.folder / "executed.ipynb").read_text("utf-8"))
    shown: list[dict[str, dict[str, str]]] = []
    for cell in notebook["cells"]:
        if "RunDetails(" in "".join(cell["source"]) and cell["cell_type"] == "code":
            bundles = [o["data"] for o in cell["outputs"] if o["output_type"] == "display_data"]
            joined = [{kind: "".join(text) for kind, text in one.items()} for one in bundles]
            shown.append(dict(zip(PARTS, joined, strict=True)))
    return shown


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = json.loads((EXAMPLES / "widget.ipynb").read_text("utf-8"))
    assert all(not cell.get("outputs") for cell in notebook["cells"])


def test_the_end_of_a_run_stands_in_the_notebook(outputs: list[dict[str, Any]]) -> None:
    script = outputs[0]
    assert "</i>Completed</span>" in script["head"]["text/html"]
    assert script["metrics"]["text/html"].count("<svg") == 2
    assert "best" in script["metrics"]["text/html"]
    assert "60 points" in script["metrics"]["text/html"]
    assert "user_logs/std_log.txt" in script["about"]["text/html"]
    log = script["log"]["text/html"]
    assert "epoch  60 of 60: loss" in log
    assert log.rindex("weights: ") > log.rindex("epoch  60 of 60")


def test_children_and_a_confusion_matrix_stand_in_the_notebook(
    outputs: list[dict[str, Any]],
) -> None:
    parent = outputs[1]
    assert "three depths" in parent["head"]["text/html"]
    assert "<b>3</b> completed" in parent["metrics"]["text/html"]
    assert '<td class="zf-n zf-top">0.95</td>' in parent["metrics"]["text/html"]
    assert "2 classes, 93.0% right" in parent["about"]["text/html"]


def test_a_front_end_without_html_has_the_same_as_text(outputs: list[dict[str, Any]]) -> None:
    script, parent = outputs
    assert "Status      Completed" in script["head"]["text/plain"]
    assert "60 points" in script["metrics"]["text/plain"]
    assert "weights: " in script["log"]["text/plain"]
    assert "3 (3 Completed)" in parent["metrics"]["text/plain"]


TERMINAL = """
from azureml.core import Experiment, ScriptRunConfig, Workspace
from azureml.widgets import RunDetails

run = Experiment(Workspace.from_config(), "terminal").submit(ScriptRunConfig("source", "train.py"))
RunDetails(run).show()
print("show has returned")
RunDetails(run).show()
run.wait_for_completion()
print("the program goes on")
"""
TRAIN = """
from azureml.core import Run

Run.get_context().log("loss", 0.125)
print("from the script", flush=True)
"""


def test_a_terminal_has_lines_that_make_way_and_a_table_at_the_end(project: Project) -> None:
    project.write("source/train.py", TRAIN)
    project.write("snippet.py", TERMINAL)
    ours, theirs = pty.openpty()
    environment = {**project.environment(), "TERM": "xterm", "COLUMNS": "90", "LINES": "30"}
    program = subprocess.Popen(
        [sys.executable, "snippet.py"],
        cwd=project.folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65_536):
            written += chunk
    except OSError:
        pass  # Linux says by an error that the other end is closed
    os.close(ours)
    assert program.wait(60) == 0, written
    screen = on_screen(written.decode())
    assert screen[0].startswith("Workspace ")
    assert screen[1] == "show has returned"
    assert "Status      Completed" in screen
    assert any(line.split()[:2] == ["loss", "0.125"] for line in screen)
    assert [line.split()[0] for line in screen].count("Run") == 2, "one is printed once"
    assert screen[-1] == "the program goes on"
    assert not any(line.startswith(("Queued", "Running", "Preparing")) for line in screen)


def on_screen(written: str) -> list[str]:
    """Return the lines that a terminal shows: it knows the few sequences that we write."""
    lines = [""]
    row = 0
    first, *pieces = written.replace("\r\n", "\n").split("\x1b[")
    for number, piece in enumerate([first, *pieces]):
        text = piece
        if number:
            if (end := piece.find("A")) > 0 and piece[:end].isdigit():
                row, text = row - int(piece[:end]), piece[end + 1 :].lstrip("\r")
            elif piece.startswith("J"):
                del lines[row + 1 :]
                lines[row], text = "", piece[1:]
            elif (end := piece.find("m")) > 0:
                text = piece[end + 1 :]
        for index, part in enumerate(text.split("\n")):
            if index:
                row += 1
                if row == len(lines):
                    lines.append("")
            lines[row] += part
    return [line for line in lines if line]
