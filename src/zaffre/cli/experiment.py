"""`zaffre experiment`: list experiments."""

from __future__ import annotations

import click

from zaffre.cli import moment, table
from zaffre.cli.server import connect, workspace_ids, workspaces
from zaffre.contract import wire
from zaffre.contract.workspace import Experiment


@click.group()
def experiment() -> None:
    """List experiments."""


@experiment.command("list")
@click.option("--workspace", "-w", help="Only experiments of the workspace of this name.")
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def list_experiments(*, workspace: str | None, as_json: bool) -> None:
    """List experiments."""
    client = connect()
    names = {w["workspace_id"]: w["name"] for w in workspaces(client)}
    items = client.request("GET", "/experiments", query={"limit": 1000})["items"]
    if workspace is not None:
        wanted = workspace_ids(client, workspace)
        items = [item for item in items if item["workspace_id"] in wanted]
    if as_json:
        table.show_json(items)
        return
    found = [wire.decode(Experiment, item) for item in items]
    table.show_table(
        ["EXPERIMENT", "WORKSPACE", "CREATED", "TAGS"],
        [
            (
                one.name,
                names.get(one.workspace_id, one.workspace_id),
                moment.ago(one.created_at),
                ", ".join(k if v is None else f"{k}={v}" for k, v in one.tags.items()),
            )
            for one in found
        ],
    )
