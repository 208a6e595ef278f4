from __future__ import annotations

import threading

import pytest
from tests.server.conftest import OWNER, World, new_id

from zaffre.contract import dataset as contract
from zaffre.contract.dataset import Dataset, DatasetRequest, Source
from zaffre.contract.errors import AlreadyExists, Forbidden, Invalid, NotFound
from zaffre.server.access import Caller
from zaffre.server.usecases import dataset as datasets
from zaffre.server.usecases.dataset import Change

FILES = contract.from_files([Source(datastore="workspaceblobstore", path="a/*.csv")])


def save(
    world: World,
    name: str | None = None,
    dataset_id: str | None = None,
    *,
    new_version: bool = False,
    caller: Caller = OWNER,
    definition: contract.Definition = FILES,
) -> Dataset:
    return datasets.save(
        world.workspace.workspace_id,
        dataset_id or new_id(),
        DatasetRequest(definition, name, create_new_version=new_version),
        caller=caller,
        store=world.store,
        now=world.now,
    )


def get(world: World, dataset_id: str) -> Dataset:
    return datasets.get(world.workspace.workspace_id, dataset_id, caller=OWNER, store=world.store)


def named(world: World, name: str, version: int | None = None) -> Dataset:
    workspace_id = world.workspace.workspace_id
    return datasets.get_named(workspace_id, name, version, caller=OWNER, store=world.store)


def change(world: World, dataset_id: str, wanted: Change) -> Dataset:
    workspace_id = world.workspace.workspace_id
    return datasets.change(workspace_id, dataset_id, wanted, caller=OWNER, store=world.store)


def newest(world: World, limit: int = 10, before: int | None = None) -> list[Dataset]:
    workspace_id = world.workspace.workspace_id
    return datasets.find_newest(
        workspace_id, limit=limit, before=before, caller=OWNER, store=world.store
    )[0]


def test_a_dataset_without_a_name_is_found_by_its_id_alone(world: World) -> None:
    saved = save(world)
    assert (saved.name, saved.version) == (None, None)
    assert get(world, saved.dataset_id) == saved
    assert saved.definition == FILES
    assert newest(world) == []
    with pytest.raises(NotFound):
        get(world, "absent")


def test_a_name_gets_versions_from_1_on(world: World) -> None:
    first = save(world, "diabetes dataset")
    second = save(world, "diabetes dataset", new_version=True)
    assert (first.version, second.version) == (1, 2)
    assert named(world, "diabetes dataset") == second
    assert named(world, "diabetes dataset", 1) == first
    assert save(world, "new", new_version=True).version == 1
    for absent in ("other", "Diabetes dataset"):
        with pytest.raises(NotFound):
            named(world, absent)
    for version in (0, 3, -1, 2**40):
        with pytest.raises(NotFound):
            named(world, "diabetes dataset", version)


def test_a_name_that_is_there_is_refused_unless_a_new_version_is_wanted(world: World) -> None:
    save(world, "x")
    with pytest.raises(AlreadyExists):
        save(world, "x")
    assert named(world, "x").version == 1


def test_a_repeated_request_makes_one_version(world: World) -> None:
    first = save(world, "x", "id-1")
    assert save(world, "x", "id-1") == first
    with pytest.raises(Invalid, match="another dataset's"):
        save(world, "y", "id-1")


def test_versions_have_no_gaps_and_no_doubles_when_many_register(world: World) -> None:
    versions: list[int | None] = []

    def register() -> None:
        versions.extend(save(world, "x", new_version=True).version for _ in range(5))

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(v or 0 for v in versions) == list(range(1, 21))


def test_the_list_has_the_newest_version_of_each_name(world: World) -> None:
    save(world, "a")
    save(world, "b")
    save(world, "a", new_version=True)
    save(world)
    assert [(d.name, d.version) for d in newest(world)] == [("a", 2), ("b", 1)]
    workspace_id = world.workspace.workspace_id
    page, cursor = datasets.find_newest(
        workspace_id, limit=1, before=None, caller=OWNER, store=world.store
    )
    assert [d.name for d in page] == ["a"]
    assert [d.name for d in newest(world, before=cursor)] == ["b"]


def test_description_and_tags_change(world: World) -> None:
    saved = save(world, "x")
    change(world, saved.dataset_id, Change(description="d", replace_tags={"a": "1", "b": "2"}))
    changed = change(
        world, saved.dataset_id, Change(set_tags={"c": "3"}, remove_tags=("a", "absent"))
    )
    assert (changed.description, changed.tags) == ("d", {"b": "2", "c": "3"})
    assert get(world, saved.dataset_id) == changed
    with pytest.raises(NotFound):
        change(world, "absent", Change())


def test_unregistered_versions_stay_by_their_ids_and_their_numbers_never_come_again(
    world: World,
) -> None:
    first = save(world, "x")
    save(world, "x", new_version=True)
    workspace_id = world.workspace.workspace_id
    assert datasets.unregister(workspace_id, "x", caller=OWNER, store=world.store) == 2
    assert datasets.unregister(workspace_id, "x", caller=OWNER, store=world.store) == 0
    with pytest.raises(NotFound):
        named(world, "x")
    left = get(world, first.dataset_id)
    assert (left.name, left.version, left.definition) == (None, None, FILES)
    assert save(world, "x").version == 3


def test_a_run_may_register_in_its_own_workspace_only(world: World) -> None:
    runner = world.started()
    assert save(world, "x", caller=runner.caller).created_by == runner.caller.name
    with pytest.raises(Forbidden):
        datasets.save(
            "other",
            "id",
            DatasetRequest(FILES),
            caller=runner.caller,
            store=world.store,
            now=world.now,
        )


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\nb", "x" * 256])
def test_names_that_cannot_be_are_refused(world: World, name: str) -> None:
    with pytest.raises(Invalid, match="dataset name"):
        save(world, name)
