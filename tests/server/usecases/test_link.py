from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.server.conftest import OWNER, World

from zaffre.contract.errors import Forbidden, Invalid, NotFound
from zaffre.contract.link import Link, LinkKind, LinkRequest
from zaffre.server.access import Caller
from zaffre.server.store import tables
from zaffre.server.usecases import link as links

KIND = LinkKind.CONNECTION
FACTS = {"target": "https://feed"}


def put(
    world: World,
    name: str = "feed",
    secret: str | None = "s3cret",
    facts: dict[str, str] = FACTS,
    caller: Caller = OWNER,
) -> Link:
    return links.put(
        world.workspace.workspace_id,
        KIND,
        name,
        LinkRequest(facts, secret),
        caller=caller,
        store=world.store,
        now=world.now,
    )


def get(world: World, name: str = "feed", caller: Caller = OWNER) -> Link:
    return links.get(world.workspace.workspace_id, KIND, name, caller=caller, store=world.store)


def test_a_link_is_kept_replaced_and_removed(world: World) -> None:
    put(world)
    link = get(world)
    assert (link.name, link.facts, link.secret) == ("feed", FACTS, "s3cret")
    put(world, secret=None, facts={"target": "other"})
    assert (get(world).facts, get(world).secret) == ({"target": "other"}, None)
    workspace_id = world.workspace.workspace_id
    assert links.remove(workspace_id, KIND, "feed", caller=OWNER, store=world.store)
    assert not links.remove(workspace_id, KIND, "feed", caller=OWNER, store=world.store)
    with pytest.raises(NotFound, match="no connection 'feed'"):
        get(world)


def test_the_credential_is_sealed_and_in_no_list(world: World) -> None:
    put(world)
    with world.store.database.reading() as tx:
        (row,) = tx.execute(sa.select(tables.links)).all()
    assert b"s3cret" not in row.sealed
    workspace_id = world.workspace.workspace_id
    (listed,) = links.find(workspace_id, KIND, caller=OWNER, store=world.store)
    assert listed.secret is None
    assert "s3cret" not in repr(get(world))


def test_links_of_another_kind_are_others(world: World) -> None:
    put(world)
    workspace_id = world.workspace.workspace_id
    assert links.find(workspace_id, LinkKind.LINKED_SERVICE, caller=OWNER, store=world.store) == []


def test_a_run_reads_links_and_changes_none(world: World) -> None:
    put(world)
    runner = world.started()
    assert get(world, caller=runner.caller).secret == "s3cret"
    with pytest.raises(Forbidden):
        put(world, caller=runner.caller)
    stranger = Caller("run", "x", "h", run_id="x", attempt=1, workspace_id="elsewhere")
    with pytest.raises(Forbidden):
        get(world, caller=stranger)


@pytest.mark.parametrize(
    ("name", "facts", "secret"),
    [
        ("", FACTS, None),
        ("a/b", FACTS, None),
        ("a", {"k": "x" * 2_001}, None),
        ("a", {str(i): "" for i in range(51)}, None),
        ("a", FACTS, "x" * 25_001),
    ],
)
def test_what_is_too_long_or_no_name_is_refused(
    world: World, name: str, facts: dict[str, str], secret: str | None
) -> None:
    with pytest.raises(Invalid):
        put(world, name, secret, facts)
