"""`zaffre experiment`: list experiments."""

from __future__ import annotations

import click

from zaffre.cli import completion, moment, table
from zaffre.cli.server import connect, every_experiment, workspace_ids, workspace_names
from zaffre.contract import wire
from zaffre.contract.workspace import Experiment


@click.group()
def experiment() -> None:
    """List experiments."""


@experiment.command("list")
@click.option(
    "--workspace",
    "-w",
    help="Only experiments of the workspace of this name.",
    shell_complete=completion.workspaces,
)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def list_experiments(*, workspace: str | None, as_json: bool) -> None:
    """List experiments."""
    client = connect()
    names = workspace_names(client)
    items = every_experiment(client)
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
                table.pairs(one.tags),
            )
            for one in found
        ],
        empty="There are no experiments yet: Experiment(ws, 'name') makes one.",
    )
