"""`zaffre why ID`: the recorded reason of a run, its history and where its time went."""

from __future__ import annotations

import click

from zaffre.cli import completion, moment, table
from zaffre.cli.server import connect
from zaffre.contract.wire import decode_time


@click.command()
@click.argument("run_id", metavar="ID", shell_complete=completion.run_ids)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def why(*, run_id: str, as_json: bool) -> None:
    """Say why a run waits, failed or ended, and where its time went."""
    answer = connect().request("GET", f"/runs/{run_id}/why")
    if as_json:
        table.show_json(answer)
        return
    sentence = moment.with_local_times(answer.get("sentence") or "Nothing is recorded against it.")
    table.say(f"Run {run_id} is {table.coloured(answer['state'])}. {sentence}")
    history = answer.get("history", [])
    if history:
        table.say("")
        began = decode_time(history[0]["at"])
        table.show_table(
            ["AT", "AFTER>", "ATTEMPT>", "STATE", "REASON"],
            [
                (
                    moment.local(decode_time(entry["at"])),
                    moment.lasted((decode_time(entry["at"]) - began).total_seconds()),
                    entry.get("attempt") or "",
                    entry["state"],
                    moment.with_local_times(entry.get("sentence") or ""),
                )
                for entry in history
            ],
        )
    durations = answer.get("durations", {})
    total = sum(durations.values())
    if total > 0:
        table.say("")
        table.show_table(
            ["STATE", "TIME>", "SHARE>"],
            [
                (state, moment.lasted(seconds), f"{seconds / total:.0%}")
                for state, seconds in durations.items()
            ],
            title="Where the time went",
        )
