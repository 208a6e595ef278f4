from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from tests.server.conftest import OWNER, World, new_id
from tests.server.data import entry, upload

from zaffre.contract.errors import (
    BlobsMissing,
    Forbidden,
    Invalid,
    NotFound,
    PropertyImmutable,
)
from zaffre.contract.model import Model, ModelRequest
from zaffre.server.access import Caller
from zaffre.server.store.model import Filter
from zaffre.server.usecases import garbage
from zaffre.server.usecases import model as usecase
from zaffre.server.usecases.model import Change

CONTENT = b"weights"


def request(name: str = "m", **changes: Any) -> ModelRequest:
    made = ModelRequest(name, new_id(), (entry("model.pkl", CONTENT),))
    return replace(made, **changes)


def register(world: World, wanted: ModelRequest, caller: Caller = OWNER) -> Model:
    upload(world.store, CONTENT, now=world.now, caller=caller)
    return usecase.register(
        world.workspace.workspace_id, wanted, caller=caller, store=world.store, now=world.now
    )


def versions(world: World, **wanted: Any) -> list[str]:
    found, _ = usecase.find_page(
        Filter(workspace_id=world.workspace.workspace_id, **wanted),
        limit=100,
        before=None,
        caller=OWNER,
        store=world.store,
    )
    return [model.model_id for model in found]


def change(world: World, wanted: Change, version: int = 1) -> Model:
    return usecase.change(
        world.workspace.workspace_id, "m", version, wanted, caller=OWNER, store=world.store
    )


def test_versions_count_up_per_name(world: World) -> None:
    made = [register(world, request(name)) for name in ("m", "m", "n", "m")]
    assert [model.model_id for model in made] == ["m:1", "m:2", "n:1", "m:3"]


def test_versions_have_no_gaps_or_doubles_under_concurrency(world: World) -> None:
    upload(world.store, CONTENT, now=world.now)
    found: list[int] = []

    def one() -> None:
        model = usecase.register(
            world.workspace.workspace_id,
            request(),
            caller=OWNER,
            store=world.store,
            now=world.now,
        )
        found.append(model.version)

    threads = [threading.Thread(target=one) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 11))


def test_a_repeated_request_returns_the_version_that_it_made(world: World) -> None:
    wanted = request()
    first = register(world, wanted)
    register(world, request())
    assert register(world, wanted) == first
    assert versions(world) == ["m:2", "m:1"]


def test_the_same_request_many_times_at_once_makes_one_version(world: World) -> None:
    wanted = request()
    upload(world.store, CONTENT, now=world.now)
    found: list[int] = []

    def one() -> None:
        model = usecase.register(
            world.workspace.workspace_id,
            wanted,
            caller=OWNER,
            store=world.store,
            now=world.now,
        )
        found.append(model.version)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8


def test_one_key_is_for_one_model(world: World) -> None:
    wanted = request()
    register(world, wanted)
    with pytest.raises(Invalid):
        register(world, replace(wanted, name="other"))


def test_a_removed_number_never_comes_back(world: World) -> None:
    register(world, request())
    register(world, request())
    where = world.workspace.workspace_id
    usecase.remove(where, "m", 2, caller=OWNER, store=world.store)
    assert register(world, request()).version == 3
    usecase.remove(where, "m", 1, caller=OWNER, store=world.store)
    usecase.remove(where, "m", 3, caller=OWNER, store=world.store)
    with pytest.raises(NotFound):
        usecase.get(where, "m", None, caller=OWNER, store=world.store)
    with pytest.raises(NotFound):
        usecase.remove(where, "m", 3, caller=OWNER, store=world.store)
    assert register(world, request()).version == 4


def test_removing_frees_the_bytes_at_the_next_collection(world: World) -> None:
    register(world, request())
    register(world, request())
    where = world.workspace.workspace_id
    usecase.remove(where, "m", 1, caller=OWNER, store=world.store)
    world.pass_time(3 * 86_400)
    assert garbage.collect(force=False, store=world.store, now=world.now).removed_count == 0
    usecase.remove(where, "m", 2, caller=OWNER, store=world.store)
    collected = garbage.collect(force=False, store=world.store, now=world.now)
    assert collected.removed_bytes == len(CONTENT)


def test_files_that_were_not_sent_are_named(world: World) -> None:
    wanted = request(files=(entry("model.pkl", b"never sent"),))
    with pytest.raises(BlobsMissing) as refused:
        register(world, wanted)
    assert refused.value.facts["sha256"] == [wanted.files[0].sha256]
    assert register(world, request()).version == 1


def test_the_run_gives_the_experiments_name(world: World) -> None:
    run = world.interactive()
    model = register(world, request(run_id=run.run_id))
    assert (model.run_id, model.experiment_name) == (run.run_id, "exp")
    with pytest.raises(NotFound):
        register(world, request(run_id="no-such-run"))


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "x" * 256, "ä", "..", "a\n"])
def test_bad_names_are_refused(world: World, name: str) -> None:
    with pytest.raises(Invalid):
        register(world, request(name))


@pytest.mark.parametrize("file", ["../x", "/etc/passwd", "a//b", "./a", "C:/x", ""])
def test_names_of_files_are_refused_unless_in_their_one_form(world: World, file: str) -> None:
    with pytest.raises(Invalid):
        register(world, request(files=(entry(file, CONTENT),)))


def test_lists_are_filtered_by_all_that_is_given(world: World) -> None:
    run = world.interactive()
    register(world, request(tags={"a": "1", "stage": "dev"}, properties={"auc": "0.9"}))
    register(world, request(tags={"a": "2", 'od"d.k[e]y': None}, framework="ScikitLearn"))
    register(world, request("n", tags={"a": "1"}, run_id=run.run_id))
    assert versions(world) == ["n:1", "m:2", "m:1"]
    assert versions(world, name="m") == ["m:2", "m:1"]
    assert versions(world, tags=[("a", None)]) == ["n:1", "m:2", "m:1"]
    assert versions(world, tags=[("a", "1")]) == ["n:1", "m:1"]
    assert versions(world, tags=[("a", "1"), ("stage", None)]) == ["m:1"]
    assert versions(world, tags=[('od"d.k[e]y', None)]) == ["m:2"]
    assert versions(world, tags=[("A", None)]) == []
    assert versions(world, properties=[("auc", "0.9")]) == ["m:1"]
    assert versions(world, framework="ScikitLearn") == ["m:2"]
    assert versions(world, run_id=run.run_id) == ["n:1"]
    assert versions(world, latest=True) == ["n:1", "m:2"]
    assert versions(world, latest=True, tags=[("stage", None)]) == ["m:1"]


def test_pages_follow_each_other_without_gaps(world: World) -> None:
    for _ in range(5):
        register(world, request())
    found: list[int] = []
    before = None
    while True:
        page, before = usecase.find_page(
            Filter(), limit=2, before=before, caller=OWNER, store=world.store
        )
        found += [model.version for model in page]
        if before is None:
            break
    assert found == [5, 4, 3, 2, 1]


def test_a_change_touches_only_what_it_names(world: World) -> None:
    register(world, request(tags={"a": "1", "b": "2"}, description="old"))
    changed = change(world, Change(set_tags={"c": None}, remove_tags=["a", "not-there"]))
    assert changed.tags == {"b": "2", "c": None}
    assert changed.description == "old"
    changed = change(world, Change(fields={"description": None}, replace_tags={"z": "1"}))
    assert (changed.tags, changed.description) == ({"z": "1"}, None)
    found = usecase.get(world.workspace.workspace_id, "m", 1, caller=OWNER, store=world.store)
    assert found == changed


def test_a_property_never_changes(world: World) -> None:
    register(world, request(properties={"auc": "0.9"}))
    assert change(world, Change(add_properties={"auc": "0.9", "n": "1"})).properties == {
        "auc": "0.9",
        "n": "1",
    }
    with pytest.raises(PropertyImmutable):
        change(world, Change(add_properties={"n": "2"}, set_tags={"t": "1"}))
    assert change(world, Change()).tags == {}


def test_datasets_are_noted_by_their_use(world: World) -> None:
    register(world, request(datasets={"training": ["a", "a", "b"]}))
    changed = change(world, Change(add_datasets={"training": ["b", "c"], "validation": ["d"]}))
    assert changed.datasets == {"training": ["a", "b", "c"], "validation": ["d"]}
    with pytest.raises(Invalid, match="dataset id"):
        change(world, Change(add_datasets={"training": ["a/b"]}))
    with pytest.raises(Invalid, match="at most"):
        change(world, Change(add_datasets={"training": [str(n) for n in range(1_001)]}))


def test_two_changes_at_once_both_count(world: World) -> None:
    register(world, request())
    threads = [
        threading.Thread(target=change, args=(world, Change(set_tags={str(n): "x"})))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(change(world, Change()).tags) == {str(n) for n in range(8)}


def test_a_run_registers_in_its_workspace_and_in_no_other(world: World) -> None:
    runner = world.started()
    assert register(world, request(run_id=runner.run_id), runner.caller).version == 1
    stranger = replace(runner.caller, workspace_id="elsewhere")
    with pytest.raises(Forbidden):
        register(world, request(), stranger)
    with pytest.raises(Forbidden):
        usecase.get(world.workspace.workspace_id, "m", 1, caller=stranger, store=world.store)
    page, _ = usecase.find_page(Filter(), limit=10, before=None, caller=stranger, store=world.store)
    assert page == []


def test_a_file_of_a_version_is_read_by_its_name(world: World) -> None:
    register(world, request(files=(entry("fold/a b.txt", CONTENT),), folder=True))
    where = world.workspace.workspace_id
    opened = usecase.open_file(where, "m", 1, "fold/a b.txt", caller=OWNER, store=world.store)
    with opened.file as file:
        assert file.read() == CONTENT
    with pytest.raises(NotFound):
        usecase.open_file(where, "m", 1, "fold", caller=OWNER, store=world.store)
