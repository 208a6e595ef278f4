from __future__ import annotations

import json
from pathlib import Path

import pytest

from zaffre.sdk import workspace_config
from zaffre.sdk.exceptions import UserErrorException

KEYS = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}


def _write(path: Path, content: object = KEYS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_a_far_azureml_folder_beats_a_near_plain_file(tmp_path: Path) -> None:
    far = _write(tmp_path / ".azureml" / "config.json")
    _write(tmp_path / "sub" / "config.json")
    assert workspace_config.find(str(tmp_path / "sub")) == str(far)


def test_the_places_are_tried_in_v1s_order(tmp_path: Path) -> None:
    start = tmp_path / "sub"
    for path in ("config.json", "aml_config/project.json", "aml_config/config.json"):
        found = _write(tmp_path / path)
        _write(start / "config.json")
        expected = start / "config.json" if path == "config.json" else found
        assert workspace_config.find(str(start)) == str(expected)
    project = _write(start / ".azureml" / "project.json")
    assert workspace_config.find(str(start)) == str(project)


def test_the_current_folder_is_the_start_and_child_folders_are_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "child" / "config.json")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserErrorException, match="or in its parent directories") as caught:
        workspace_config.find()
    assert "config.json" in caught.value.message
    assert str(tmp_path) in caught.value.message


def test_a_file_is_used_as_it_is_and_another_name_may_be_asked_for(tmp_path: Path) -> None:
    mine = _write(tmp_path / "mine.json")
    assert workspace_config.find(str(mine)) == str(mine)
    assert workspace_config.find(str(tmp_path), "mine.json") == str(mine)


def test_a_path_that_is_not_there_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match="absent"):
        workspace_config.find(str(tmp_path / "absent"))


def test_both_forms_are_read_and_unknown_keys_ignored(tmp_path: Path) -> None:
    three = _write(tmp_path / "a.json", {**KEYS, "more": 1})
    scope = workspace_config.scope_of("s", "g", "w")
    two = _write(tmp_path / "b.json", {"Id": None, "Scope": scope})
    assert workspace_config.read(str(three)) == ("s", "g", "w")
    assert workspace_config.read(str(two)) == ("s", "g", "w")


@pytest.mark.parametrize(
    "content", [{}, [], {"subscription_id": "s"}, {**KEYS, "workspace_name": 1}, {"Scope": "x"}]
)
def test_a_file_without_the_keys_names_itself_and_them(tmp_path: Path, content: object) -> None:
    path = _write(tmp_path / "config.json", content)
    with pytest.raises(UserErrorException, match="subscription_id, resource_group") as caught:
        workspace_config.read(str(path))
    assert str(path) in caught.value.message


def test_broken_json_is_a_bare_json_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(json.JSONDecodeError):
        workspace_config.read(str(tmp_path / "config.json"))


def test_what_is_written_is_v1s_one_line_and_is_found_again(tmp_path: Path) -> None:
    scope = workspace_config.scope_of("s", "g", "w")
    workspace_config.write(scope, str(tmp_path))
    workspace_config.write(scope, str(tmp_path), "other.json")
    text = (tmp_path / ".azureml" / "config.json").read_text()
    assert text == (
        '{"Id": null, "Scope": "/subscriptions/s/resourceGroups/g/providers/'
        'Microsoft.MachineLearningServices/workspaces/w"}'
    )
    found = workspace_config.find(str(tmp_path))
    assert workspace_config.read(found) == ("s", "g", "w")


def test_writing_below_a_folder_that_is_not_there_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match="Could not write the config file to"):
        workspace_config.write("x", str(tmp_path / "absent"))
