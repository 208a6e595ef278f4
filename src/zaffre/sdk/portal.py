"""Addresses of pages, and the one-row tables that notebooks show."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from zaffre.sdk.workspace import Workspace

_DOCS = "https://docs.microsoft.com/en-us/python/api/azureml-core/azureml.core.{}?view=azure-ml-py"


def docs_url(name: str) -> str:
    """Return the address of v1's reference for a class, such as `run.Run`."""
    return _DOCS.format(name)


def workspace_query(workspace: Workspace) -> str:
    """Return the query that names the workspace in a page's address."""
    from urllib.parse import quote

    scope = (
        f"/subscriptions/{workspace.subscription_id}/resourcegroups/{workspace.resource_group}"
        f"/workspaces/{workspace.name}"
    )
    return f"?wsid={quote(scope, safe='/-_.~')}"


def run_url(server_url: str, workspace: Workspace, run_id: str) -> str:
    """Return the address of a run's page."""
    from urllib.parse import quote

    return f"{server_url}/runs/{quote(run_id)}{workspace_query(workspace)}"


def experiment_url(server_url: str, workspace: Workspace, experiment_id: str) -> str:
    """Return the address of an experiment's page."""
    return f"{server_url}/experiments/id/{experiment_id}{workspace_query(workspace)}"


def file_urls(paths: Sequence[str]) -> list[str]:
    """Return addresses that read files of the server without a token, for an hour.

    paths: of files of runs and models, below /api/v1, in plain text.
    """
    from zaffre.sdk import session

    if not paths:
        return []
    server = session.current()
    wanted = {"paths": [f"/api/v1{path}" for path in paths]}
    made = server.request("POST", "/permits", json=wanted)["addresses"]
    return [f"{server.url}{address}" for address in made]


def html_table(headers: Sequence[str], cells: Sequence[str]) -> str:
    """Return v1's one-row table; the cells are HTML already."""
    head = "".join(f"<th>{header}</th>" for header in headers)
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<table style="width:100%"><tr>{head}</tr><tr>{row}</tr></table>'


def html_text(value: object) -> str:
    """Return text as HTML."""
    from html import escape

    return escape(str(value))


def html_link(url: str, text: str) -> str:
    """Return a link that opens a page of its own."""
    from html import escape

    return f'<a href="{escape(url)}" target="_blank" rel="noopener">{escape(text)}</a>'
