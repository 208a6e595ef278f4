from __future__ import annotations

import itertools
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk import session
from zaffre.sdk.exceptions import AzureMLException, ServiceException, UserErrorException
from zaffre.sdk.experiment import Experiment, ViewType
from zaffre.sdk.run import Run
from zaffre.sdk.workspace import Workspace


def _make_runs(experiment: Experiment, count: int, parent: str | None = None) -> list[str]:
    """Record runs by the fewest requests."""
    made: list[str] = []
    for start in range(0, count, 500):
        items: list[dict[str, Any]] = [
            {
                "run_id": str(uuid.uuid4()),
                "idempotency_key": uuid.uuid4().hex,
                "state": "NotStarted",
                "parent_run_id": parent,
            }
            for _ in range(min(500, count - start))
        ]
        path = f"/experiments/{experiment.id}/runs/batch"
        session.current().request("POST", path, json={"items": items})
        made += [item["run_id"] for item in items]
    return made


def test_the_same_name_is_the_same_experiment(ws: Workspace) -> None:
    assert Experiment(ws, "e").id == Experiment(workspace=ws, name="e").id


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a.b", "_a", "-a", "x" * 256, None, 5])
def test_a_name_that_cannot_be_is_refused_with_the_rule(ws: Workspace, name: Any) -> None:
    with pytest.raises(UserErrorException, match="experiment name"):
        Experiment(ws, name)


@pytest.mark.parametrize("name", ["a", "7", "x" * 255, "naïve", "my-exp_1"])
def test_a_name_that_can_be_is_taken(ws: Workspace, name: str) -> None:
    assert Experiment(ws, name).name == name


def test_texts_are_v1s(experiment: Experiment) -> None:
    name = experiment.workspace.name
    assert (
        repr(experiment)
        == str(experiment)
        == (f"Experiment(Name: test-experiment,\nWorkspace: {name})")
    )
    html = experiment._repr_html_()
    assert html.startswith('<table style="width:100%"><tr><th>Name</th><th>Workspace</th>')
    assert "<th>Report Page</th><th>Docs Page</th>" in html
    assert 'target="_blank" rel="noopener"' in html
    assert experiment.get_portal_url().startswith(
        f"{experiment.portal_url}/experiments/id/{experiment.id}?wsid=/subscriptions/"
    )


def test_tags_are_set_merged_and_removed(
    experiment: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment.tag("a", 1)
    assert capsys.readouterr().out == "Converting non-string tag to string: (a: 1)\n"
    experiment.set_tags({"b": None})
    assert experiment.tags == {"a": "1", "b": None}
    assert experiment.remove_tags(["a"]) == {"b": None}
    again = Experiment(experiment.workspace, experiment.name)
    experiment.tag("c", "x")
    again.refresh()
    assert again.tags == {"b": None, "c": "x"}


def test_list_takes_a_name_tags_and_a_view(ws: Workspace) -> None:
    for name in ("one", "two"):
        Experiment(ws, name).tag("k", name)
    assert {e.name for e in Experiment.list(ws)} == {"one", "two"}
    assert [e.name for e in Experiment.list(ws, "two")] == ["two"]
    assert [e.name for e in Experiment.list(ws, tags={"k": "one"})] == ["one"]
    assert len(Experiment.list(ws, tags="k")) == 2
    assert Experiment.list(ws, view_type=ViewType.ArchivedOnly) == []
    assert len(Experiment.list(ws, view_type=ViewType.All)) == 2
    with pytest.raises(AzureMLException, match="view_type"):
        Experiment.list(ws, view_type="x")


def test_an_archived_experiment_leaves_the_lists_and_comes_back(experiment: Experiment) -> None:
    ws = experiment.workspace
    run = experiment.start_logging(snapshot_directory=None)
    assert experiment.archived_time is None
    experiment.archive()
    assert experiment.archived_time is not None
    assert ws.experiments == {}
    (archived,) = Experiment.list(ws, view_type=ViewType.ArchivedOnly)
    assert (archived.id, archived.name) == (experiment.id, experiment.name)
    assert [one.id for one in archived.get_runs()] == [run.id]
    with pytest.raises(UserErrorException, match="rename"):
        experiment.reactivate(new_name="x")
    experiment.reactivate()
    assert experiment.archived_time is None
    assert list(ws.experiments) == [experiment.name]


def test_a_run_of_an_archived_experiment_goes_to_a_new_one_of_its_name(
    experiment: Experiment,
) -> None:
    experiment.archive()
    run = experiment.start_logging(snapshot_directory=None)
    assert run.experiment.name == experiment.name
    assert run.experiment.id != experiment.id
    assert Experiment(experiment.workspace, experiment.name).id == run.experiment.id
    with pytest.raises(ServiceException, match="exists already") as refused:
        experiment.reactivate()
    assert refused.value.status_code == 409


def test_a_deleted_experiment_is_gone_with_its_runs(experiment: Experiment) -> None:
    ws = experiment.workspace
    run = experiment.start_logging(snapshot_directory=None)
    with pytest.raises(ServiceException, match="not ended") as refused:
        Experiment.delete(workspace=ws, experiment_id=experiment.id)
    assert refused.value.status_code == 409
    run.complete()
    Experiment.delete(ws, experiment.id)
    assert Experiment.list(ws, view_type=ViewType.All) == []
    with pytest.raises(ServiceException, match="no run") as gone:
        ws.get_run(run.id)
    assert gone.value.status_code == 404
    assert Experiment(ws, experiment.name).id != experiment.id


@pytest.mark.parametrize("experiment_id", ["", None, 5])
def test_what_is_no_id_of_an_experiment_is_not_deleted(ws: Workspace, experiment_id: Any) -> None:
    with pytest.raises(UserErrorException, match="experiment_id"):
        Experiment.delete(ws, experiment_id)


def test_an_experiment_is_deleted_in_its_own_workspace_alone(experiment: Experiment) -> None:
    other = Workspace.create(f"ws-{uuid.uuid4().hex[:12]}", show_output=False)
    for workspace, experiment_id in ((other, experiment.id), (experiment.workspace, "absent")):
        with pytest.raises(ServiceException, match="no experiment") as refused:
            Experiment.delete(workspace, experiment_id)
        assert refused.value.status_code == 404
    assert list(experiment.workspace.experiments) == [experiment.name]


@pytest.mark.parametrize("config", [None, 5, object()])
def test_what_cannot_be_submitted_is_refused_in_v1s_words(
    experiment: Experiment, config: Any
) -> None:
    with pytest.raises(AzureMLException, match="has not been registered"):
        experiment.submit(config)


def test_all_runs_come_once_newest_first_also_while_new_ones_are_made(
    experiment: Experiment,
) -> None:
    """R037."""
    made = _make_runs(experiment, 1_200)
    _make_runs(experiment, 3, parent=made[0])
    runs = experiment.get_runs()
    first = list(itertools.islice(runs, 150))
    late = _make_runs(experiment, 5)
    found = [run.id for run in [*first, *runs]]
    assert found == made[::-1]
    everything = [run.id for run in experiment.get_runs(include_children=True)]
    assert len(everything) == len(set(everything)) == 1_208
    assert everything[:5] == late[::-1]


def test_the_newest_run_comes_first_and_the_list_is_a_generator(experiment: Experiment) -> None:
    """R036: what a new process finds is the run itself."""
    experiment.start_logging(snapshot_directory=None).complete()
    newest = experiment.start_logging(snapshot_directory=None)
    newest.log("a", 1)
    newest.flush()
    found = next(experiment.workspace.experiments[experiment.name].get_runs())
    assert found.id == newest.id
    assert found.get_metrics() == {"a": 1}
    assert found.number == 2
    found.cancel()
    assert newest.get_status() == "Canceled"


def test_filters_act_together(experiment: Experiment) -> None:
    """R038."""
    runs = [experiment.start_logging(snapshot_directory=None) for _ in range(3)]
    for number, run in enumerate(runs):
        run.set_tags({"k": "v", "n": str(number)})
    runs[1].add_properties({"p": "x"})
    runs[2].complete()

    def ids(found: Any) -> list[str]:
        return [run.id for run in found]

    assert ids(experiment.get_runs(tags="k")) == [r.id for r in runs[::-1]]
    assert ids(experiment.get_runs(tags={"k": "v", "n": "1"})) == [runs[1].id]
    assert ids(experiment.get_runs(tags={"k": "v"}, properties={"p": "x"})) == [runs[1].id]
    assert ids(experiment.get_runs(tags={"k": "other"})) == []
    assert ids(experiment.get_runs(type="azureml.scriptrun")) == []
    assert ids(Run.list(experiment, status="Completed")) == [runs[2].id]
    with pytest.raises(UserErrorException, match="tags"):
        list(experiment.get_runs(tags=5))


def test_an_old_project_folder_names_its_experiment(ws: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "aml_config"
    folder.mkdir()
    content = {"Id": "x", "Scope": f"{ws.scope}/projects/old-project"}
    (folder / "project.json").write_text(json.dumps(content))
    found = Experiment.from_directory(path=str(tmp_path), auth=None)
    assert (found.name, found.workspace.workspace_id) == ("old-project", ws.workspace_id)
    (folder / "project.json").write_text(json.dumps({"Scope": ws.scope}))
    with pytest.raises(UserErrorException, match="names no experiment"):
        Experiment.from_directory(str(tmp_path))
    with pytest.raises(UserErrorException, match="could not find project"):
        Experiment.from_directory(path=str(tmp_path / "absent"))
