"""Runs: the object that notebooks and scripts hold.

The object keeps the server's last record of the run as JSON; decoding it into a record class
would make a list of a hundred runs several times as slow. What the methods do lives in modules
of its own: `run_details`, `run_stream`, `run_metrics`, `run_files`, `interactive_run` ...
"""

from __future__ import annotations

import os

from zaffre.contract.errors import ZaffreError
from zaffre.sdk import argument, session
from zaffre.sdk import experiment as experiments
from zaffre.sdk.exceptions import (
    AzureMLException,
    RunEnvironmentException,
    UserErrorException,
)
from zaffre.sdk.offline_run import _OfflineRun  # pyright: ignore[reportPrivateUsage] - v1's name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from builtins import list as List
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from zaffre.client.metric_log import MetricLog
    from zaffre.sdk.environment import Environment
    from zaffre.sdk.experiment import Experiment
    from zaffre.sdk.interactive_run import Life
    from zaffre.sdk.model import Model
    from zaffre.sdk.output_capture import OutputCapture
    from zaffre.sdk.run_datasets import InputDatasets, OutputDatasets
    from zaffre.sdk.run_spool import RunSpool
    from zaffre.sdk.workspace import Workspace

SCRIPT_RUN_TYPE = "azureml.scriptrun"
_FINAL = ("Completed", "Failed", "Canceled")

#: Makers of run objects by run type: `Run.add_type_provider`.
_providers: dict[str, Callable[[Experiment, Any], Run]] = {}
#: What this process knows of runs that it started, by run id.
_lives: dict[str, Life] = {}


class Run:
    """An existing run of an experiment.

    Raises ServiceException (status_code 404) if there is none of that id.
    """

    DELIM = "#"

    def __init__(
        self, experiment: Experiment, run_id: str, outputs: str | None = None, **kwargs: Any
    ) -> None:
        if not isinstance(run_id, str) or not run_id:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UserErrorException(f"run_id: must be the id of a run, not {run_id!r}.")
        self._experiment = experiment
        self._run_id = run_id
        self._loaded: dict[str, Any] | None = kwargs.pop("_run_dto", None)
        self._log: MetricLog | None = None
        self._names: set[str] = set()
        self._spool: RunSpool | None = None
        self._captures: List[OutputCapture] = []
        self._image_names: set[str] = set()
        self._datasets: dict[str, Any] = {}
        if self._loaded is None and not kwargs.pop("_lazy", False):
            self.refresh_record()
        if self._loaded is not None and self._loaded["experiment_id"] != experiment.id:
            self._experiment = experiments.known(
                experiment.workspace,
                self._loaded["experiment_id"],
                self._loaded["experiment_name"],
            )
        if outputs:
            from zaffre.sdk.interactive_run import Life

            _lives[run_id] = Life(outputs, asked=True, child=False)

    # -- what the server says of the run

    def refresh_record(self) -> dict[str, Any]:
        """Fetch and return the server's record of the run (not a name of v1's)."""
        return self.take_record(_fetch(self._experiment.workspace, self._run_id))

    def take_record(self, record: dict[str, Any]) -> dict[str, Any]:
        """Keep a record that the server has answered, and return it (not a name of v1's)."""
        if "spec" not in record and self._loaded is not None and self._loaded.get("spec"):
            record = {**record, "spec": self._loaded["spec"]}
        self._loaded = record
        return record

    @property
    def _record(self) -> dict[str, Any]:
        return self._loaded if self._loaded is not None else self.refresh_record()

    @staticmethod
    def of_record(experiment: Experiment, record: dict[str, Any]) -> Run:
        """Return the run of a server's record, as the class of its kind (not a name of v1's)."""
        return of_record(experiment.workspace, record, experiment)

    @property
    def id(self) -> str:
        """The run's id."""
        return self._run_id

    @property
    def experiment(self) -> Experiment:
        """The experiment that the run belongs to."""
        return self._experiment

    @property
    def type(self) -> str | None:
        """v1's type of the run, such as `azureml.scriptrun`; None for interactive runs."""
        return self._record.get("type")

    @property
    def number(self) -> int:
        """The run's number within its experiment, from 1."""
        return self._record["number"]

    @property
    def name(self) -> str | None:
        """The run's name (deprecated, see `display_name`)."""
        return self._record.get("display_name")

    @property
    def display_name(self) -> str | None:
        """The name that pages show; setting it stores it at once."""
        return self._record.get("display_name")

    @display_name.setter
    def display_name(self, value: str | None) -> None:
        self._change({"display_name": value})

    @property
    def description(self) -> str | None:
        """What the run is about; setting it stores it at once."""
        return self._record.get("description")

    @description.setter
    def description(self, value: str | None) -> None:
        self._change({"description": value})

    @property
    def parent_run_id(self) -> str | None:
        """The id of the run's parent, None without one (not a name of v1's)."""
        return self._record.get("parent_run_id")

    @property
    def root_run_id(self) -> str:
        """The id of the topmost run above this one, or its own (not a name of v1's)."""
        return self._record.get("root_run_id") or self._run_id

    @property
    def parent(self) -> Run | None:
        """The parent, None without one."""
        if self.parent_run_id is None:
            return None
        return Run.get(self._experiment.workspace, self.parent_run_id)

    @property
    def status(self) -> str:
        """The last known state; `get_status` asks the server."""
        return self._record["state"]

    def get_status(self) -> str:
        """Return the state, fetched now."""
        return self.refresh_record()["state"]

    def get_detailed_status(self) -> dict[str, Any]:
        """Return `status`, and in `details` why the run waits, None if it does not."""
        why = session.current().request("GET", f"/runs/{self._run_id}/why")
        waits = why["state"] not in (*_FINAL, "Running")
        return {"status": why["state"], "details": why.get("sentence") if waits else None}

    def get_details(self) -> dict[str, Any]:
        """Return what is known of the run, in any state, under v1's keys."""
        from zaffre.sdk import run_details

        return run_details.details(self)

    def get_details_with_logs(self) -> dict[str, Any]:
        """Return `get_details()` with the logs' text instead of their addresses."""
        from zaffre.sdk import run_details

        return run_details.details_with_logs(self)

    def get_environment(self) -> Environment:
        """Return the environment that the run was submitted with.

        Raises UserErrorException for a run without one.
        """
        spec = self._record.get("spec")
        if spec is None and self._record.get("type"):
            spec = self.refresh_record().get("spec")
        data = ((spec or {}).get("definition") or {}).get("environment")
        if not data:
            raise UserErrorException(
                f"Run {self._run_id} has no run definition or environment: it was not submitted."
            )
        from zaffre.sdk.environment import environment_of

        return environment_of(data)

    # -- finding runs

    @classmethod
    def get_context(
        cls, allow_offline: bool = True, used_for_context_manager: bool = False, **kwargs: object
    ) -> Any:
        """Return the run that this process belongs to, without asking the server anything.

        Outside a submitted run: an offline run, or RunEnvironmentException if `allow_offline` is
        off.
        """
        if own_id() is not None:
            from zaffre.sdk.submitted_run import context

            return context()
        if not allow_offline:
            raise RunEnvironmentException
        return _OfflineRun()

    @classmethod
    def get_submitted_run(cls, **kwargs: object) -> Any:
        """Return the run that this process belongs to (deprecated, see `get_context`)."""
        _say("get_submitted_run() is deprecated.\nUse Run.get_context() instead.")
        return cls.get_context(allow_offline=False)

    @staticmethod
    def get(workspace: Workspace, run_id: str) -> Run:
        """Return a run of whatever experiment, as the class of its kind.

        Raises ServiceException (status_code 404) if there is none.
        """
        return of_record(workspace, _fetch(workspace, run_id), None)

    @staticmethod
    def list(
        experiment: Experiment,
        type: str | None = None,
        tags: Any = None,
        properties: Any = None,
        status: str | None = None,
        include_children: bool = False,
        _rehydrate_runs: bool = True,
    ) -> Iterator[Run]:
        """Yield an experiment's runs, newest first. The filters are ANDed."""
        from zaffre.sdk import run_query

        return run_query.runs_of(
            experiment,
            type=type,
            tags=tags,
            properties=properties,
            status=status,
            include_children=include_children,
        )

    @staticmethod
    def list_by_compute(
        compute: Any,
        type: str | None = None,
        tags: Any = None,
        properties: Any = None,
        status: str | None = None,
    ) -> Iterator[Run]:
        """Yield the runs on a compute target; status: 'Running' or 'Queued'."""
        if status not in (None, "Running", "Queued"):
            raise UserErrorException(f"status: must be 'Running' or 'Queued', not {status!r}.")
        from zaffre.sdk import run_query

        return run_query.runs_on(
            compute.workspace,
            compute.name,
            type=type,
            tags=tags,
            properties=properties,
            status=status,
        )

    @staticmethod
    def add_type_provider(runtype: str, run_factory: Callable[[Experiment, Any], Run]) -> None:
        """Let `run_factory(experiment, record)` make the objects of runs of a type."""
        if not callable(run_factory):
            raise UserErrorException(f"run_factory: must be callable, not {run_factory!r}.")
        _providers[argument.text(runtype, "runtype")] = run_factory

    def get_children(
        self,
        recursive: bool = False,
        tags: Any = None,
        properties: Any = None,
        type: str | None = None,
        status: str | None = None,
        _rehydrate_runs: bool = True,
    ) -> Iterator[Run]:
        """Yield the run's children, newest first; recursive: all runs below its root.

        The filters are ANDed. tags, properties: a key, or a dict of keys and values.
        """
        from zaffre.sdk import run_query

        return run_query.children_of(
            self,
            recursive=recursive,
            tags=tags,
            properties=properties,
            type=type,
            status=status,
        )

    # -- making runs

    def child_run(
        self, name: str | None = None, run_id: str | None = None, outputs: str | None = None
    ) -> Run:
        """Start a child, Running at once."""
        from zaffre.sdk import interactive_run

        return interactive_run.start_child(self, name, run_id, outputs)

    def create_children(
        self,
        count: int | None = None,
        tag_key: str | None = None,
        tag_values: Sequence[Any] | None = None,
    ) -> List[Run]:
        """Return new children, NotStarted: `count`, or one for each value of a tag."""
        from zaffre.sdk import interactive_run

        return interactive_run.create_children(self, count, tag_key, tag_values)

    def submit_child(self, config: Any, tags: dict[str, str] | None = None, **kwargs: Any) -> Run:
        """Submit a run as a child of this one."""
        from zaffre.sdk.submit import submit

        return submit(self._experiment, config, tags=tags, parent_run_id=self._run_id, **kwargs)

    # -- the run's course

    def start(self) -> None:
        """Let a run that is NotStarted begin."""
        self._ask("start")

    def complete(self, _set_status: bool = True) -> None:
        """Send what is logged (and the outputs folder), then set the run Completed.

        On a script's own run nothing is set: the script's end decides.
        """
        life = None if self._is_own() else self._life
        if life is not None:
            life.upload_outputs(self)
        self.flush()
        if not self._is_own() and _set_status:
            self._ask("complete")

    def fail(
        self,
        error_details: str | BaseException | None = None,
        error_code: str | None = None,
        _set_status: bool = True,
    ) -> None:
        """Send what is logged, record the error, and set the run Failed.

        On a script's own run the error is recorded, and the run is Failed when the script ends.
        """
        from zaffre.sdk import run_error

        self.flush()
        self._ask("fail", {"error": run_error.encode(error_details, error_code)})

    def cancel(self) -> None:
        """Cancel the run: an interactive one at once, a script's as soon as it has ended."""
        if self._is_own():
            _say("Cancel is not supported for submitted runs.")
            return
        self._ask("cancel")

    def _ask(self, verb: str, body: dict[str, Any] | None = None) -> None:
        """Ask for a change of state; what this process kept for a run that has ended goes."""
        answer = session.current().request("POST", f"/runs/{self._run_id}/{verb}", json=body)
        self.take_record(answer)
        if answer["state"] in _FINAL and self._life is not None:
            if verb == "cancel":
                self.flush()
            life = _lives.pop(self._run_id)
            if not life.child and self._spool is not None:
                self._spool.end()
            self._log = self._spool = None

    def flush(self, timeout_seconds: float = 300) -> None:
        """Return when the server has all that was logged before.

        Raises AzureMLException when it has not in time; nothing is lost by that.
        """
        import sys

        argument.number(timeout_seconds, "timeout_seconds")
        if self._is_own():
            self._open_spool()
        # Without the module nobody in this process has logged to any run.
        spools = sys.modules.get("zaffre.sdk.run_spool")
        for spool in spools.find(self._run_id) if spools is not None else ():
            spool.flush(timeout_seconds)

    def wait_for_completion(
        self,
        show_output: bool = False,
        wait_post_processing: bool = False,
        raise_on_error: bool = True,
    ) -> dict[str, Any]:
        """Return `get_details()` once the run has ended and all of it is stored.

        show_output: print the script's log as it comes. Raises ActivityFailedException if the run
        failed, unless `raise_on_error` is off. A run that this process itself has to end is not
        waited for: one line says so.
        """
        if self._is_own() or (self._life is not None and self.get_status() not in _FINAL):
            _say(
                f"Run {self._run_id} cannot be waited for here: this process is what it waits for. "
                "Going on."
            )
            return self.get_details()
        from zaffre.sdk import run_stream

        return run_stream.wait(self, show_output=show_output, raise_on_error=raise_on_error)

    def __enter__(self) -> Run:
        """Begin a block at whose end the run is Completed, or Failed by an exception."""
        if not self._is_own():
            from zaffre.sdk import interactive_run, output_capture

            capture = output_capture.OutputCapture(self._run_id, interactive_run.LOG_NAME)
            capture.start()
            self._captures.append(capture)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """End the block; an exception goes on to the caller."""
        if not self._captures:
            return
        failed = error is not None and not (
            isinstance(error, SystemExit) and error.code in (None, 0)
        )
        text = ""
        if failed:
            import traceback

            text = "".join(traceback.format_exception(kind, error, trace))
        self._captures.pop().stop(text)
        if self.status in _FINAL:
            return
        if not failed:
            self.complete()
            return
        try:
            self.fail(error)
        except AzureMLException as problem:
            import warnings

            # The script's own exception is what its caller has to see.
            warnings.warn(
                f"Run {self._run_id} is not marked as failed: {problem.message}", stacklevel=2
            )

    # -- metrics

    def log(
        self, name: str, value: Any, description: str | None = "", step: int | None = None
    ) -> None:
        """Add one value to the metric `name`. When this returns, no kill of a process loses it.

        Raises UserErrorException for a name that cannot be, or a list.
        """
        log = self._log
        if log is None:
            log = self._open_log()
        if name not in self._names:
            self._check_name(name)
        if type(value) is not float:
            from zaffre.sdk.metric_log import scalar

            value = scalar(value)
        if step is not None and type(step) is not int:
            from zaffre.sdk.metric_log import step_number

            step = step_number(step)
        try:
            log.scalar(name, value, step=step, description=description or None)
        except ZaffreError as refusal:
            raise self._not_logged(refusal) from refusal

    def log_list(self, name: str, value: Any, description: str | None = "") -> None:
        """Add a list of values: a list, tuple, range, generator, 1-d array or column.

        Raises AzureMLException for a nested list, UserErrorException for a single value.
        """
        from zaffre.sdk import metric_log

        values = metric_log.values(value)
        try:
            self._log_for(name).values(name, values, description=description or None)
        except ZaffreError as refusal:
            raise self._not_logged(refusal) from refusal

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:
        """Add one row, its columns by keyword. Raises AzureMLException for a list in a column."""
        from zaffre.sdk import metric_log

        cells = metric_log.row(kwargs)
        try:
            self._log_for(name).row(name, cells, description=description or None)
        except ZaffreError as refusal:
            raise self._not_logged(refusal) from refusal

    def log_table(self, name: str, value: Any, description: str | None = "") -> None:
        """Add rows: a dict of columns of one length (or of scalars), or a data frame.

        Raises AzureMLException that names both columns when two differ in length.
        """
        from zaffre.sdk import metric_log

        columns = metric_log.columns(value)
        try:
            self._log_for(name).table(name, columns, description=description or None)
        except ZaffreError as refusal:
            raise self._not_logged(refusal) from refusal

    def log_image(
        self, name: str, path: Any = None, plot: Any = None, description: str | None = ""
    ) -> None:
        """Add an image: a file, or a figure (matplotlib.pyplot means its current one).

        The image becomes a file of the run. Raises AzureMLException unless one of the two is
        given and it is an image, FileNotFoundError.
        """
        from zaffre.sdk import metric_file

        content = metric_file.image_content(path, plot)
        self._check_name(name)
        file_name = metric_file.image_name(name, path)
        if path is None:
            file_name = self._unused(file_name)
        self._log_file(name, "image", file_name, content, description)

    def log_confusion_matrix(self, name: str, value: Any, description: str | None = "") -> None:
        """Add a confusion matrix: v1's dict, or JSON text of it."""
        self._log_chart(name, "confusion_matrix", value, description)

    def log_accuracy_table(self, name: str, value: Any, description: str | None = "") -> None:
        """Add an accuracy table: v1's dict, or JSON text of it."""
        self._log_chart(name, "accuracy_table", value, description)

    def log_residuals(self, name: str, value: Any, description: str | None = "") -> None:
        """Add residuals: v1's dict, or JSON text of it."""
        self._log_chart(name, "residuals", value, description)

    def log_predictions(self, name: str, value: Any, description: str | None = "") -> None:
        """Add predictions: v1's dict, or JSON text of it."""
        self._log_chart(name, "predictions", value, description)

    def _log_chart(self, name: str, kind: str, value: Any, description: str | None) -> None:
        from zaffre.sdk import metric_file

        text = metric_file.chart_text(kind, value)
        self._check_name(name)
        self._log_file(name, kind, metric_file.file_name(name), text.encode(), description)

    def _log_file(
        self, name: str, kind: str, file_name: str, content: bytes, description: str | None
    ) -> None:
        from zaffre.contract.metric import MetricKind
        from zaffre.sdk import run_files
        from zaffre.sdk.run_metrics import artifact_uri

        run_files.upload_content(self._run_id, file_name, content)
        self._log_for(name).file(
            name,
            MetricKind(kind),
            artifact_uri(self._run_id, file_name),
            description=description or None,
        )

    def _unused(self, file_name: str) -> str:
        """Return a name for a file that no figure of this object has: two may share a second."""
        stem, _, ending = file_name.rpartition(".")
        number, name = 1, file_name
        while name in self._image_names:
            number += 1
            name = f"{stem}_{number}.{ending}"
        self._image_names.add(name)
        return name

    def _log_for(self, name: str) -> MetricLog:
        if name not in self._names:
            self._check_name(name)
        return self._log if self._log is not None else self._open_log()

    @staticmethod
    def _not_logged(refusal: ZaffreError) -> AzureMLException:
        from zaffre.sdk.exceptions import from_refusal

        if refusal.code == "metric.too_large":
            return AzureMLException(f"Metric Document is too large: {refusal.message}")
        return from_refusal(refusal)

    def _check_name(self, name: str) -> None:
        from zaffre.sdk.metric_log import check_name

        self._names.add(check_name(name))

    def _open_log(self) -> MetricLog:
        self._log = self._open_spool().log_of(self._run_id)
        if self._life is not None and self._record["state"] == "NotStarted":
            self._begin()
        return self._log

    def _begin(self) -> None:
        """Let a child begin with its first record; if no server answers, it is only seen later."""
        from zaffre.contract.errors import ServerUnreachable

        try:
            record = session.current().client.request(
                "POST", f"/runs/{self._run_id}/start", retry_s=0.0
            )
        except ServerUnreachable:
            return
        except ZaffreError as refusal:
            raise self._not_logged(refusal) from refusal
        self.take_record(record)

    def _open_spool(self) -> RunSpool:
        if self._spool is None:
            from zaffre.sdk import run_spool

            self._check_kin()
            self._spool = run_spool.of_run(self._run_id)
        return self._spool

    def _check_kin(self) -> None:
        """Refuse to log from inside one run to another that is neither above nor below it."""
        if own_id() is None or self._is_own() or self._life is not None:
            return
        if self.root_run_id != os.environ.get("AZUREML_ROOT_RUN_ID", own_id()):
            raise UserErrorException(
                f"A script may log to its own run, to those above it and to its children; "
                f"{self._run_id} is none of them."
            )

    def get_metrics(
        self,
        name: str | None = None,
        recursive: bool = False,
        run_type: str | None = None,
        populate: bool = False,
    ) -> dict[str, Any]:
        """Return name to value: one value as itself, several as a list, rows as a dict of columns.

        What this process has logged is sent first. recursive: run id to that, for the run and all
        below it. populate: files as objects that fetch their content.
        """
        from zaffre.sdk import run_metrics

        argument.optional_text(name, "name")
        argument.optional_text(run_type, "run_type")
        self.flush()
        return run_metrics.metrics(
            self, name, recursive=recursive, run_type=run_type, populate=populate
        )

    # -- tags and properties

    def _change(self, change: dict[str, Any]) -> None:
        self.take_record(session.current().request("PATCH", f"/runs/{self._run_id}", json=change))

    @property
    def tags(self) -> dict[str, Any]:
        """The tags, as last fetched."""
        return dict(self._record.get("tags") or {})

    def get_tags(self) -> dict[str, Any]:
        """Return the tags, fetched now."""
        return dict(self.refresh_record().get("tags") or {})

    def tag(self, key: str, value: Any = None) -> None:
        """Set one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags: Any) -> None:
        """Set tags; those that are not named stay. A text is a tag without a value."""
        from zaffre.sdk import labels

        self._change({"set_tags": labels.convert(tags, "tag")})

    def remove_tags(self, tags: Any) -> dict[str, Any]:
        """Remove tags by their keys; return those that are left."""
        from zaffre.sdk import labels

        self._change({"remove_tags": labels.keys(tags, "tags")})
        return self.tags

    @property
    def properties(self) -> dict[str, Any]:
        """The properties, as last fetched."""
        return dict(self._record.get("properties") or {})

    def get_properties(self) -> dict[str, Any]:
        """Return the properties, fetched now."""
        return dict(self.refresh_record().get("properties") or {})

    def add_properties(self, properties: Any) -> None:
        """Add properties, which never change: UserErrorException for another value of a key."""
        from zaffre.sdk import labels

        converted = labels.convert(properties, "property")
        self._change({"add_properties": {key: value or "" for key, value in converted.items()}})

    def get_secret(self, name: str) -> str | None:
        """Return a secret of the workspace's key vault, None if there is none of that name."""
        return self._experiment.workspace.get_default_keyvault().get_secret(name)

    def get_secrets(self, secrets: Sequence[str]) -> dict[str, Any]:
        """Return secrets of the workspace's key vault: name to value, None for those not there."""
        return self._experiment.workspace.get_default_keyvault().get_secrets(secrets)

    @property
    def input_datasets(self) -> InputDatasets:
        """The run's inputs by name; a missing name is a KeyError."""
        if "input" not in self._datasets:
            from zaffre.sdk import run_datasets

            self._datasets["input"] = run_datasets.inputs_of(self)
        return self._datasets["input"]

    @property
    def output_datasets(self) -> OutputDatasets:
        """The run's outputs by name; a missing name is a KeyError."""
        if "output" not in self._datasets:
            from zaffre.sdk.run_datasets import OutputDatasets

            self._datasets["output"] = OutputDatasets(self._experiment.workspace)
        return self._datasets["output"]

    # -- files

    def get_file_names(self) -> List[str]:
        """Return the names of all files of the run, logs included, sorted."""
        from zaffre.sdk import run_files

        return run_files.file_names(self._run_id)

    def upload_file(
        self, name: str, path_or_stream: Any, datastore_name: str | None = None
    ) -> None:
        """Store a file, or what a stream holds, as the run's file `name`; the last one wins.

        Raises FileNotFoundError, IsADirectoryError, UserErrorException for the name.
        """
        from zaffre.sdk import notices, run_files

        notices.ignored("Run.upload_file", {"datastore_name": datastore_name})
        if hasattr(path_or_stream, "read"):
            run_files.upload_stream(self._run_id, name, path_or_stream)
        else:
            run_files.upload(self._run_id, [(name, path_or_stream)])

    def upload_files(
        self,
        names: Sequence[str],
        paths: Sequence[Any],
        return_artifacts: bool = False,
        timeout_seconds: float | None = None,
        datastore_name: str | None = None,
    ) -> Any:
        """Store several files; raises TypeError when names and paths differ in number.

        return_artifacts: return name to what the server recorded.
        """
        from zaffre.sdk import notices, run_files

        notices.ignored(
            "Run.upload_files",
            {"timeout_seconds": timeout_seconds, "datastore_name": datastore_name},
        )
        run_files.check_same_length(names, paths)
        stored = run_files.upload(self._run_id, zip(names, paths))
        return {file["name"]: file for file in stored} if return_artifacts else None

    def upload_folder(self, name: str, path: Any, datastore_name: str | None = None) -> None:
        """Store all files below a folder as `name/relative path`.

        Raises UserErrorException if `path` is no folder.
        """
        from zaffre.sdk import notices, run_files

        notices.ignored("Run.upload_folder", {"datastore_name": datastore_name})
        if not os.path.isdir(path):
            raise UserErrorException(f"path: {os.fspath(path)!r} is not a folder.")
        files = run_files.files_below(os.fspath(path), run_files.checked_name(name))
        run_files.upload(self._run_id, files)

    def download_file(
        self, name: str, output_file_path: Any = None, _validate_checksum: bool = False
    ) -> None:
        """Write one file here, replacing what is there.

        output_file_path: None is the file's own name in the current folder; an existing folder,
        or a path that ends in '/', takes it under that name; folders above it are made.

        Raises UserErrorException that lists the run's files if there is none of that name.
        """
        from zaffre.sdk import run_files

        run_files.download(self._run_id, name, output_file_path)

    def download_files(
        self,
        prefix: str | None = None,
        output_directory: Any = None,
        output_paths: Sequence[Any] | None = None,
        batch_size: int = 100,
        append_prefix: bool = True,
        timeout_seconds: float | None = None,
    ) -> None:
        """Write all files below the folder `prefix`, under their names in `output_directory`.

        append_prefix: keep the prefix in the names. Files appear whole under their names, or not
        at all; nothing is written when nothing is found.
        """
        from zaffre.sdk import notices, run_files

        notices.ignored("Run.download_files", {"timeout_seconds": timeout_seconds})
        del batch_size
        run_files.download_many(
            self._run_id, prefix, output_directory, output_paths, append_prefix=append_prefix
        )

    def get_all_logs(self, destination: Any = None) -> List[str]:
        """Write each log below `destination` (default: assets/RUNID here); return their paths."""
        from zaffre.sdk import run_details, run_files

        if destination is None:
            root = os.path.join(self._source_directory(), "assets", self._run_id)
        else:
            root = argument.path(destination, "destination")
        os.makedirs(root, exist_ok=True)
        paths: List[str] = []
        for name in run_details.log_names(self):
            path = os.path.join(root, name)
            run_files.download(self._run_id, name, path)
            paths.append(path)
        return paths

    def _source_directory(self) -> str:
        return os.curdir

    def take_snapshot(self, file_or_folder_path: Any) -> str:
        """Store a folder or file as the run's snapshot; return its id.

        Raises SnapshotException when it is too large.
        """
        from zaffre.sdk import snapshot

        path = os.fspath(file_or_folder_path)
        taken = snapshot.take(path, session.current(), self._experiment.workspace.workspace_id)
        held = self.get_properties()
        if held.get(_SNAPSHOT) != taken.snapshot_id:
            later = sum(key.startswith(_SNAPSHOT) for key in held)
            key = f"{_SNAPSHOT}.{later + 1}" if later else _SNAPSHOT
            # A property never changes, so each later snapshot has one of its own.
            self._change({"add_properties": {key: taken.snapshot_id}})
        return taken.snapshot_id

    def get_snapshot_id(self) -> str | None:
        """Return the id of the latest snapshot, None without one."""
        held = self.get_properties()
        count = sum(key.startswith(_SNAPSHOT) for key in held)
        return held.get(f"{_SNAPSHOT}.{count}") or held.get(_SNAPSHOT)

    def restore_snapshot(self, snapshot_id: str | None = None, path: Any = None) -> str:
        """Write a snapshot as a zip file into the folder `path`; return the file's path.

        snapshot_id: default the run's latest. Raises UserErrorException without one.
        """
        from zaffre.sdk import run_files

        wanted = snapshot_id or self.get_snapshot_id()
        if wanted is None:
            raise UserErrorException(f"Run {self._run_id} has no snapshot.")
        folder = argument.path(path, "path") if path is not None else os.curdir
        os.makedirs(folder, exist_ok=True)
        name = self._run_id if snapshot_id is None else snapshot_id
        target = os.path.join(folder, f"{name}.zip")
        run_files.download_snapshot(self._experiment.workspace.workspace_id, wanted, target)
        return target

    def register_model(
        self,
        model_name: str,
        model_path: str | None = None,
        tags: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        description: str | None = None,
        datasets: Any = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
        **kwargs: Any,
    ) -> Model:
        """Register the file or folder `model_path` of the run's files as a model.

        model_path: default `model_name`. Raises ModelPathNotFoundException that lists the run's
        files, WebserviceException for names, tags and properties that cannot be.
        """
        from zaffre.sdk import notices, run_model

        notices.ignored("Run.register_model", kwargs)
        return run_model.register(
            self,
            model_name,
            model_path,
            tags=tags,
            properties=properties,
            framework=model_framework,
            framework_version=model_framework_version,
            description=description,
            datasets=datasets,
            sample_input_dataset=sample_input_dataset,
            sample_output_dataset=sample_output_dataset,
            resource_configuration=resource_configuration,
        )

    def clean(self) -> List[str]:
        """Remove what the run left on its machine; return the files: the runner leaves none."""
        return []

    # -- addresses and texts

    @property
    def identity(self) -> str:
        """The name that v1's logs had for this object."""
        return f"{type(self).__name__}{self.DELIM}{self._run_id}"

    @property
    def portal_url(self) -> str:
        """The server's address."""
        return session.current().url

    def get_portal_url(self) -> str:
        """Return the address of the run's page."""
        from zaffre.sdk import portal

        return portal.run_url(session.current().url, self._experiment.workspace, self._run_id)

    @classmethod
    def get_docs_url(cls) -> str:
        """Return the address of v1's reference for this class."""
        from zaffre.sdk import portal

        return portal.docs_url("script_run.ScriptRun" if cls.__name__ == "ScriptRun" else "run.Run")

    def __repr__(self) -> str:
        return (
            f"Run(Experiment: {self._experiment.name},\nId: {self._run_id},\n"
            f"Type: {self.type},\nStatus: {self.status})"
        )

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        from zaffre.sdk import portal

        return portal.html_table(
            ("Experiment", "Id", "Type", "Status", "Details Page", "Docs Page"),
            (
                portal.html_text(self._experiment.name),
                portal.html_text(self._run_id),
                portal.html_text(self.type),
                portal.html_text(self.status),
                portal.html_link(self.get_portal_url(), "Link to Zaffre"),
                portal.html_link(self.get_docs_url(), "Link to Documentation"),
            ),
        )

    # -- this process and the run

    def _is_own(self) -> bool:
        """Say whether this process is the run's own script."""
        return self._run_id == own_id()

    @property
    def _life(self) -> Life | None:
        return _lives.get(self._run_id)

    @property
    def spool(self) -> RunSpool | None:
        """Where this process keeps what it logs to the run (not a name of v1's)."""
        return self._spool

    def begin_life(self, life: Life, spool: RunSpool | None) -> None:
        """Note that this process started the run (not a name of v1's)."""
        _lives[self._run_id] = life
        self._spool = spool


_SNAPSHOT = "ContentSnapshotId"


def of_record(workspace: Workspace, record: dict[str, Any], experiment: Experiment | None) -> Run:
    """Return the run of a server's record, as the class of its kind."""
    if experiment is None or experiment.id != record["experiment_id"]:
        experiment = experiments.known(
            workspace, record["experiment_id"], record["experiment_name"]
        )
    kind = record.get("type")
    if kind in _providers:
        from types import SimpleNamespace

        return _providers[kind](experiment, SimpleNamespace(**record))
    if kind == SCRIPT_RUN_TYPE:
        from zaffre.sdk.script_run import ScriptRun

        return ScriptRun(experiment, record["run_id"], _run_dto=record)
    return Run(experiment, record["run_id"], _run_dto=record)


def get_run(
    experiment: Experiment, run_id: str, rehydrate: bool = True, clean_up: bool = True
) -> Run:
    """Return a run of an experiment, as the class of its kind unless `rehydrate` is off."""
    if not rehydrate:
        return Run(experiment, run_id)
    record = _fetch(experiment.workspace, run_id)
    return of_record(experiment.workspace, record, experiment)


def _fetch(workspace: Workspace, run_id: str) -> dict[str, Any]:
    """Return the server's record of a run of the workspace; ServiceException 404 without one."""
    if not isinstance(run_id, str) or not run_id:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UserErrorException(f"run_id: must be the id of a run, not {run_id!r}.")
    record = session.current().request("GET", f"/runs/{run_id}")
    if record["workspace_id"] != workspace.workspace_id:
        from zaffre.contract.errors import NotFound
        from zaffre.sdk.exceptions import from_refusal

        raise from_refusal(NotFound("run", run_id, f"It is not in workspace {workspace.name!r}."))
    return record


def own_id() -> str | None:
    """Return the id of the run whose script this process belongs to, None outside one."""
    return os.environ.get("AZUREML_RUN_ID") if "ZAFFRE_RUN_TOKEN" in os.environ else None


def _say(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")
