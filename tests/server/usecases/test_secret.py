from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.server.conftest import OWNER, World

from zaffre.contract.errors import Forbidden, Invalid, NotFound
from zaffre.contract.secret import Secret
from zaffre.server.access import Caller
from zaffre.server.seal import SealBroken
from zaffre.server.store import tables
from zaffre.server.usecases import secret as secrets

VALUE = "s3cret-value"


def put(world: World, name: str = "key", value: str = VALUE, caller: Caller = OWNER) -> None:
    secrets.put(
        world.workspace.workspace_id,
        [Secret(name, value)],
        caller=caller,
        store=world.store,
        now=world.now,
    )


def read(world: World, *names: str, caller: Caller = OWNER) -> dict[str, str]:
    workspace_id = world.workspace.workspace_id
    found = secrets.read(workspace_id, names, caller=caller, store=world.store)
    return {one.name: one.value for one in found}


def test_a_secret_is_read_back_replaced_and_removed(world: World) -> None:
    put(world)
    assert read(world, "key", "absent") == {"key": VALUE}
    put(world, value="other")
    assert read(world, "key") == {"key": "other"}
    workspace_id = world.workspace.workspace_id
    assert secrets.remove(workspace_id, ["key", "no"], caller=OWNER, store=world.store) == 1
    assert read(world, "key") == {}


def test_the_value_is_nowhere_in_the_database_and_in_no_list(world: World) -> None:
    put(world)
    with world.store.database.reading() as tx:
        (row,) = tx.execute(sa.select(tables.secrets)).all()
    assert VALUE.encode() not in row.sealed
    lines = secrets.find(world.workspace.workspace_id, caller=OWNER, store=world.store)
    assert [line.name for line in lines] == ["key"]
    assert VALUE not in repr(lines)
    assert VALUE not in repr(Secret("key", VALUE))


def test_a_value_that_is_moved_to_another_name_does_not_open(world: World) -> None:
    put(world)
    with world.store.database.transaction() as tx:
        tx.execute(sa.update(tables.secrets).values(name="other"))
    with pytest.raises(SealBroken):
        read(world, "other")


def test_a_run_reads_its_workspaces_secrets_and_changes_none(world: World) -> None:
    put(world)
    runner = world.started()
    assert read(world, "key", caller=runner.caller) == {"key": VALUE}
    with pytest.raises(Forbidden):
        put(world, caller=runner.caller)
    with pytest.raises(Forbidden):
        secrets.remove(
            world.workspace.workspace_id, ["key"], caller=runner.caller, store=world.store
        )
    stranger = Caller("run", "x", "h", run_id="x", attempt=1, workspace_id="elsewhere")
    with pytest.raises(Forbidden):
        read(world, "key", caller=stranger)


@pytest.mark.parametrize("name", ["", "a b", "a_b", "a.b", "ä", "x" * 128])
def test_a_name_that_cannot_be_is_refused(world: World, name: str) -> None:
    with pytest.raises(Invalid, match="secret name"):
        put(world, name)


def test_a_value_that_is_too_long_is_refused_without_repeating_it(world: World) -> None:
    with pytest.raises(Invalid, match="25001 bytes") as refused:
        put(world, value="x" * 25_001)
    assert "xxx" not in refused.value.message


def test_a_workspace_that_is_not_there_has_no_secrets(world: World) -> None:
    with pytest.raises(NotFound):
        secrets.find("absent", caller=OWNER, store=world.store)
