"""`python -m zaffre.client sync|doctor`: what works in every environment, without the extras."""

from __future__ import annotations

import argparse
import json
import sys

from zaffre.client import doctor, interactive, stand_in
from zaffre.client.connection import connect, home_folder
from zaffre.client.interpreter import survey
from zaffre.contract import wire
from zaffre.contract.errors import ZaffreError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m zaffre.client", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in (
        ("sync", "ship what interactive runs logged and nobody has shipped"),
        ("doctor", "say what this interpreter has and what stands in the way"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("--json", action="store_true", help="print JSON")
        if name == "doctor":
            _add_doctor_options(command)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "sync":
            return _sync(as_json=chosen.json)
        if chosen.fix:
            return _fix(chosen.python, chosen.release, as_json=chosen.json)
        if chosen.undo:
            return _undo(chosen.python, as_json=chosen.json)
        return _doctor(chosen.python, as_json=chosen.json)
    except (ZaffreError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def _add_doctor_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--python", default=sys.executable, help="of this interpreter", metavar="PATH"
    )
    command.add_argument(
        "--as",
        dest="release",
        metavar="VERSION",
        help="with --fix: the release that pip is to find",
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument(
        "--fix", action="store_true", help="keep pip from installing the real SDK over Zaffre"
    )
    what.add_argument("--undo", action="store_true", help="take back what --fix placed")


def _sync(*, as_json: bool) -> int:
    results = interactive.sync(connect(), home_folder())
    if as_json:
        _print_json({"items": wire.encode(results)})
    elif not any(one.had_news() for one in results):
        _print("Nothing is left to ship.")
    else:
        for one in filter(interactive.SyncedRun.had_news, results):
            state = "all is stored" if one.complete else "not all is stored"
            after = ", its folder is removed" if one.removed else ""
            _print(f"{one.run_id}: {one.sent_bytes:,} bytes sent, {state}{after}")
            if one.problem:
                sys.stderr.write(f"{one.run_id}: {one.problem}\n")
    return 0 if all(one.complete for one in results) else 1


def _fix(python: str, release: str | None, *, as_json: bool) -> int:
    placed = stand_in.place(survey(python), version=release)
    if as_json:
        _print_json(wire.encode(placed))
    else:
        _print(stand_in.placed_words(placed))
    return 0


def _undo(python: str, *, as_json: bool) -> int:
    removed = stand_in.remove(survey(python))
    if as_json:
        _print_json(wire.encode(removed))
    else:
        _print(stand_in.removed_words(removed))
    return 0


def _doctor(python: str, *, as_json: bool) -> int:
    found = doctor.examine(python)
    if as_json:
        _print_json(wire.encode(found))
    else:
        _print(f"Zaffre {found.version} in {found.zaffre_path}")
        _print(f"Python {found.python}, {found.interpreter}")
        owner = "Zaffre's" if found.azureml_is_ours else "not Zaffre's"
        _print(f"azureml: {found.azureml_path or 'not found'} ({owner})")
        _print(f"home: {found.home}")
        _print(f"server's interpreter: {found.server_interpreter or 'not known yet'}")
        _print(f"stand-ins: {found.stand_ins or 'none'}")
        where = found.server.get("url") if found.server else "does not run"
        _print(f"server: {where}")
        for problem in found.problems:
            sys.stderr.write(f"! {problem}\n")
    return 1 if found.problems else 0


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _print_json(content: object) -> None:
    _print(json.dumps(content, indent=2))


if __name__ == "__main__":
    sys.exit(main())
