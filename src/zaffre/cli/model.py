"""`zaffre model`: list, show and download registered models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zaffre.cli import completion, moment, table
from zaffre.cli.server import connect, every_item, workspace_ids, workspace_names
from zaffre.contract import wire
from zaffre.contract.errors import AlreadyExists, NotFound, Refused
from zaffre.contract.model import Model

if TYPE_CHECKING:
    from zaffre.client.http import Client


@click.group()
def model() -> None:
    """List, show and download registered models."""


@model.command("list")
@click.option("--name", help="Only versions of the model of this name.")
@click.option("--workspace", "-w", help="Only models of the workspace of this name.")
@click.option("--latest", is_flag=True, help="Only the highest version of each name.")
@click.option("--limit", "-n", type=click.IntRange(1), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def list_models(
    *, name: str | None, workspace: str | None, latest: bool, limit: int, as_json: bool
) -> None:
    """List model versions, newest first."""
    client = connect()
    names = workspace_names(client)
    query = {"name": name, "latest": latest or None}
    items: list[dict[str, Any]] = []
    for workspace_id in workspace_ids(client, workspace):
        items += every_item(client, f"/workspaces/{workspace_id}/models", query, limit=limit)
    items.sort(key=lambda item: item["created_at"], reverse=True)
    items = items[:limit]
    if as_json:
        table.show_json(items)
        return
    found = [wire.decode(Model, item) for item in items]
    table.show_table(
        ["MODEL", "VERSION>", "WORKSPACE", "FRAMEWORK", "SIZE>", "CREATED", "RUN", "PROPERTIES"],
        [
            (
                one.name,
                one.version,
                names.get(one.workspace_id, one.workspace_id),
                " ".join(filter(None, (one.framework, one.framework_version))),
                moment.size(sum(f.size_bytes for f in one.files)),
                moment.ago(one.created_at),
                one.run_id or "",
                table.pairs(one.properties),
            )
            for one in found
        ],
        empty="There are no such models." if name or workspace else "No model is registered yet.",
    )


@model.command("show")
@click.argument("name", metavar="NAME[:VERSION]", shell_complete=completion.models)
@click.option("--workspace", "-w", help="The workspace's name, if several have such a model.")
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def show_model(*, name: str, workspace: str | None, as_json: bool) -> None:
    """Show one version of a model; the latest if none is named."""
    item = _find(connect(), name, workspace)
    if as_json:
        table.show_json(item)
        return
    one = wire.decode(Model, item)
    table.show_facts(
        {
            "Model": one.name,
            "Version": one.version,
            "Description": one.description,
            "Framework": " ".join(filter(None, (one.framework, one.framework_version))),
            "Run": one.run_id,
            "Experiment": one.experiment_name,
            "Created": moment.local(one.created_at),
            "By": one.created_by,
            "Tags": table.pairs(one.tags, between="\n"),
            "Properties": table.pairs(one.properties, between="\n"),
        }
    )
    table.say("")
    table.show_table(
        ["FILE", "SIZE>", "SHA-256"],
        [(f.name, moment.size(f.size_bytes), f.sha256[:16]) for f in one.files],
    )


@model.command("download")
@click.argument("name", metavar="NAME[:VERSION]", shell_complete=completion.models)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--workspace", "-w", help="The workspace's name, if several have such a model.")
@click.option("--overwrite", is_flag=True, help="Write over files that are there.")
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def download_model(
    *, name: str, folder: Path, workspace: str | None, overwrite: bool, as_json: bool
) -> None:
    """Write a model's files into FOLDER (default: the current one)."""
    from zaffre.client import download

    client = connect()
    one = wire.decode(Model, _find(client, name, workspace))
    there = [f.name for f in one.files if (folder / f.name).exists()]
    if there and not overwrite:
        raise AlreadyExists("file", str(folder / there[0]), "--overwrite writes over it.")
    download.fetch(client, one.files, str(folder))
    paths = [str(folder / file.name) for file in one.files]
    if as_json:
        table.show_json({"name": one.name, "version": one.version, "files": paths})
        return
    for path in paths:
        table.say(path)


def _find(client: Client, name: str, workspace: str | None) -> dict[str, Any]:
    """Return the model version that `NAME` or `NAME:VERSION` means. Raises NotFound."""
    base, _, version = name.partition(":")
    if version and not version.isdecimal():
        raise click.BadParameter(f"{version!r} is no version number", param_hint="NAME[:VERSION]")
    found: list[dict[str, Any]] = []
    for workspace_id in workspace_ids(client, workspace):
        path = f"/workspaces/{workspace_id}/models/{base}"
        try:
            found.append(client.request("GET", f"{path}/versions/{version}" if version else path))
        except Refused as problem:
            if problem.status != 404:
                raise
    if not found:
        raise NotFound("model", name)
    if len(found) > 1:
        raise click.UsageError(
            f"{len(found)} workspaces have a model {base!r}; name one with --workspace."
        )
    return found[0]
