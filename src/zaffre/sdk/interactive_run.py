"""Interactive runs: started by this process, Running until it says that they are over."""

from __future__ import annotations

import os
import time
import warnings

from zaffre.sdk import argument, session
from zaffre.sdk.exceptions import AzureMLException, UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.experiment import Experiment
    from zaffre.sdk.run import Run

#: The folder that v1's users expect to be uploaded.
DEFAULT_OUTPUTS = "outputs"
#: A folder of more files than this is not taken as an interactive run's snapshot, which nobody
#: asked for: sending it would hold up the notebook.
SNAPSHOT_MAX_FILES = 10_000
LOG_NAME = "logs/user_log.txt"


class Life:
    """What this process knows of a run that it started: what to do when the run is over.

    outputs: the folder whose files become the run's, None for none. child: it has a parent here,
    whose spool it shares.
    """

    def __init__(self, outputs: str | None, *, asked: bool, child: bool) -> None:
        self.outputs = (
            None if outputs is None else os.path.abspath(argument.path(outputs, "outputs"))
        )
        self.asked = asked
        self.child = child
        self.started = time.time()
        self.default_outputs = os.path.abspath(DEFAULT_OUTPUTS)

    def upload_outputs(self, run: Run) -> None:
        """Send the outputs folder; if none was named, say that new files in ./outputs stay here."""
        from zaffre.sdk import run_files

        if self.outputs is not None:
            if os.path.isdir(self.outputs):
                name = os.path.basename(self.outputs)
                files = run_files.files_below(self.outputs, name)
                if files:
                    run_files.upload(run.id, files)
            return
        new = [] if self.asked else self._new_files()
        if new:
            _say(
                f"{len(new)} new file(s) in {self.default_outputs} are not uploaded to run "
                f"{run.id}: it was started without outputs='{DEFAULT_OUTPUTS}'. "
                f"run.upload_folder('{DEFAULT_OUTPUTS}', '{DEFAULT_OUTPUTS}') uploads them."
            )

    def _new_files(self) -> list[str]:
        from zaffre.sdk import run_files

        if not os.path.isdir(self.default_outputs):
            return []
        # A file's time comes from the kernel's coarse clock, which is a few ms behind.
        return [
            path
            for _, path in run_files.files_below(self.default_outputs, DEFAULT_OUTPUTS)
            if os.path.getmtime(path) >= self.started - 0.01
        ]


def start(experiment: Experiment, *args: Any, **kwargs: Any) -> Run:
    """Start an interactive run in an experiment, with v1's keywords."""
    from zaffre.sdk import git, notices, run_spool
    from zaffre.sdk.run import of_record, own_id

    if args:
        raise UserErrorException("start_logging() takes keywords only, such as outputs='outputs'.")
    outputs = kwargs.pop("outputs", None)
    folder = kwargs.pop("snapshot_directory", os.curdir)
    name = kwargs.pop("display_name", None) or kwargs.pop("name", None)
    kwargs.pop("name", None)
    run_id = kwargs.pop("run_id", None)
    notices.ignored("Experiment.start_logging", kwargs)
    properties: dict[str, str] = {}
    snapshot_id = None
    if outputs:
        argument.path(outputs, "outputs")
    if folder is not None:
        folder = argument.path(folder, "snapshot_directory")
        snapshot_id = take_snapshot_or_warn(folder, experiment.workspace.workspace_id)
        properties.update(git.properties(folder))
    # Inside a submitted run the new one is its child: the run's token may change no other run, and
    # its runner ships what both log.
    inside = own_id()
    record = create(
        experiment,
        run_id=run_id,
        display_name=name,
        parent_run_id=inside,
        properties=properties,
        snapshot_id=snapshot_id,
    )
    run = of_record(experiment.workspace, record, experiment)
    life = Life(outputs or None, asked=outputs is not None, child=inside is not None)
    run.begin_life(life, run_spool.of_run(run.id))
    return run


def start_child(parent: Run, name: str | None, run_id: str | None, outputs: Any) -> Run:
    """Start a child, Running at once, that logs to its parent's spool."""
    from zaffre.sdk import run_spool
    from zaffre.sdk.run import of_record

    if outputs:
        argument.path(outputs, "outputs")
    record = create(parent.experiment, run_id=run_id, display_name=name, parent_run_id=parent.id)
    run = of_record(parent.experiment.workspace, record, parent.experiment)
    life = Life(outputs or None, asked=True, child=True)
    run.begin_life(life, parent.spool or run_spool.of_run(parent.id))
    return run


def create(
    experiment: Experiment,
    *,
    run_id: str | None,
    display_name: str | None = None,
    parent_run_id: str | None = None,
    properties: dict[str, str] | None = None,
    snapshot_id: str | None = None,
) -> dict[str, Any]:
    """Record a run that is Running at once; return the server's record."""
    request = request_of(run_id, "Running", display_name=display_name, parent_run_id=parent_run_id)
    request["properties"] = dict(properties or {})
    if snapshot_id is not None:
        request["snapshot_id"] = snapshot_id
        request["properties"]["ContentSnapshotId"] = snapshot_id
    return session.current().request("POST", f"/experiments/{experiment.id}/runs", json=request)


def create_children(parent: Run, count: Any, tag_key: str | None, tag_values: Any) -> list[Run]:
    """Record children that are NotStarted, all by one request.

    Raises UserErrorException unless either `count`, or `tag_key` and `tag_values` are given.
    """
    from zaffre.sdk import labels
    from zaffre.sdk.run import of_record

    if count is not None and (tag_key is not None or tag_values is not None):
        raise UserErrorException(
            "create_children: give count, or tag_key and tag_values, not both."
        )
    if count is not None:
        if not isinstance(count, int) or count < 0:
            raise UserErrorException(
                f"create_children: count must be a whole number, not {count!r}."
            )
        key, values = "azureml.batch_child_number", [str(number) for number in range(count)]
    elif tag_key is None or tag_values is None:
        raise UserErrorException("create_children: give count, or both tag_key and tag_values.")
    else:
        key, values = tag_key, argument.items(tag_values, "tag_values")
    requests: list[dict[str, Any]] = []
    for value in values:
        request = request_of(None, "NotStarted", parent_run_id=parent.id)
        request["tags"] = labels.convert({key: value}, "tag")
        requests.append(request)
    experiment = parent.experiment
    children: list[Run] = []
    for start_at in range(0, len(requests), _BATCH):
        answer = session.current().request(
            "POST",
            f"/experiments/{experiment.id}/runs/batch",
            json={"items": requests[start_at : start_at + _BATCH]},
        )
        for record in answer["items"]:
            child = of_record(experiment.workspace, record, experiment)
            child.begin_life(Life(None, asked=True, child=True), parent.spool)
            children.append(child)
    return children


_BATCH = 500


def request_of(
    run_id: str | None,
    state: str,
    *,
    display_name: str | None = None,
    parent_run_id: str | None = None,
) -> dict[str, Any]:
    """Return the body of a request for a run; repeating the request makes no second run.

    Raises UserErrorException for an id that cannot be.
    """
    import uuid

    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        checked = str(uuid.uuid4()) if run_id is None else names.run_id(run_id)
    except Invalid as problem:
        raise UserErrorException(problem.message) from problem
    return {
        "run_id": checked,
        "idempotency_key": uuid.uuid4().hex,
        "state": state,
        "display_name": display_name,
        "parent_run_id": parent_run_id,
    }


def take_snapshot_or_warn(folder: str, workspace_id: str) -> str | None:
    """Take the snapshot of an interactive run; when that cannot be, warn why and return None."""
    from zaffre.sdk import snapshot

    try:
        source = snapshot.find_files(folder, files_max=SNAPSHOT_MAX_FILES)
        size = source.size_bytes
        if source.truncated or size > snapshot.limit_bytes():
            _warn(
                f"{len(source.files):,}{' or more' if source.truncated else ''} files of "
                f"{size / (1 << 20):,.1f} MB are too much; the largest: "
                f"{', '.join(snapshot.largest(source))}. List what is not source code in "
                f"{os.path.join(folder, '.amlignore')}, or pass snapshot_directory=None"
            )
            return None
        snapshot.warn_of_skipped(source)
        return snapshot.send(source, session.current(), workspace_id).snapshot_id
    except (OSError, AzureMLException) as problem:
        _warn(str(problem.message if isinstance(problem, AzureMLException) else problem))
        return None


def _warn(why: str) -> None:
    warnings.warn(f"The run starts, but no snapshot was taken: {why.rstrip('.')}.", stacklevel=5)


def _say(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")
