"""`zaffre run compare`: runs side by side, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from zaffre.cli import completion, moment, table
from zaffre.cli.server import connect
from zaffre.contract import parameters, wire
from zaffre.contract.run import Run

if TYPE_CHECKING:
    from zaffre.client.http import Client

#: Before a line whose values differ.
SIGN = "≠"
_ABSENT = "-"
_SHA_CHARS = 12
#: Parts of v1's run definition that say what a run reads.
_INPUTS = ("data", "dataReferences", "inputs")
_GIT = ("commit", "branch", "repository_uri", "dirty")


@dataclass(frozen=True)
class Line:
    """One thing of each run; None for a run that lacks it."""

    name: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs are not all alike in it."""
        return any(value != self.values[0] for value in self.values)


@click.command("compare")
@click.argument("run_ids", nargs=-1, required=True, shell_complete=completion.run_ids)
@click.option("--only-differences", is_flag=True, help="Leave out what is alike.")
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def compare(*, run_ids: tuple[str, ...], only_differences: bool, as_json: bool) -> None:
    """Show runs side by side; '≠' marks what differs.

    Parameters, the newest values of metrics, environment, code (the files of their snapshots, the
    git commit) and inputs.
    """
    if len(run_ids) < 2:
        raise click.UsageError("Name two runs or more.")
    client = connect()
    runs = [wire.decode(Run, client.request("GET", f"/runs/{run_id}")) for run_id in run_ids]
    sections = {
        "Run": _facts(runs),
        "Parameters": _lines([parameters.of_spec(one.spec) for one in runs]),
        "Metrics": _lines([_metrics(client, one) for one in runs]),
        "Environment": _lines([_environment(one) for one in runs]),
        "Code": _code(client, runs),
        "Inputs": _lines([_inputs(one) for one in runs]),
    }
    if only_differences:
        sections = {
            title: [line for line in lines if line.differs] for title, lines in sections.items()
        }
    if as_json:
        _show_json(run_ids, sections)
    else:
        _show(run_ids, sections)


def _show_json(run_ids: Sequence[str], sections: Mapping[str, Sequence[Line]]) -> None:
    shown = {
        title.lower(): [
            {"name": line.name, "values": line.values, "differs": line.differs} for line in lines
        ]
        for title, lines in sections.items()
    }
    table.show_json({"runs": run_ids, **shown})


def _show(run_ids: Sequence[str], sections: Mapping[str, Sequence[Line]]) -> None:
    if not any(sections.values()):
        table.say("The runs are alike.")
    first = True
    for title, lines in sections.items():
        if not lines:
            continue
        if not first:
            table.say("")
        first = False
        table.show_table(
            [title.upper(), "", *run_ids],
            [(line.name, SIGN if line.differs else "", *map(_text, line.values)) for line in lines],
            marked=[line.differs for line in lines],
        )


def _text(value: Any) -> str:
    if value is None:
        return _ABSENT
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _lines(of_runs: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Return a line a name, in the order in which the names come."""
    names = dict.fromkeys(name for one in of_runs for name in one)
    return [Line(name, tuple(one.get(name) for one in of_runs)) for name in names]


def _facts(runs: Sequence[Run]) -> list[Line]:
    return _lines(
        [
            {
                "name": one.display_name,
                "experiment": one.experiment_name,
                "status": one.state.value,
                "type": one.type,
                "target": one.target,
                "submitter": one.submitted_by,
                "created": moment.local(one.created_at),
                "took": moment.took(one.started_at, one.ended_at),
            }
            for one in runs
        ]
    )


def _metrics(client: Client, one: Run) -> dict[str, Any]:
    """Return the newest value of each metric, by name."""
    answer = client.request("GET", f"/runs/{one.run_id}/metrics", query={"newest": True})
    series: list[dict[str, Any]] = answer["runs"].get(one.run_id, [])
    return dict(sorted((s["name"], s["values"][-1]) for s in series if s["values"]))


def _environment(one: Run) -> dict[str, Any]:
    if one.spec is None:
        return {}
    found: dict[str, Any] = {"interpreter": one.spec.interpreter}
    found |= _flat(one.spec.definition.get("environment"), "")
    variables = one.spec.environment_variables
    return found | {f"${name}": value for name, value in sorted(variables.items())}


def _inputs(one: Run) -> dict[str, Any]:
    if one.spec is None:
        return {}
    found: dict[str, Any] = {}
    for part in _INPUTS:
        found |= _flat(one.spec.definition.get(part), f"{part}.")
    return found


def _flat(value: Any, prefix: str) -> dict[str, Any]:
    """Return what is in nested dicts, by dotted names; lists in a line, empty ones left out."""
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for name, inner in value.items():
            found |= _flat(inner, f"{prefix}{name}.")
        return found
    if value in (None, [], ""):
        return {}
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return {prefix.rstrip("."): shown}


def _code(client: Client, runs: Sequence[Run]) -> list[Line]:
    """Return git's facts and the files that differ; how many are alike is a line of its own."""
    git = [
        {f"git {name}": one.properties.get(f"azureml.git.{name}") for name in _GIT} for one in runs
    ]
    lines = [line for line in _lines(git) if any(line.values)]
    script = Line("script", tuple(_command(one) for one in runs))
    files = [_files(client, one) for one in runs]
    of_files = _lines(files)
    differing = [line for line in of_files if line.differs]
    if any(script.values):
        lines.insert(0, script)
    if of_files:
        alike = len(of_files) - len(differing)
        lines.append(Line("files that are alike", (alike,) * len(runs)))
    return lines + sorted(differing, key=lambda line: line.name)


def _command(one: Run) -> str | None:
    return None if one.spec is None else one.spec.command or one.spec.script


def _files(client: Client, one: Run) -> dict[str, str]:
    """Return the beginning of the SHA-256 of each file of a run's snapshot, by name."""
    if one.snapshot_id is None:
        return {}
    path = f"/workspaces/{one.workspace_id}/snapshots/{one.snapshot_id}"
    return {
        file["name"]: file["sha256"][:_SHA_CHARS] for file in client.request("GET", path)["files"]
    }
