"""The quickstart, as `make demo` runs it, and the command line on what it left."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Project

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "quickstart"

pytestmark = [pytest.mark.xdist_group("quickstart"), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def quickstart(shared_project: Project) -> Project:
    """A project in which the quickstart has run, in the workspace of the project's config.json."""
    config = (shared_project.folder / "config.json").read_text("utf-8")
    shutil.copytree(EXAMPLE, shared_project.folder, dirs_exist_ok=True)
    shared_project.write("config.json", config)
    shared_project.write("printed.txt", shared_project.call(sys.executable, "quickstart.py"))
    return shared_project


def zaffre(project: Project, *arguments: str) -> str:
    """Run `zaffre ...`; return what it printed."""
    return project.call(sys.executable, "-m", "zaffre.cli", *arguments)


def zaffre_json(project: Project, *arguments: str) -> Any:
    """Run `zaffre ... --json`; return what it printed."""
    return json.loads(zaffre(project, *arguments, "--json"))


def runs(project: Project) -> list[dict[str, Any]]:
    """The quickstart's runs, oldest first."""
    items = zaffre_json(project, "run", "list", "--workspace", project.workspace_name)
    return items[::-1]


def test_the_quickstart_shows_its_progress_and_its_results(quickstart: Project) -> None:
    printed = (quickstart.folder / "printed.txt").read_text("utf-8")
    assert "epoch 20: loss" in printed
    assert "outputs/model.pkl" in printed
    assert "breast_cancer_model version: 1" in printed


def test_its_four_runs_are_completed(quickstart: Project) -> None:
    found = runs(quickstart)
    assert [run["display_name"] for run in found] == [
        "inline",
        "ScriptRunConfig",
        "Estimator",
        "SKLearn",
    ]
    assert {run["state"] for run in found} == {"Completed"}


def test_run_show_shows_all_nine_kinds_of_metrics(quickstart: Project) -> None:
    inline = runs(quickstart)[0]["run_id"]
    kinds = {m["kind"] for m in zaffre_json(quickstart, "run", "show", inline)["metrics"]}
    assert kinds == {
        "scalar",
        "list",
        "row",
        "table",
        "image",
        "confusion_matrix",
        "accuracy_table",
        "residuals",
        "predictions",
    }
    shown = zaffre(quickstart, "run", "show", inline)
    for words in (
        "breast cancer, Wisconsin",
        "mean radius, mean texture",
        "3 rows; last: feature=mean perimeter",
        "2 rows; last: class=benign, rows=357",
        "Mean radius_",
        "2 classes, ",
        "true \\ predicted",
        "area under ROC: malignant 0.99",
        "133 residuals",
        "133 predictions",
    ):
        assert words in shown


def test_run_logs_prints_what_the_script_printed(quickstart: Project) -> None:
    script = runs(quickstart)[1]["run_id"]
    printed = zaffre(quickstart, "run", "logs", script)
    assert printed.startswith("398 rows to train on, 171 to test with, 30 features\n")
    assert zaffre(quickstart, "run", "logs", "-f", script) == printed


def test_why_tells_the_history_of_a_run(quickstart: Project) -> None:
    script = runs(quickstart)[1]["run_id"]
    told = zaffre_json(quickstart, "why", script)
    assert told["state"] == "Completed"
    states = [entry["state"] for entry in told["history"]]
    assert states[0] == "Queued"
    assert states[-2:] == ["Finalizing", "Completed"]
    assert "Where the time went" in zaffre(quickstart, "why", script)


def test_the_model_is_listed_shown_and_downloaded(quickstart: Project) -> None:
    where = ("--workspace", quickstart.workspace_name)
    (model,) = zaffre_json(quickstart, "model", "list", *where)
    assert (model["name"], model["version"]) == ("breast_cancer_model", 1)
    assert float(model["properties"]["AUC"]) > 0.98
    assert "model.pkl" in zaffre(quickstart, "model", "show", "breast_cancer_model", *where)
    zaffre(quickstart, "model", "download", "breast_cancer_model:1", "models", *where)
    (file,) = (quickstart.folder / "models").rglob("*.pkl")
    assert file.stat().st_size == model["files"][0]["size_bytes"]


def test_the_experiment_is_listed(quickstart: Project) -> None:
    (experiment,) = zaffre_json(
        quickstart, "experiment", "list", "--workspace", quickstart.workspace_name
    )
    assert experiment["name"] == "quickstart"
