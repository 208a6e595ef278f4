from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cli.conftest import Zaffre

if TYPE_CHECKING:
    from tests.conftest import ServerProcess


def test_datastores_are_listed_shown_and_tried_without_a_secret(
    zaffre: Zaffre, server: ServerProcess, workspace: dict[str, Any]
) -> None:
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/datastores/mine"
    body = {"kind": "S3", "settings": {"bucket_name": "b"}, "credentials": {"key": "s3cret"}}
    assert server.client.request("PUT", path, json_body=body).status == 200
    name = workspace["name"]
    listed = zaffre("datastore", "list", "-w", name)
    assert "workspaceblobstore" in listed.out
    assert [one["name"] for one in zaffre("datastore", "list", "-w", name, "--json").json][-1] == (
        "mine"
    )
    shown = zaffre("datastore", "show", "mine", "-w", name)
    assert "bucket_name" in shown.out
    assert "s3cret" not in listed.out + shown.out + shown.err
    tried = zaffre("datastore", "test", "workspaceblobstore", "-w", name)
    assert (tried.code, tried.out) == (0, "Datastore 'workspaceblobstore' can be reached.\n")


def test_a_datastore_that_is_not_there_is_code_3(zaffre: Zaffre, workspace: dict[str, Any]) -> None:
    said = zaffre("datastore", "show", "absent", "-w", workspace["name"])
    assert (said.code, said.out) == (3, "")
    assert "no datastore 'absent'" in said.err
