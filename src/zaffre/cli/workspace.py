"""`zaffre workspace`: list workspaces, bring deleted ones back."""

from __future__ import annotations

import click

from zaffre.cli import moment, table
from zaffre.cli.server import connect, workspaces
from zaffre.contract import wire
from zaffre.contract.workspace import DeletedWorkspace, Workspace


@click.group()
def workspace() -> None:
    """List workspaces; bring deleted ones back."""


@workspace.command("list")
@click.option("--deleted", is_flag=True, help="Those that were deleted and can be brought back.")
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def list_workspaces(*, deleted: bool, as_json: bool) -> None:
    """List workspaces."""
    client = connect()
    if not deleted:
        items = workspaces(client)
        if as_json:
            table.show_json(items)
            return
        found = [wire.decode(Workspace, item) for item in items]
        table.show_table(
            ["WORKSPACE", "ID", "RESOURCE GROUP", "SUBSCRIPTION", "CREATED"],
            [
                (
                    one.name,
                    one.workspace_id,
                    one.resource_group,
                    one.subscription_id,
                    moment.ago(one.created_at),
                )
                for one in found
            ],
            empty="There are no workspaces yet: Workspace.from_config() makes the one it names.",
        )
        return
    items = client.request("GET", "/workspaces/deleted")["items"]
    if as_json:
        table.show_json(items)
        return
    gone = [wire.decode(DeletedWorkspace, item) for item in items]
    table.show_table(
        ["WORKSPACE", "ID", "KEPT UNTIL"],
        [
            (
                one.workspace.name,
                one.workspace.workspace_id,
                moment.local(one.removal_at),
            )
            for one in gone
        ],
        empty="No deleted workspace is kept.",
    )


@workspace.command()
@click.argument("workspace_id")
def restore(workspace_id: str) -> None:
    """Bring a deleted workspace back; `list --deleted` names the ids."""
    record = connect().request("POST", f"/workspaces/{workspace_id}/restore")
    click.echo(f"Workspace {record['name']!r} is back.")
