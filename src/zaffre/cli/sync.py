"""`zaffre sync`: ship what runs logged and nobody has shipped."""

from __future__ import annotations

import click

from zaffre.cli import moment, table
from zaffre.cli.server import connect

_FAILED = 1


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def sync(*, as_json: bool) -> int:
    """Ship what notebooks and scripts that died, or lost the server, had logged."""
    from zaffre.client import connection, interactive

    results = interactive.sync(connect(), connection.home_folder())
    if as_json:
        table.show_json({"items": results})
    elif not any(one.had_news() for one in results):
        table.say("Nothing is left to ship.")
    else:
        table.show_table(
            ["RUN", "SENT>", "STORED"],
            [
                (one.run_id, moment.size(one.sent_bytes), "all" if one.complete else "not all")
                for one in results
                if one.had_news()
            ],
        )
    for one in results:
        if one.problem:
            click.echo(f"zaffre: {one.run_id}: {one.problem}", err=True)
    return 0 if all(one.complete for one in results) else _FAILED
