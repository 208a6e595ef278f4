"""`zaffre run`: list, search, show, follow and cancel runs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from zaffre.cli import completion, moment, table
from zaffre.cli.compare import compare
from zaffre.cli.metric import number
from zaffre.cli.server import (
    connect,
    every_item,
    experiment_ids,
    workspace_ids,
    workspace_names,
)
from zaffre.contract import wire
from zaffre.contract.errors import Refused
from zaffre.contract.metric import MetricSeries
from zaffre.contract.reason import sentence
from zaffre.contract.run import Run, is_final
from zaffre.contract.search import write_field
from zaffre.contract.search_parser import parse, parse_field, parse_orders

if TYPE_CHECKING:
    from zaffre.client.http import Client, Query

#: What the script printed, stdout and stderr together.
STD_LOG = "user_logs/std_log.txt"
_CHUNK_BYTES = 1 << 20
_SHOWN_FILES = 20
#: The target and the type of a run that is part of a notebook or program.
_INTERACTIVE = "interactive"


@click.group()
def run() -> None:
    """List, search, show, compare, follow and cancel runs."""


run.add_command(compare)


@run.command("list")
@click.option(
    "--experiment",
    "-e",
    help="Only runs of the experiment of this name.",
    shell_complete=completion.experiments,
)
@click.option(
    "--workspace",
    "-w",
    help="Only runs of the workspace of this name.",
    shell_complete=completion.workspaces,
)
@click.option("--where", metavar="SEARCH", help="Such as: metrics.loss < 0.1 and tags.a = 'b'")
@click.option("--order-by", metavar="FIELDS", help="Such as: metrics.loss desc, created")
@click.option("--column", "-c", "columns", multiple=True, metavar="FIELD", help="Show this too.")
@click.option(
    "--state",
    help="Only runs in this state, such as Running or Failed.",
    shell_complete=completion.states,
)
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="Only runs so tagged.")
@click.option("--children", is_flag=True, help="Child runs too.")
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def list_runs(
    *,
    experiment: str | None,
    workspace: str | None,
    where: str | None,
    order_by: str | None,
    columns: tuple[str, ...],
    state: str | None,
    tags: tuple[str, ...],
    children: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List runs, newest first, or those that a search finds (docs/search.md)."""
    search = parse(where or "")
    orders = parse_orders(order_by or "") or search.orders
    fields = [write_field(parse_field(text)) for text in columns]
    # What decides the order is shown too, unless the table has it.
    fields += [write_field(order.field) for order in orders if order.field.group is not None]
    fields = list(dict.fromkeys(fields))
    client = connect()
    query: dict[str, Any] = {"state": state, "tag": list(tags), "where": where}
    query["order_by"] = order_by
    if not children:
        query["top_level"] = True
    scopes = _scopes(client, experiment, workspace)
    if len(scopes) > 1 and orders:
        raise click.UsageError("Several experiments are called so: name the workspace by -w too.")
    items: list[dict[str, Any]] = []
    values: dict[str, list[Any]] = {}
    for scope in scopes:
        items += every_item(client, "/runs", {**query, **scope}, limit=limit)
        if fields:
            asked = {**query, **scope, "column": ["id", *fields], "limit": limit}
            rows = client.request("GET", "/tables/runs", query=asked)["rows"]
            values |= {run_id: own for run_id, *own in rows}
    if len(scopes) > 1:
        items.sort(key=lambda item: item["created_at"], reverse=True)
        items = items[:limit]
    if as_json:
        if fields:
            for item in items:
                own = values.get(item["run_id"], [])
                item["columns"] = dict(zip(fields, own, strict=False))
        table.show_json(items)
        return
    runs = [wire.decode(Run, item) for item in items]
    names = workspace_names(client)
    filtered = experiment or workspace or state or tags or where
    table.show_table(
        [
            "RUN",
            *(["WORKSPACE"] if len(names) > 1 else []),
            *("EXPERIMENT", "NUMBER>", "STATE", "STARTED", "TOOK>", "TARGET", "NAME"),
            *(f"{field}>" for field in fields),
        ],
        [
            (
                one.run_id,
                *([names.get(one.workspace_id, "")] if len(names) > 1 else []),
                one.experiment_name,
                one.number,
                one.state.value,
                moment.ago(one.started_at or one.created_at),
                moment.took(one.started_at, one.ended_at),
                one.target or _INTERACTIVE,
                one.display_name or "",
                *_cells(values.get(one.run_id), len(fields)),
            )
            for one in runs
        ],
        empty="There are no such runs." if filtered else "There are no runs yet.",
    )


def _scopes(client: Client, experiment: str | None, workspace: str | None) -> list[dict[str, str]]:
    """Return the filters that together are the experiments or workspaces of these names."""
    if experiment is not None:
        ids = experiment_ids(client, name=experiment, workspace=workspace)
        return [{"experiment_id": one} for one in ids]
    if workspace is not None:
        return [{"workspace_id": one} for one in workspace_ids(client, workspace)]
    return [{}]


def _cells(own: list[Any] | None, count: int) -> list[str]:
    if own is None:  # made between the two requests
        return [""] * count
    return ["" if value is None else number(value) for value in own]


@run.command("show")
@click.argument("run_id", shell_complete=completion.run_ids)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def show_run(*, run_id: str, as_json: bool) -> None:
    """Show a run: what it was, what it logged, which files it has."""
    client = connect()
    data = client.request("GET", f"/runs/{run_id}")
    metrics = client.request("GET", f"/runs/{run_id}/metrics")["runs"].get(run_id, [])
    files = client.request("GET", f"/runs/{run_id}/files")["items"]
    children = every_item(client, "/runs", {"parent_run_id": run_id}, limit=1000)
    if as_json:
        table.show_json({"run": data, "metrics": metrics, "files": files, "children": children})
        return
    one = wire.decode(Run, data)
    _show_facts(one, workspace_names(client).get(one.workspace_id, one.workspace_id))
    _show_metrics(client, run_id, [wire.decode(MetricSeries, series) for series in metrics])
    if files:
        table.say("")
        rows = [(f["name"], moment.size(f["size_bytes"])) for f in files[:_SHOWN_FILES]]
        table.show_table(["FILE", "SIZE>"], rows)
        if len(files) > _SHOWN_FILES:
            table.say(f"and {len(files) - _SHOWN_FILES} more; --json shows all")
    if children:
        table.say("")
        shown = [wire.decode(Run, child) for child in children]
        table.show_table(
            ["CHILD", "STATE", "TOOK>", "NAME"],
            [
                (c.run_id, c.state.value, moment.took(c.started_at, c.ended_at), c.display_name)
                for c in shown
            ],
        )


@run.command("logs")
@click.argument("run_id", shell_complete=completion.run_ids)
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@click.option("--name", default=STD_LOG, show_default=True, help="The log's file name.")
def show_logs(*, run_id: str, follow: bool, name: str) -> None:
    """Print what a run's script has printed."""
    client = connect()
    one = wire.decode(Run, client.request("GET", f"/runs/{run_id}"))
    if not follow:
        _print_log(client, run_id, name, 0)
        return
    if not is_final(one.state):
        one = _follow(client, run_id, name)
    else:
        _print_log(client, run_id, name, 0)
    click.echo(f"Run {run_id} is {one.state.value}.", err=True)


@run.command("cancel")
@click.argument("run_ids", nargs=-1, required=True, shell_complete=completion.run_ids)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs: the runs.")
def cancel_runs(*, run_ids: tuple[str, ...], as_json: bool) -> None:
    """Ask runs to stop; children too, and every process that the script started."""
    client = connect()
    items: list[dict[str, Any]] = []
    for run_id in run_ids:
        item = client.request("POST", f"/runs/{run_id}/cancel")
        items.append(item)
        if not as_json:
            table.say(f"{run_id}  {item['state']}")
    if as_json:
        table.show_json(items)


def _follow(client: Client, run_id: str, name: str) -> Run:
    """Print the log as it grows, until the run has ended; return the run.

    An event only says that there may be something to read. What is printed is read by offset, so
    a stream that breaks off and is opened again shows nothing twice and leaves nothing out.
    """
    offset = _print_log(client, run_id, name, 0)
    while True:
        try:
            for kind, _ in client.events(f"/runs/{run_id}/events"):
                if kind in ("log", "state"):
                    offset = _print_log(client, run_id, name, offset)
        except OSError as problem:
            click.echo(f"zaffre: connection lost ({problem}); asking again", err=True)
        one = wire.decode(Run, client.request("GET", f"/runs/{run_id}"))
        offset = _print_log(client, run_id, name, offset)
        if is_final(one.state):
            return one


def _print_log(client: Client, run_id: str, name: str, offset: int) -> int:
    """Print a log from byte `offset` to its present end; return where that is.

    A run that has not begun has no log yet, which is no error.
    """
    while True:
        query: Query = {"offset": offset, "limit": _CHUNK_BYTES}
        try:
            text, _ = client.fetch("GET", f"/runs/{run_id}/logs/{name}", query=query)
        except Refused as problem:
            if problem.status == 404 and name == STD_LOG:
                return offset
            raise
        if not text:
            return offset
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        offset += len(text)


def _show_facts(one: Run, workspace: str) -> None:
    error = one.error
    where = f" ({error.file}, line {error.line})" if error and error.file else ""
    reason = moment.with_local_times(sentence(one.reason)) if one.reason else ""
    said_already = error is not None and error.message in reason
    table.show_facts(
        {
            "Run": one.run_id,
            "Name": one.display_name,
            "Experiment": f"{one.experiment_name}, run {one.number}",
            "State": one.state.value,
            "Reason": reason,
            "Error": f"{error.message}{where}" if error and not said_already else None,
            "Workspace": workspace,
            "Type": one.type or _INTERACTIVE,
            "Target": one.target,
            "Parent": one.parent_run_id,
            "Description": one.description,
            "Created": moment.local(one.created_at),
            "Started": moment.local(one.started_at),
            "Ended": moment.local(one.ended_at),
            "Took": moment.took(one.started_at, one.ended_at),
            "Attempt": one.attempt or None,
            "Script": _command_line(one),
            "Interpreter": one.spec.interpreter if one.spec else None,
            "Tags": table.pairs(one.tags, between="\n"),
            "Properties": table.pairs(one.properties, between="\n"),
            "Warnings": "\n".join(one.warnings),
            "By": one.submitted_by,
        }
    )


def _command_line(one: Run) -> str | None:
    if one.spec is None:
        return None
    if one.spec.command is not None:
        return one.spec.command
    import shlex

    return shlex.join([one.spec.script or "", *one.spec.arguments])


def _show_metrics(client: Client, run_id: str, metrics: list[MetricSeries]) -> None:
    if not metrics:
        return
    from zaffre.cli import metric

    rows: list[tuple[object, ...]] = []
    pictures: list[tuple[str, str]] = []
    for series in metrics:
        documents = _documents(client, run_id, series) if series.kind in metric.DOCUMENTS else []
        words = metric.describe(series, documents)
        rows.append((series.name, series.kind.value, len(series.values), words))
        drawn = metric.picture(series, documents)
        if drawn:
            pictures.append((series.name, drawn))
    table.say("")
    table.show_table(["METRIC", "KIND", "POINTS>", "VALUE"], rows)
    for name, drawn in pictures:
        table.say(f"\n{name}\n{drawn}")


def _documents(client: Client, run_id: str, series: MetricSeries) -> list[dict[str, Any]]:
    """Return the content of a metric's files; a file that is away or no JSON object is left out."""
    from zaffre.cli.metric import file_name

    found: list[dict[str, Any]] = []
    for value in series.values:
        try:
            text, _ = client.fetch("GET", f"/runs/{run_id}/files/{file_name(str(value))}")
            document = json.loads(text)
        except (Refused, ValueError) as problem:
            click.echo(f"zaffre: the file of metric {series.name}: {problem}", err=True)
            continue
        if isinstance(document, dict):
            found.append(document)
    return found
