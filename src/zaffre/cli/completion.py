"""What the shell offers behind `zaffre`: commands and options, and the names that the server has.

The shell asks at each press of a key, so this starts no server, waits for none, and says nothing
when something is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from zaffre.contract.errors import ZaffreError
from zaffre.contract.run import RunState

if TYPE_CHECKING:
    from zaffre.client.http import Query

_MOST = 50
_PATIENCE_S = 1.0


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> None:
    """Print the shell's completion script.

    \b
    bash:  echo 'source <(zaffre completion bash)' >> ~/.bashrc
    zsh:   echo 'source <(zaffre completion zsh)' >> ~/.zshrc
    fish:  zaffre completion fish > ~/.config/fish/completions/zaffre.fish
    """
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click knows the three
    click.echo(made(ctx.find_root().command, {}, "zaffre", "_ZAFFRE_COMPLETE").source())


def run_ids(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the newest runs whose id begins so."""
    query: dict[str, Any] = {"limit": _MOST}
    if incomplete:
        # '_' stands for any character there: what else is found is left out below.
        query["where"] = "id like '" + incomplete.replace("'", "''") + "%'"
    found = _ask("/runs", query)
    return [
        CompletionItem(
            run["run_id"],
            help=f"{run['experiment_name']} {run['number']}: {run['state']}",
        )
        for run in found
        if run["run_id"].startswith(incomplete)
    ]


def experiments(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the experiments whose name begins so."""
    return _named(_ask("/experiments", {"limit": 1000}), incomplete)


def workspaces(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the workspaces whose name begins so."""
    return _named(_ask("/workspaces", {}), incomplete)


def models(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the models whose name begins so."""
    return _named(_ask("/models", {"limit": 1000}), incomplete)


def states(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the states of runs that begin so."""
    return [
        CompletionItem(state.value)
        for state in RunState
        if state.value.lower().startswith(incomplete.lower())
    ]


def _named(items: list[dict[str, Any]], incomplete: str) -> list[CompletionItem]:
    names = {item["name"] for item in items}
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


def _ask(path: str, query: Query) -> list[dict[str, Any]]:
    from zaffre.client import connection

    try:
        client = connection.without_starting(connection.connect())
        items: list[dict[str, Any]] = client.request(
            "GET", path, query=query, timeout_s=_PATIENCE_S
        )["items"]
    except (ZaffreError, OSError):
        return []  # a message would stand in the line that is being typed
    return items
