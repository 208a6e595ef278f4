"""`zaffre datastore`: list, show and try datastores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from zaffre.cli import completion, moment, table
from zaffre.cli.server import connect, workspace_ids, workspace_names
from zaffre.contract import wire
from zaffre.contract.datastore import Datastore
from zaffre.contract.errors import NotFound, Refused

if TYPE_CHECKING:
    from zaffre.client.http import Client


@click.group()
def datastore() -> None:
    """List, show and try datastores."""


@datastore.command("list")
@click.option(
    "--workspace", "-w", help="Only of this workspace.", shell_complete=completion.workspaces
)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def list_datastores(*, workspace: str | None, as_json: bool) -> None:
    """List datastores, the built-in ones of each workspace first."""
    client = connect()
    names = workspace_names(client)
    items: list[dict[str, Any]] = []
    for workspace_id in workspace_ids(client, workspace):
        items += client.request("GET", f"/workspaces/{workspace_id}/datastores")["items"]
    if as_json:
        table.show_json(items)
        return
    found = [wire.decode(Datastore, item) for item in items]
    table.show_table(
        ["DATASTORE", "TYPE", "WORKSPACE", "DEFAULT", "CREDENTIALS", "CREATED"],
        [
            (
                one.name,
                one.kind.value,
                names.get(one.workspace_id, one.workspace_id),
                "yes" if one.is_default else "",
                "yes" if one.has_credentials else "",
                moment.ago(one.created_at),
            )
            for one in found
        ],
        empty="There are no workspaces yet: Workspace.from_config() makes the one it names.",
    )


@datastore.command("show")
@click.argument("name")
@click.option(
    "--workspace",
    "-w",
    help="The workspace's name, if there are several.",
    shell_complete=completion.workspaces,
)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def show_datastore(*, name: str, workspace: str | None, as_json: bool) -> None:
    """Show one datastore without its credentials."""
    item = _find(connect(), name, workspace)
    if as_json:
        table.show_json(item)
        return
    one = wire.decode(Datastore, item)
    known = {key: value for key, value in sorted(one.settings.items()) if value is not None}
    table.show_facts(
        {
            "Datastore": one.name,
            "Type": one.kind.value,
            "Default": "yes" if one.is_default else "no",
            "Built in": "yes" if one.is_built_in else "no",
            "Credentials": "sealed on the server" if one.has_credentials else "none",
            "Created": moment.local(one.created_at),
            "Settings": table.pairs(known, between="\n"),
        }
    )


@datastore.command("test")
@click.argument("name")
@click.option(
    "--workspace",
    "-w",
    help="The workspace's name, if there are several.",
    shell_complete=completion.workspaces,
)
def test_datastore(*, name: str, workspace: str | None) -> None:
    """Reach a datastore from this machine and look at its first file."""
    from zaffre.data.stores import reach

    client = connect()
    found = wire.decode(Datastore, _find(client, name, workspace))
    path = f"/workspaces/{found.workspace_id}/datastores/{found.name}/credentials"
    reach.check(wire.decode(Datastore, client.request("GET", path)))
    click.echo(f"Datastore {found.name!r} can be reached.")


def _find(client: Client, name: str, workspace: str | None) -> dict[str, Any]:
    """Return the datastore of that name. Raises NotFound."""
    found: list[dict[str, Any]] = []
    for workspace_id in workspace_ids(client, workspace):
        try:
            found.append(client.request("GET", f"/workspaces/{workspace_id}/datastores/{name}"))
        except Refused as problem:
            if problem.status != 404:
                raise
    if not found:
        raise NotFound("datastore", name)
    if len(found) > 1:
        raise click.UsageError(
            f"{len(found)} workspaces have a datastore {name!r}; name one with --workspace."
        )
    return found[0]
