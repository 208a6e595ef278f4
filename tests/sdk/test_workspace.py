from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk import notices, session
from zaffre.sdk.exceptions import (
    NotBuiltYetException,
    ServiceException,
    UserErrorException,
    WorkspaceException,
)
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.notices import IgnoredArgumentWarning
from zaffre.sdk.workspace import Workspace


def _name() -> str:
    return f"ws-{uuid.uuid4().hex[:12]}"


def _config(name: str, folder: Path) -> None:
    keys = {"subscription_id": "my-sub", "resource_group": "my-rg", "workspace_name": name}
    (folder / "config.json").write_text(json.dumps(keys))


def test_a_config_files_workspace_is_created_at_first_use_and_one_line_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _name()
    _config(name, Path.cwd())
    first = Workspace.from_config()
    printed = capsys.readouterr().out
    assert name in printed
    assert printed.count("\n") == 1
    second = Workspace.from_config()
    assert capsys.readouterr().out == ""
    assert second.workspace_id == first.workspace_id


def test_the_four_names_that_labs_print_are_texts(home: Path) -> None:
    name = _name()
    _config(name, Path.cwd())
    ws = Workspace.from_config()
    joined = ws.name + ws.resource_group + ws.location + ws.subscription_id
    assert joined == f"{name}my-rglocalmy-sub"
    assert ws.sku == "Basic"
    assert repr(ws) == (
        f"Workspace.create(name='{name}', subscription_id='my-sub', resource_group='my-rg')"
    )
    details = ws.get_details()
    assert details["name"] == name
    assert details["workspaceid"] == ws.workspace_id
    assert details["id"].endswith(f"/resourceGroups/my-rg/providers/{details['type']}/{name}")


def test_a_written_config_leads_back(ws: Workspace, tmp_path: Path) -> None:
    ws.write_config(str(tmp_path))
    again = Workspace.from_config(str(tmp_path))
    assert again.workspace_id == ws.workspace_id


def test_create_refuses_a_name_that_is_taken_unless_it_may_exist(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(WorkspaceException, match="exist_ok=True"):
        Workspace.create(ws.name)
    again = Workspace.create(ws.name, exist_ok=True, location="westeurope")
    assert again.workspace_id == ws.workspace_id
    assert capsys.readouterr().out.count("\n") == 1


def test_a_name_that_cannot_be_is_a_user_error(home: Path) -> None:
    for name in ("a", "-abc", "has blank", "x" * 33, "ä" * 5):
        with pytest.raises(UserErrorException, match="workspace name"):
            Workspace.create(name)
    with pytest.raises(UserErrorException, match="name"):
        Workspace.create(None)  # type: ignore[arg-type]


def test_the_constructor_loads_what_exists_and_raises_otherwise(ws: Workspace) -> None:
    again = Workspace(ws.subscription_id, ws.resource_group, ws.name)
    assert again.workspace_id == ws.workspace_id
    with pytest.raises(WorkspaceException, match=r"Workspace\.create"):
        Workspace(ws.subscription_id, ws.resource_group, "absent-workspace")


def test_get_finds_by_name_and_refuses_two_of_one_name(home: Path) -> None:
    name = _name()
    first = Workspace.create(name, resource_group="one", show_output=False)
    assert Workspace.get(name).workspace_id == first.workspace_id
    second = Workspace.create(name, resource_group="two", show_output=False)
    with pytest.raises(WorkspaceException) as caught:
        Workspace.get(name)
    assert caught.value.found_multiple
    assert Workspace.get(name, resource_group="two").workspace_id == second.workspace_id
    with pytest.raises(WorkspaceException) as absent:
        Workspace.get("absent-workspace")
    assert not absent.value.found_multiple


def test_list_gives_a_list_for_each_name(home: Path) -> None:
    name, subscription = _name(), _name()
    for group in ("one", "two"):
        Workspace.create(
            name, subscription_id=subscription, resource_group=group, show_output=False
        )
    found = Workspace.list(subscription)
    assert [ws.resource_group for ws in found[name]] == ["one", "two"]
    assert list(Workspace.list(subscription, resource_group="one")) == [name]


def test_an_argument_that_changes_nothing_is_named_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another test of this process may have been told already.
    monkeypatch.setattr(notices, "_told", set())
    with pytest.warns(IgnoredArgumentWarning, match="'key_vault'"):
        Workspace.create(_name(), key_vault="kv", show_output=False)
    Workspace.create(_name(), key_vault="kv", show_output=False)


def test_update_changes_and_returns_the_details(ws: Workspace) -> None:
    details = ws.update(friendly_name="Mine", description="d", tags={"k": "v"})
    assert details["friendlyName"] == "Mine"
    assert Workspace.get(ws.name).tags == {"k": "v"}


def test_an_experiment_is_in_the_mapping_at_once(ws: Workspace) -> None:
    assert ws.experiments == {}
    Experiment(ws, "first")
    assert list(ws.experiments) == ["first"]
    assert ws.experiments.get("absent") is None


def test_what_is_not_there_is_empty_or_says_that_it_is_not_built(ws: Workspace) -> None:
    assert ws.datasets == {}
    assert ws.compute_targets == {}
    assert ws.models == {}
    assert ws.webservices == {}
    assert ws.environments == {}
    with pytest.raises(NotBuiltYetException, match="not built yet"):
        ws.get_mlflow_tracking_uri()


def test_a_deleted_workspace_is_in_no_list_and_a_line_says_how_it_comes_back(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Experiment(ws, "e").start_logging(snapshot_directory=None)
    with pytest.raises(WorkspaceException, match="has not ended"):
        ws.delete()
    run.complete()
    capsys.readouterr()
    ws.delete()
    said = capsys.readouterr().out
    assert said.startswith(f"Workspace {ws.name!r} is deleted. Until 20")
    assert said.endswith(f"'zaffre workspace restore {ws.workspace_id}' brings it back.\n")
    with pytest.raises(WorkspaceException, match="no workspace"):
        Workspace.get(ws.name)
    session.current().request("POST", f"/workspaces/{ws.workspace_id}/restore")
    assert list(Workspace.get(ws.name).experiments) == ["e"]


@pytest.mark.parametrize("no_wait", [False, True])
def test_a_workspace_that_is_deleted_with_its_resources_is_gone(
    ws: Workspace, capsys: pytest.CaptureFixture[str], no_wait: bool
) -> None:
    experiment = Experiment(ws, "e")
    experiment.start_logging(snapshot_directory=None).complete()
    capsys.readouterr()
    ws.delete(delete_dependent_resources=True, no_wait=no_wait)
    assert capsys.readouterr().out == ""
    with pytest.raises(ServiceException):
        experiment.refresh()
    again = Workspace.create(ws.name, show_output=False)
    assert again.workspace_id != ws.workspace_id
    assert again.experiments == {}


def test_there_are_no_keys_of_cloud_resources_and_nothing_to_diagnose(ws: Workspace) -> None:
    ws.sync_keys(no_wait=True)
    assert ws.list_keys()["userStorageKey"] is None
    results = ws.diagnose_workspace(diagnose_parameters={"value": {}})["value"]
    assert results["storageAccountResults"] == []
    assert not any(results.values())
    with pytest.raises(UserErrorException, match="diagnose_parameters"):
        ws.diagnose_workspace("all")  # pyright: ignore[reportArgumentType]


def test_details_name_what_v1s_resources_would_be(ws: Workspace) -> None:
    details = ws.get_details()
    group = f"/subscriptions/{ws.subscription_id}/resourceGroups/{ws.resource_group}/providers"
    assert details["keyVault"] == f"{group}/Microsoft.KeyVault/vaults/{ws.name}"
    assert details["storageAccount"].split("/")[-1] == ws.name
    assert details["id"].endswith(f"/workspaces/{ws.name}")


def test_setup_opens_the_default_workspace(home: Path) -> None:
    assert Workspace.setup().name == Workspace.setup().name == "zaffre"


def test_a_teams_server_wants_the_workspace_to_exist(
    new_server: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = new_server(environment={"ZAFFRE_TEAM": "1"})
    monkeypatch.setenv("ZAFFRE_URL", team.url)
    monkeypatch.setenv("ZAFFRE_TOKEN", team.token)
    monkeypatch.setattr(session, "_session", session.Session())
    monkeypatch.chdir(tmp_path)
    _config("absent", tmp_path)
    with pytest.raises(WorkspaceException, match="'absent'"):
        Workspace.from_config()
