"""Experiments: named series of runs."""

from __future__ import annotations

from zaffre.sdk import argument, session
from zaffre.sdk.exceptions import AzureMLException, UserErrorException
from zaffre.sdk.workspace import Workspace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from zaffre.sdk.run import Run


class ViewType:
    """Which experiments a list holds."""

    ActiveOnly = "ActiveOnly"
    ArchivedOnly = "ArchivedOnly"
    All = "All"


class Experiment:
    """The experiment of that name in a workspace, created if it is not there.

    The name has 1 to 255 characters: first a letter or digit, then letters, digits, '-' and '_';
    else UserErrorException.
    """

    DELIM = "#"

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        _skip_name_validation: bool = False,
        _id: str | None = None,
        _archived_time: Any = None,
        _create_in_cloud: bool = True,
        _experiment_dto: dict[str, Any] | None = None,
        **kwargs: object,
    ) -> None:
        self._workspace = _checked_workspace(workspace)
        self._name = name if _skip_name_validation else _checked_name(name)
        self._known_id = _id
        self._loaded = _experiment_dto
        if _experiment_dto is None and _id is None and _create_in_cloud:
            self._open()

    def _open(self) -> dict[str, Any]:
        self._loaded = session.current().request(
            "POST",
            f"/workspaces/{self._workspace.workspace_id}/experiments",
            json={"name": self._name},
        )
        return self._loaded  # pyright: ignore[reportReturnType]

    @property
    def _record(self) -> dict[str, Any]:
        if self._loaded is None:
            if self._known_id is None:
                return self._open()
            self._loaded = session.current().request("GET", f"/experiments/{self._known_id}")
        return self._loaded  # pyright: ignore[reportReturnType]

    def submit(self, config: Any, tags: dict[str, str] | None = None, **kwargs: Any) -> Run:
        """Submit a run of the config's kind and return at once; it goes on without this process.

        Takes the snapshot of the config's source directory and records what git says of it.
        Raises AzureMLException for what cannot be submitted.
        """
        from zaffre.sdk.submit import submit

        return submit(self, config, tags=tags, **kwargs)

    def start_logging(self, *args: Any, **kwargs: Any) -> Run:
        """Start an interactive run, Running at once.

        outputs: folder whose files become the run's when it completes; none if not given.
        snapshot_directory: folder whose snapshot is taken, `.` if not given, None for none.
        display_name, name, run_id: of the new run.
        """
        from zaffre.sdk import interactive_run

        return interactive_run.start(self, *args, **kwargs)

    def get_runs(
        self,
        type: str | None = None,
        tags: Any = None,
        properties: Any = None,
        include_children: bool = False,
    ) -> Iterator[Run]:
        """Yield the experiment's runs, newest first; without children unless they are asked for.

        The filters are ANDed. tags, properties: a key, or a dict of keys and values.
        """
        from zaffre.sdk import run_query

        return run_query.runs_of(
            self, type=type, tags=tags, properties=properties, include_children=include_children
        )

    def search_runs(
        self,
        where: str | None = None,
        order_by: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Iterator[Run]:
        """Yield the experiment's runs that a search finds, child runs too (not a name of v1's).

        where: such as `status = 'Completed' and metrics.loss < 0.1`; docs/search.md has the
        language. order_by: such as `metrics.loss, created desc`; newest first without. limit: at
        most so many. Raises UserErrorException that points at what cannot be read.
        """
        from zaffre.sdk import run_search

        return run_search.runs(self._workspace, self, where, order_by, limit)

    def runs_table(
        self,
        columns: Sequence[str],
        where: str | None = None,
        order_by: str | Sequence[str] | None = None,
        limit: int | None = None,
        output_format: str = "list",
    ) -> Any:
        """Return fields of the runs that a search finds, in one request (not a name of v1's).

        columns: fields of the search's language: `["id", "params.lr", "metrics.loss"]`; a metric
        is its newest value. output_format: "list" of dicts by column, or "pandas" for a frame.
        What a run lacks is None; times are aware, in UTC. where, order_by, limit: of search_runs.
        """
        from zaffre.sdk import run_search

        return run_search.table(
            self._workspace, self, columns, where, order_by, limit, output_format
        )

    @staticmethod
    def list(
        workspace: Workspace,
        experiment_name: str | None = None,
        view_type: str = ViewType.ActiveOnly,
        tags: Any = None,
    ) -> list[Experiment]:
        """Return the workspace's experiments, by name if one is given.

        view_type: of the class ViewType. Raises AzureMLException for another one.
        """
        from zaffre.sdk import labels

        if view_type not in (ViewType.ActiveOnly, ViewType.ArchivedOnly, ViewType.All):
            raise AzureMLException(f"view_type: {view_type!r} is none of ViewType's.")
        wanted = [text.partition("=") for text in labels.as_filter(tags, "tags")]
        found = session.current().request(
            "GET",
            f"/workspaces/{_checked_workspace(workspace).workspace_id}/experiments",
            query={
                "name": argument.optional_text(experiment_name, "experiment_name"),
                "view": view_type,
            },
        )["items"]
        return [
            _of_record(workspace, record)
            for record in found
            if _has_tags(record.get("tags") or {}, wanted)
        ]

    @staticmethod
    def delete(workspace: Workspace, experiment_id: str) -> None:
        """Delete an experiment with its runs, their metrics and files; models stay.

        Nothing brings them back. Raises ServiceException: status_code 404 if the workspace has no
        such experiment, 409 while one of its runs has not ended.
        """
        path = f"/experiments/{argument.text(experiment_id, 'experiment_id')}"
        wanted = _checked_workspace(workspace).workspace_id
        record = session.current().request("GET", path)
        if record["workspace_id"] != wanted:
            from zaffre.contract.errors import NotFound
            from zaffre.sdk.exceptions import from_refusal

            raise from_refusal(
                NotFound("experiment", experiment_id, f"It is not in workspace {workspace.name!r}.")
            )
        done = False
        while not done:  # the server removes for some seconds a request
            done = session.current().request("DELETE", path)["done"]

    def archive(self) -> None:
        """Hide the experiment from lists and free its name; its runs stay as they are.

        A run that is submitted to it afterwards goes to an active experiment of its name.
        """
        self._loaded = session.current().request("POST", f"/experiments/{self.id}/archive")

    def reactivate(self, new_name: str | None = None) -> None:
        """Show an archived experiment again. It cannot be renamed.

        Raises ServiceException (status_code 409) if an active experiment has its name.
        """
        if new_name is not None:
            raise UserErrorException("Cannot rename an experiment. Leave new_name out.")
        self._loaded = session.current().request("POST", f"/experiments/{self.id}/reactivate")

    @staticmethod
    def from_directory(path: str, auth: object = None) -> Experiment:
        """Return the experiment that an old project folder's `project.json` names (deprecated).

        Raises UserErrorException if there is none, or it names none.
        """
        from zaffre.sdk import workspace_config

        found = workspace_config.find(path, "project.json")
        name = workspace_config.read_project(found)
        if name is None:
            raise UserErrorException(
                f"{found} names no experiment: its Scope has no part '/projects/NAME'. Use "
                "Experiment(workspace, name)."
            )
        return Experiment(Workspace.from_config(found, auth), name)

    def tag(self, key: str, value: Any = None) -> None:
        """Set one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags: Any) -> None:
        """Set tags; those that are not named stay."""
        from zaffre.sdk import labels

        self._change({"set_tags": labels.convert(tags, "tag")})

    def remove_tags(self, tags: Any) -> dict[str, Any]:
        """Remove tags by their keys; return those that are left."""
        from zaffre.sdk import labels

        self._change({"remove_tags": labels.keys(tags, "tags")})
        return self.tags

    def _change(self, change: dict[str, Any]) -> None:
        self._loaded = session.current().request("PATCH", f"/experiments/{self.id}", json=change)

    def refresh(self) -> None:
        """Fetch what others may have changed."""
        self._loaded = session.current().request("GET", f"/experiments/{self.id}")

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self._name

    @property
    def id(self) -> str:
        """The experiment's id."""
        return self._known_id or self._record["experiment_id"]

    @property
    def workspace(self) -> Workspace:
        """The workspace that it belongs to."""
        return self._workspace

    @property
    def workspace_object(self) -> Workspace:
        """The workspace that it belongs to (old name)."""
        return self._workspace

    @property
    def archived_time(self) -> Any:
        """When it was archived; None for an active one."""
        archived = self._record.get("archived_at")
        if archived is None:
            return None
        from zaffre.contract.wire import decode_time

        return decode_time(archived)

    @property
    def tags(self) -> dict[str, Any]:
        """The tags, as last fetched."""
        return dict(self._record.get("tags") or {})

    @property
    def identity(self) -> str:
        """The name that v1's logs had for this object."""
        return f"{type(self).__name__}{self.DELIM}{self._name}"

    @property
    def portal_url(self) -> str:
        """The server's address."""
        return session.current().url

    def get_portal_url(self) -> str:
        """Return the address of the experiment's page."""
        from zaffre.sdk import portal

        return portal.experiment_url(session.current().url, self._workspace, self.id)

    @classmethod
    def get_docs_url(cls) -> str:
        """Return the address of v1's reference for this class."""
        from zaffre.sdk import portal

        return portal.docs_url("experiment.Experiment")

    def __repr__(self) -> str:
        return f"Experiment(Name: {self._name},\nWorkspace: {self._workspace.name})"

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        from zaffre.sdk import portal

        return portal.html_table(
            ("Name", "Workspace", "Report Page", "Docs Page"),
            (
                portal.html_text(self._name),
                portal.html_text(self._workspace.name),
                portal.html_link(self.get_portal_url(), "Link to Zaffre"),
                portal.html_link(self.get_docs_url(), "Link to Documentation"),
            ),
        )


def known(workspace: Workspace, experiment_id: str, name: str) -> Experiment:
    """Return an experiment of which these are known, without a request."""
    return Experiment(workspace, name, _skip_name_validation=True, _id=experiment_id)


def _of_record(workspace: Workspace, record: dict[str, Any]) -> Experiment:
    return Experiment(workspace, record["name"], _skip_name_validation=True, _experiment_dto=record)


def _checked_name(name: object) -> str:
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return names.experiment_name(name)
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem


def _checked_workspace(workspace: object) -> Workspace:
    if not isinstance(workspace, Workspace):
        raise UserErrorException(f"workspace: must be a Workspace, not {type(workspace).__name__}.")
    return workspace


def _has_tags(tags: dict[str, Any], wanted: list[tuple[str, str, str]]) -> bool:
    return all(key in tags and (not equals or tags[key] == value) for key, equals, value in wanted)
