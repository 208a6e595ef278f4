"""`zaffre up`, `down` and `status`: the server of this user's home folder."""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zaffre.cli import moment, table
from zaffre.client import connection, process
from zaffre.contract.errors import ServerUnreachable, ZaffreError

if TYPE_CHECKING:
    from zaffre.client.http import Client

_STOP_TIMEOUT_S = 60.0
_ASK_TIMEOUT_S = 5.0
_NOT_RUNNING = 3
_STATE_CONFLICT = 4


@click.command()
@click.option("--foreground", is_flag=True, help="Stay in this terminal until Ctrl-C.")
@click.option("--database", metavar="URL", help="postgresql://... (default: SQLite in the home).")
@click.option("--host", help="Address to listen on besides the socket (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port (default: the last one).")
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def up(
    *, foreground: bool, database: str | None, host: str | None, port: int | None, as_json: bool
) -> int:
    """Start Zaffre on this machine, in the background, and print its address.

    Where one runs already its address is printed.
    """
    home = connection.home_folder()
    options: list[str] = []
    for name, value in (("--database", database), ("--host", host), ("--port", port)):
        if value is not None:
            options += [name, str(value)]
    facts = _facts(home)
    if facts is not None:
        if options or foreground:
            click.echo(
                f"zaffre: a server runs already at {facts['url']}. "
                "'zaffre down' stops it; runs go on.",
                err=True,
            )
            return _STATE_CONFLICT
    elif foreground:
        command = [sys.executable, "-P", "-m", "zaffre.server", "--home", home, *options]
        sys.stdout.flush()
        os.execve(command[0], command, connection.clean_environment(os.environ))  # noqa: S606
    else:
        _remember_interpreter(home)
        connection.ensure_server(home, options=options)
        facts = _facts(home)
        if facts is None:
            raise ServerUnreachable(home, "it started and ended at once; see its server.log")
    if as_json:
        table.show_json(facts)
    else:
        table.say(f"Zaffre runs at {facts['url']} (home {home}).")
        _say_idle_exit(facts)
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def down(*, as_json: bool) -> int:
    """Stop the server of this machine. Runs go on, and are there when it is up again."""
    home = connection.home_folder()
    present = _process(home)
    if present is None:
        if as_json:
            table.show_json({"was_running": False, "home": home})
        else:
            table.say(f"Zaffre is not running (home {home}).")
        return 0
    pid, descriptor = present
    running = None
    try:
        client = _client(home)
        running = client.request("GET", "/server", timeout_s=_ASK_TIMEOUT_S)["running_count"]
        client.request("POST", "/server/stop", timeout_s=_ASK_TIMEOUT_S)
    except ServerUnreachable as problem:
        click.echo(f"zaffre: {problem.message} Sending SIGTERM to process {pid}.", err=True)
        os.kill(pid, 15)
    ended, _, _ = select.select([descriptor], [], [], _STOP_TIMEOUT_S)
    os.close(descriptor)
    if not ended:
        raise click.ClickException(
            f"Process {pid} has not ended within {_STOP_TIMEOUT_S:.0f} s; see {home}/server.log."
        )
    if as_json:
        table.show_json({"was_running": True, "home": home, "running_count": running})
    else:
        table.say(f"Zaffre is down.{_running_words(running)}")
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def status(*, as_json: bool) -> int:
    """Say whether Zaffre runs, and where. Exit code 3 if it does not."""
    if os.environ.get("ZAFFRE_URL"):
        facts = connection.connect().request("GET", "/server", retry_s=0.0)
    else:
        facts = _facts(connection.home_folder())
    if facts is None:
        home = connection.home_folder()
        if as_json:
            table.show_json({"running": False, "home": home})
        else:
            table.say(f"Zaffre is not running (home {home}). 'zaffre up' starts it.")
        return _NOT_RUNNING
    if as_json:
        table.show_json({"running": True, **facts})
        return 0
    table.show_facts(
        {
            "Address": facts["url"],
            "Version": facts["version"],
            "Home": facts["home"],
            "Database": facts["database"],
            "Process": facts["pid"],
            "Up for": moment.lasted(_age_s(facts)),
            "Runs": f"{facts['running_count']} running, {facts['queued_count']} queued",
        }
    )
    _say_idle_exit(facts)
    return 0


def _client(home: str) -> Client:
    """Return a client of the server of `home` that starts none."""
    from zaffre.client.http import Client

    return Client(connection.FoundServer(home), retry_s=0.0)


def _facts(home: str) -> dict[str, Any] | None:
    """Return what the server of `home` says of itself; None if none runs."""
    try:
        facts: dict[str, Any] = _client(home).request("GET", "/server", timeout_s=_ASK_TIMEOUT_S)
    except ServerUnreachable:
        return None
    return facts


def _process(home: str) -> tuple[int, int] | None:
    """Return the server's process id and a descriptor that is readable once it has ended."""
    try:
        content = json.loads(Path(home, "server.json").read_text("utf-8"))
        pid, started = int(content["pid"]), int(content["start_time"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as problem:
        raise ZaffreError(f"{home}/server.json cannot be read ({problem}).") from problem
    if content.get("boot_id") != process.boot_id() or not process.is_alive(pid, started):
        return None
    try:
        return pid, os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _remember_interpreter(home: str) -> None:
    """Make this interpreter the one that starts the server from now on."""
    folder = Path(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "interpreter").write_text(f"{sys.executable}\n", "utf-8")


def _running_words(count: int | None) -> str:
    if not count:
        return ""
    who, them = ("run goes", "it") if count == 1 else ("runs go", "them")
    return f" {count} {who} on; 'zaffre up' finds {them} again."


def _say_idle_exit(facts: dict[str, Any]) -> None:
    if facts.get("idle_exit_s"):
        table.say(
            "An SDK started it: it ends by itself when nothing has run or asked for "
            f"{moment.lasted(facts['idle_exit_s'])}."
        )


def _age_s(facts: dict[str, Any]) -> float:
    import time

    return time.time() - float(facts["started_at"])
