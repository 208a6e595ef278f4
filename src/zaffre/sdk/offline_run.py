"""The run of a script that nobody submitted: what it logs is printed, and nothing is kept.

The printed lines are v1's, letter by letter, because people filter on them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HOW = (
    "this is an offline run, because the script was not submitted. To get a real run, submit the "
    "script (experiment.submit(ScriptRunConfig(...))) or use experiment.start_logging()."
)

#: What a real run has and v1's offline run had not.
_REAL_RUN_ONLY = frozenset(
    (
        "add_type_provider",
        "clean",
        "create_children",
        "description",
        "display_name",
        "download_file",
        "download_files",
        "experiment",
        "get",
        "get_all_logs",
        "get_children",
        "get_context",
        "get_detailed_status",
        "get_details",
        "get_details_with_logs",
        "get_docs_url",
        "get_environment",
        "get_file_names",
        "get_metrics",
        "get_portal_url",
        "get_properties",
        "get_secret",
        "get_secrets",
        "get_snapshot_id",
        "get_status",
        "get_submitted_run",
        "get_tags",
        "input_datasets",
        "list",
        "list_by_compute",
        "name",
        "number",
        "output_datasets",
        "parent",
        "portal_url",
        "properties",
        "register_model",
        "remove_tags",
        "restore_snapshot",
        "start",
        "status",
        "submit_child",
        "tags",
        "take_snapshot",
        "type",
        "wait_for_completion",
    )
)


class _OfflineRun:
    """A run outside any submission: `log*` and the like print, nothing is checked or kept.

    What only a real run has raises AttributeError that says how to get one.
    """

    DELIM = "#"

    def __init__(
        self, parent_logger: object = None, run_id: str | None = None, **kwargs: object
    ) -> None:
        if run_id is None:
            import uuid

            run_id = f"OfflineRun_{uuid.uuid4()}"
        self._run_id = run_id

    def __getattr__(self, name: str) -> Any:
        if name in _REAL_RUN_ONLY:
            raise AttributeError(f"'{name}' is not there: {_HOW}")
        raise AttributeError(f"'{type(self).__name__}' object has no attribute {name!r}")

    @property
    def id(self) -> str:
        """The run's id, `OfflineRun_` and a uuid."""
        return self._run_id

    @property
    def identity(self) -> str:
        """The name that v1's logs had for this object."""
        return f"{type(self).__name__}{self.DELIM}{self._run_id}"

    def add_properties(self, properties: object) -> None:
        """Print the properties."""
        _say(f"Attempted to add properties {properties}")

    def set_tags(self, tags: object) -> None:
        """Print the tags."""
        _say(f"Attempted to set tags {tags}")

    def tag(self, name: object, value: object = None) -> None:
        """Print the tag."""
        _say(f"Attempted to add tag {name} with value {value}")

    def complete(self) -> None:
        """Do nothing."""

    def fail(self, error_details: object = None, error_code: object = None) -> None:
        """Print the error."""
        _say(f"Run failed with error code {error_code}:\n{error_details}")

    def cancel(self) -> None:
        """Do nothing."""

    def flush(self, timeout_seconds: float = 300) -> None:
        """Print that nothing is there to flush."""
        del timeout_seconds
        _say(f"Attempted to flush run with id {self._run_id}")

    def log(
        self, name: object, value: object, description: object = "", step: object = None
    ) -> None:
        """Print one value."""
        del description, step
        _say_metric("scalar", name, value)

    def log_list(self, name: object, value: object, description: object = "") -> None:
        """Print a list."""
        del description
        _say_metric("list", name, value)

    def log_table(self, name: object, value: object, description: object = "") -> None:
        """Print a table."""
        del description
        _say_metric("table", name, value)

    def log_row(self, name: object, description: object = None, **kwargs: object) -> None:
        """Print a row."""
        del description
        _say_metric("row", name, kwargs)

    def log_image(
        self, name: object, path: object = None, plot: object = None, description: object = ""
    ) -> None:
        """Print an image's path or figure."""
        del description
        _say_metric("image", name, path if path is not None or plot is None else str(plot))

    def log_confusion_matrix(self, name: object, value: object, description: object = None) -> None:
        """Print a confusion matrix."""
        del description
        _say_metric("confusion_matrix", name, value)

    def log_accuracy_table(self, name: object, value: object, description: object = None) -> None:
        """Print an accuracy table."""
        del description
        _say_metric("accuracy_table", name, value)

    def log_residuals(self, name: object, value: object, description: object = None) -> None:
        """Print residuals."""
        del description
        _say_metric("residual", name, value)

    def log_predictions(self, name: object, value: object, description: object = None) -> None:
        """Print predictions."""
        del description
        _say_metric("predictions", name, value)

    def upload_file(
        self, name: object, path_or_stream: object, datastore_name: object = None
    ) -> None:
        """Print the file's names."""
        del datastore_name
        _say(f"Attempted to track file {name} at {path_or_stream}")

    def upload_files(
        self,
        name: object = None,
        paths: object = None,
        return_artifacts: bool = False,
        timeout_seconds: object = None,
        datastore_name: object = None,
        names: object = None,
    ) -> None:
        """Print the files' names. v1 called them `name` here and `names` on a real run."""
        del return_artifacts, datastore_name
        shown = name if names is None else names
        _say(f"Attempted to track files {shown} at {paths} with timeout {timeout_seconds}s")

    def upload_folder(self, name: object, path: object, datastore_name: object = None) -> None:
        """Print the folder's names."""
        del datastore_name
        _say(f"Attempted to track folder {name} at {path}")

    def child_run(
        self, name: object = None, run_id: str | None = None, outputs: object = None
    ) -> _OfflineRun:
        """Return an offline run below this one."""
        del name, outputs
        if run_id is None:
            import uuid

            run_id = f"{self._run_id}.{uuid.uuid4()}"
        return _OfflineRun(run_id=run_id)

    def __enter__(self) -> _OfflineRun:
        _say(f"[START] Run {self._run_id} context")
        return self

    def __exit__(self, *_: object) -> None:
        _say(f"[STOP] Run {self._run_id} context")


def _say(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")


def _say_metric(kind: str, name: object, value: object) -> None:
    _say(f"Attempted to log {kind} metric {name}:\n{value}")
