from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.server.conftest import OWNER, World

from zaffre.contract.datastore import Datastore, DatastoreKind, DatastoreRequest
from zaffre.contract.errors import AlreadyExists, Forbidden, Invalid, NotFound
from zaffre.server.access import Caller
from zaffre.server.store import tables
from zaffre.server.usecases import datastore as datastores
from zaffre.server.usecases import workspace as workspaces

BLOB = DatastoreRequest(
    DatastoreKind.AZURE_BLOB, {"account_name": "acc", "container_name": "c"}, {"account_key": "k3y"}
)


def register(
    world: World, name: str = "mine", request: DatastoreRequest = BLOB, caller: Caller = OWNER
) -> Datastore:
    return datastores.register(
        world.workspace.workspace_id,
        name,
        request,
        caller=caller,
        store=world.store,
        now=world.now,
    )


def get(world: World, name: str = "mine") -> Datastore:
    return datastores.get(world.workspace.workspace_id, name, caller=OWNER, store=world.store)


def open_up(world: World, name: str = "mine", caller: Caller = OWNER) -> Datastore:
    workspace_id = world.workspace.workspace_id
    return datastores.get_with_credentials(workspace_id, name, caller=caller, store=world.store)


def default_name(world: World) -> str:
    found = datastores.get_default(world.workspace.workspace_id, caller=OWNER, store=world.store)
    return found.name


def choose(world: World, name: str) -> None:
    datastores.set_default(world.workspace.workspace_id, name, caller=OWNER, store=world.store)


def remove(world: World, name: str) -> bool:
    return datastores.remove(world.workspace.workspace_id, name, caller=OWNER, store=world.store)


def names(world: World) -> list[str]:
    workspace_id = world.workspace.workspace_id
    return [one.name for one in datastores.find(workspace_id, caller=OWNER, store=world.store)]


def test_a_new_workspace_has_v1s_datastores_as_folders_of_the_home(world: World) -> None:
    assert names(world) == [
        "workspaceblobstore",
        "workspacefilestore",
        "workspaceartifactstore",
        "workspaceworkingdirectory",
        "azureml_globaldatasets",
    ]
    home = world.store.settings.home
    found = get(world, "WorkspaceBlobStore")
    assert found.is_built_in
    assert found.is_default
    workspace_id = world.workspace.workspace_id
    assert found.settings["root"] == f"{home}/datastores/{workspace_id}/workspaceblobstore"


def test_a_datastore_is_found_however_its_name_is_spelt(world: World) -> None:
    register(world, "Mine")
    assert get(world, "mINE").name == "Mine"
    with pytest.raises(AlreadyExists, match="overwrite=True"):
        register(world, "mine")
    register(world, "MINE", DatastoreRequest(DatastoreKind.DBFS, {}, overwrite=True))
    assert get(world, "mine").kind is DatastoreKind.DBFS
    assert names(world)[5:] == ["MINE"]


def test_credentials_are_sealed_and_come_only_to_who_asks_for_them(world: World) -> None:
    register(world)
    with world.store.database.reading() as tx:
        (row,) = tx.execute(sa.select(tables.datastores)).all()
    assert b"k3y" not in row.sealed
    listed = datastores.find(world.workspace.workspace_id, caller=OWNER, store=world.store)
    assert "k3y" not in repr(listed)
    assert get(world).credentials == {}
    assert get(world).has_credentials
    assert open_up(world, "MINE").credentials == {"account_key": "k3y"}
    assert "k3y" not in repr(open_up(world))


def test_a_run_reads_its_workspaces_datastores_and_changes_none(world: World) -> None:
    register(world)
    caller = world.started().caller
    assert open_up(world, caller=caller).credentials == {"account_key": "k3y"}
    with pytest.raises(Forbidden):
        register(world, "other", caller=caller)


def test_the_default_is_chosen_and_falls_back_when_it_is_removed(world: World) -> None:
    assert default_name(world) == "workspaceblobstore"
    register(world)
    choose(world, "MINE")
    assert default_name(world) == "mine"
    assert get(world).is_default
    assert remove(world, "mine")
    assert default_name(world) == "workspaceblobstore"
    assert not remove(world, "mine")
    with pytest.raises(NotFound, match="no datastore 'mine'"):
        choose(world, "mine")


def test_a_built_in_datastore_is_neither_replaced_nor_removed(world: World) -> None:
    with pytest.raises(AlreadyExists, match="built in"):
        register(world, "WorkspaceBlobStore")
    with pytest.raises(Invalid, match="cannot be removed"):
        remove(world, "workspacefilestore")


@pytest.mark.parametrize("name", ["", "a b", "a-b", "../x", "ä"])
def test_a_name_has_letters_digits_and_underscores(world: World, name: str) -> None:
    with pytest.raises(Invalid, match="datastore_name"):
        register(world, name)


def test_the_files_of_a_workspace_go_when_it_is_deleted_for_good(world: World) -> None:
    root = Path(str(get(world, "workspaceblobstore").settings["root"]))
    root.mkdir(parents=True)
    (root / "a.csv").write_text("a")
    workspace_id = world.workspace.workspace_id
    workspaces.delete(workspace_id, caller=OWNER, store=world.store, now=world.now)
    assert (root / "a.csv").exists()
    workspaces.delete_for_good(workspace_id, caller=OWNER, store=world.store, now=world.now)
    assert not root.parent.exists()
