"""The few pages that there are: what a portal link shows until the studio is built.

Plain HTML that brings no script, no style and no picture. Without a token a page repeats nothing of
the store: only what its address says already, and how to look.
"""

from __future__ import annotations

import re
from html import escape

from litestar import Response, get

from zaffre.contract.errors import NotFound
from zaffre.server.access import Caller
from zaffre.server.http.failures import COMMON_HEADERS
from zaffre.server.http.request import Request
from zaffre.server.usecases import experiment as experiments
from zaffre.server.usecases import run as runs

_PAGE = re.compile(r"/runs/[^/]+|/experiments/id/[^/]+")
_HEADERS = {
    **COMMON_HEADERS,
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


def is_page(path: str) -> bool:
    """Say whether a path is one of a page, which asks for a token by itself."""
    return _PAGE.fullmatch(path) is not None


@get("/runs/{run_id:str}", sync_to_thread=True, include_in_schema=False)
def show_run(run_id: str, request: Request) -> Response[str]:
    """Name a run and its state."""
    command = f"zaffre run show {run_id}"
    caller = _caller(request)
    if caller is None:
        return _answer(request, f"Run {run_id}", [], command)
    try:
        run = runs.get(run_id, caller=caller, store=request.store)
    except NotFound:
        return _answer(request, "No such run", [f"There is no run {run_id!r}."], "", status=404)
    name = run.display_name or run_id
    lines = [
        f"{name}: run {run.number} of experiment {run.experiment_name}.",
        f"It is {run.state.value}.",
    ]
    return _answer(request, f"Run {run_id}", lines, command)


@get("/experiments/id/{experiment_id:str}", sync_to_thread=True, include_in_schema=False)
def show_experiment(experiment_id: str, request: Request) -> Response[str]:
    """Name an experiment."""
    caller = _caller(request)
    if caller is None:
        return _answer(request, "An experiment", [], "zaffre experiment list")
    try:
        found = experiments.get(experiment_id, caller=caller, store=request.store)
    except NotFound:
        line = f"There is no experiment of id {experiment_id!r}."
        return _answer(request, "No such experiment", [line], "", status=404)
    title = f"Experiment {found.name}"
    return _answer(request, title, [], f"zaffre run list --experiment {found.name}")


def _caller(request: Request) -> Caller | None:
    return request.scope["user"]


def _answer(
    request: Request, title: str, lines: list[str], command: str, *, status: int = 200
) -> Response[str]:
    """Return the page. command: what shows more in a terminal."""
    lines = list(lines)
    if _caller(request) is None:
        status = 401
        lines.append("More is shown to whoever sends a token of this server; pages come later.")
    else:
        lines.append("Pages with charts and logs come later.")
    body = "".join(f"<p>{escape(line)}</p>\n" for line in lines)
    if command:
        body += f"<p>In a terminal: <code>{escape(command)}</code></p>\n"
    text = (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<h1>{escape(title)}</h1>\n{body}</html>\n"
    )
    return Response(text, status_code=status, media_type="text/html", headers=_HEADERS)


HANDLERS = [show_run, show_experiment]
