"""`zaffre`: finds the sub-command, runs it, turns what goes wrong into a sentence and an exit code.

Sub-commands are imported when they are called, and their one-line helps stand here, so that
`zaffre --version` and `zaffre --help` import nothing but click.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
3 not found, 4 the state does not allow it.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, cast

try:
    import click
except ModuleNotFoundError:
    sys.exit(
        f"zaffre: {sys.executable} has no zaffre[server], which the command line needs. "
        "Install that (Python 3.11 or later), or call what works without: "
        f"{sys.executable} -m zaffre.client --help"
    )

from zaffre.contract.errors import ZaffreError
from zaffre.contract.version import ZAFFRE_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED, WRONG_USAGE, NOT_FOUND, STATE_CONFLICT = 1, 2, 3, 4
_INTERRUPTED = 130

_CODES = {400: WRONG_USAGE, 404: NOT_FOUND, 409: STATE_CONFLICT}

#: Each sub-command: where it is, and what it is in a line.
COMMANDS = {
    "up": ("up:up", "Start Zaffre on this machine, in the background."),
    "down": ("up:down", "Stop it; runs go on."),
    "status": ("up:status", "Say whether it runs, and where."),
    "doctor": ("doctor:doctor", "Look at this machine: what is there, what is missing."),
    "run": ("run:run", "List, search, show, compare, follow and cancel runs."),
    "experiment": ("experiment:experiment", "List experiments."),
    "workspace": ("workspace:workspace", "List workspaces; bring deleted ones back."),
    "model": ("model:model", "List, show and download registered models."),
    "datastore": ("datastore:datastore", "List, show and try datastores."),
    "sync": ("sync:sync", "Ship what processes that died had logged."),
    "completion": ("completion:completion", "Print the completion script of bash, zsh or fish."),
    "why": ("why:why", "Say why a run waits, failed or ended, and where its time went."),
}


class _Commands(click.Group):  # click has no other way to import a sub-command when it is called
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        return cast("click.Command", getattr(import_module(f"zaffre.cli.{module}"), name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(ZAFFRE_VERSION, prog_name="zaffre", message="%(prog)s %(version)s")
def zaffre() -> None:
    """The machine-learning service on your own machines, spoken to by Azure ML SDK v1's names."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(call(sys.argv[1:] if arguments is None else arguments))


def call(arguments: Sequence[str]) -> int:
    """Run the command line `arguments`; return its exit code."""
    try:
        result = zaffre.main(list(arguments), prog_name="zaffre", standalone_mode=False)
    except click.UsageError as problem:
        problem.show()
        return problem.exit_code
    except click.ClickException as problem:
        click.echo(f"zaffre: {problem.format_message()}", err=True)
        return problem.exit_code
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except ZaffreError as problem:
        click.echo(f"zaffre: {problem.message}", err=True)
        return _CODES.get(problem.status, FAILED)
    except BrokenPipeError:
        # Whoever read us, `head` say, has gone. Python would complain again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as problem:
        click.echo(f"zaffre: {problem}", err=True)
        return FAILED
    return result if isinstance(result, int) else 0
