"""`zaffre doctor`: what is on this machine, what is missing, and how to get it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from zaffre.cli import table

_FAILED = 1
_OK, _MISSING, _PROBLEM = "ok", "missing", "problem"
_PYTHONS = tuple(f"3.{minor}" for minor in range(8, 16))
_TIMEOUT_S = 10


@dataclass(frozen=True)
class Finding:
    """One thing looked at. state: ok, missing (something can be done without it) or problem."""

    what: str
    state: str
    words: str


@click.command()
@click.option("--fix", is_flag=True, help="Keep pip from installing the real SDK over Zaffre.")
@click.option("--undo", is_flag=True, help="Take back what --fix placed.")
@click.option("--python", metavar="PATH", help="Of this interpreter (default: Zaffre's own).")
@click.option("--as", "release", metavar="VERSION", help="With --fix: what pip is to find.")
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
def doctor(*, fix: bool, undo: bool, python: str | None, release: str | None, as_json: bool) -> int:
    """Look at this machine: what is there, what is missing and how to get it.

    Many notebooks begin with '!pip install azureml-sdk', which would write the real SDK over
    Zaffre. --fix places metadata into the notebooks' interpreter by which pip and uv find those
    packages installed. A pin such as azureml-core==1.48.0 is refused by pip; where notebooks pin
    one version, '--as 1.48.0' satisfies it.

    Exit code 1 if something stands in the way, 4 if --fix finds packages of the real SDK.
    """
    interpreter = python or sys.executable
    if fix and undo:
        raise click.UsageError("--fix and --undo exclude each other.")
    if release is not None and not fix:
        raise click.UsageError("--as goes with --fix.")
    if fix:
        return _fix(interpreter, release, as_json=as_json)
    if undo:
        return _undo(interpreter, as_json=as_json)
    findings = [*_interpreter(interpreter), _server_packages(), _pythons(), _postgresql(), _git()]
    findings += [_namespaces(), _room(), *_environment()]
    if as_json:
        table.show_json(findings)
    else:
        table.show_table(
            ["WHAT", "STATE", "FOUND"], [(one.what, one.state, one.words) for one in findings]
        )
    return _FAILED if any(one.state == _PROBLEM for one in findings) else 0


def _fix(python: str, release: str | None, *, as_json: bool) -> int:
    from zaffre.client import stand_in
    from zaffre.client.interpreter import survey

    placed = stand_in.place(survey(python), version=release)
    if as_json:
        table.show_json(placed)
    else:
        table.say(stand_in.placed_words(placed))
    return 0


def _undo(python: str, *, as_json: bool) -> int:
    from zaffre.client import stand_in
    from zaffre.client.interpreter import survey

    removed = stand_in.remove(survey(python))
    if as_json:
        table.show_json(removed)
    else:
        table.say(stand_in.removed_words(removed))
    return 0


def _interpreter(python: str) -> list[Finding]:
    """Zaffre, its azureml and its server, as this interpreter can find them."""
    from zaffre.client.doctor import examine

    found = examine(python)
    server = found.server
    remembered = found.server_interpreter
    return [
        Finding("Zaffre", _OK, f"{found.version} in {found.zaffre_path or 'nowhere'}"),
        Finding(
            "this Python" if python == sys.executable else "Python",
            _OK,
            f"{found.python}, {found.interpreter}",
        ),
        Finding(
            "azureml",
            _OK if found.azureml_is_ours else _PROBLEM,
            f"{'' if found.azureml_is_ours else 'not '}Zaffre's, {found.azureml_path}",
        ),
        Finding(
            "stand-ins",
            _OK if found.stand_ins else _MISSING,
            f"{found.stand_ins}: pip leaves Zaffre's azureml alone"
            if found.stand_ins
            else "'pip install azureml-sdk' would write over Zaffre; "
            f"'zaffre doctor --fix --python {found.interpreter}' prevents it",
        ),
        Finding(
            "server",
            _OK,
            f"{server['url']}, home {server['home']}, {server['database']}"
            if server
            else f"not running (home {found.home}); it starts when it is needed, or by 'zaffre up'",
        ),
        Finding(
            "server's Python",
            _OK if remembered else _MISSING,
            remembered or "not known yet; 'zaffre up' remembers this one",
        ),
        *(Finding("mend", _PROBLEM, sentence) for sentence in found.problems),
    ]


def _server_packages() -> Finding:
    from importlib.util import find_spec

    needed = ("litestar", "uvicorn", "sqlalchemy", "msgspec", "cryptography", "psycopg")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        return Finding(
            "zaffre[server]",
            _PROBLEM,
            f"{', '.join(missing)} missing: {sys.executable} -m pip install 'zaffre[server]'",
        )
    return Finding("zaffre[server]", _OK, "all of it is here")


def _pythons() -> Finding:
    """Other interpreters: runs may be submitted from any of them."""
    found = [version for version in _PYTHONS if _python(version)]
    if not found:
        return Finding("Pythons", _MISSING, "none besides this one; 'uv python install 3.12'")
    return Finding("Pythons", _OK, ", ".join(found))


def _python(version: str) -> bool:
    """Say whether a Python of this version starts: one on PATH, or kept off it by pyenv or uv."""
    home = Path.home()
    places = [shutil.which(f"python{version}")]
    for folder in (home / ".pyenv" / "versions", home / ".local" / "share" / "uv" / "python"):
        places += [str(path) for path in sorted(folder.glob(f"*{version}.*/bin/python{version}"))]
    # pyenv puts a stand-in on PATH for each version, whether or not it is switched on.
    return any(path and _first_line([path, "--version"]) for path in places)


def _postgresql() -> Finding:
    path = shutil.which("postgres")
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        path = path or str(folder)
    if path is None:
        return Finding(
            "PostgreSQL", _MISSING, "needed for a team's server alone: apt-get install postgresql"
        )
    return Finding("PostgreSQL", _OK, _first_line([path, "--version"]) or path)


def _git() -> Finding:
    path = shutil.which("git")
    if path is None:
        return Finding(
            "git",
            _MISSING,
            "runs do not record commit and branch without it: apt-get install git",
        )
    return Finding("git", _OK, _first_line([path, "--version"]) or path)


def _namespaces() -> Finding:
    """Whether a script can get a PID namespace, which dies whole with its runner."""
    program = shutil.which("unshare")
    command = ["unshare", "--user", "--map-current-user", "--pid", "--fork", "true"]
    if program is None:
        return Finding("namespaces", _MISSING, "util-linux's unshare: apt-get install util-linux")
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode == 0:
        return Finding("namespaces", _OK, "a script's processes end with its runner")
    return Finding(
        "namespaces",
        _MISSING,
        f"the kernel refuses them ({done.stderr.strip()}); a walk through the process tree is used "
        "instead. Where you may: sysctl kernel.unprivileged_userns_clone=1",
    )


def _room() -> Finding:
    from zaffre.cli.moment import size
    from zaffre.client.connection import home_folder

    folder = Path(home_folder())
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    state = _OK if free > 1_000_000_000 else _PROBLEM
    return Finding("disk", state, f"{size(free)} free at {folder}")


def _environment() -> list[Finding]:
    """Variables that lead Zaffre elsewhere than its defaults."""
    return [
        Finding(name, _OK, "set" if "TOKEN" in name else value)
        for name, value in sorted(os.environ.items())
        if name.startswith("ZAFFRE_")
    ]


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    return done.stdout.strip().partition("\n")[0]
