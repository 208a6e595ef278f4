from __future__ import annotations

import json

import pytest

from zaffre.sdk.datastore import Datastore
from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.workspace import Workspace


def test_a_new_workspace_has_v1s_datastores(ws: Workspace) -> None:
    assert list(ws.datastores) == [
        "workspaceblobstore",
        "workspacefilestore",
        "workspaceartifactstore",
        "workspaceworkingdirectory",
        "azureml_globaldatasets",
    ]
    default = ws.get_default_datastore()
    assert (default.name, default.datastore_type) == ("workspaceblobstore", "AzureBlob")
    assert type(default).__name__ == "AzureBlobDatastore"
    assert Datastore(ws).name == Datastore.get_default(ws).name == "workspaceblobstore"
    assert Datastore(ws, "workspacefilestore").datastore_type == "AzureFile"
    assert Datastore.get(ws, "WorkspaceFileStore").name == "workspacefilestore"
    assert default.workspace is ws
    assert default.container_name == f"azureml-blobstore-{ws.workspace_id}"
    assert default.account_key is None


def test_its_text_is_json_as_v1_wrote_it(ws: Workspace) -> None:
    default = ws.get_default_datastore()
    assert repr(default) == str(default)
    assert list(json.loads(str(default))) == [
        "name",
        "container_name",
        "account_name",
        "protocol",
        "endpoint",
    ]
    with pytest.raises(AttributeError, match="'AzureBlobDatastore' object has no attribute 'nme'"):
        _ = default.nme


def test_another_default_can_be_chosen(ws: Workspace) -> None:
    ws.set_default_datastore("workspacefilestore")
    assert ws.get_default_datastore().name == "workspacefilestore"
    Datastore(ws, "workspaceblobstore").set_as_default()
    assert ws.get_default_datastore().name == "workspaceblobstore"
    with pytest.raises(UserErrorException, match="Could not find datastore absent"):
        ws.set_default_datastore("absent")


def test_a_datastore_that_is_not_there_is_a_user_error(ws: Workspace) -> None:
    with pytest.raises(UserErrorException, match="Could not find datastore absent"):
        Datastore.get(ws, "absent")
    with pytest.raises(UserErrorException, match="'a/b' is not allowed"):
        Datastore(ws, "a/b")


def test_a_built_in_datastore_cannot_be_unregistered(ws: Workspace) -> None:
    with pytest.raises(UserErrorException, match="cannot be removed"):
        ws.get_default_datastore().unregister()
