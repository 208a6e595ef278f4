"""From v1's mutable configuration objects to one frozen request: `experiment.submit`.

Everything that the configuration says is read here, once, and checked here; later changes of the
objects count for the next submit. What is wrong is said before anything is sent.
"""

from __future__ import annotations

import os

from zaffre.sdk import dataset_inputs, run_inputs
from zaffre.sdk.exceptions import (
    AzureMLException,
    ExperimentExecutionException,
    NotBuiltYetException,
    ServiceException,
    UserErrorException,
)
from zaffre.sdk.section import as_dict, as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.contract.run import RunSpec
    from zaffre.contract.run_input import RunInput
    from zaffre.contract.snapshot import Snapshot
    from zaffre.sdk.environment import Environment
    from zaffre.sdk.experiment import Experiment
    from zaffre.sdk.run import Run
    from zaffre.sdk.run_configuration import RunConfiguration

#: A variable of a run's own that switches off its PID namespace (inside one, sudo, rootless
#: containers and ssh's ownership checks fail).
ISOLATION_VARIABLE = "ZAFFRE_ISOLATED"
RUN_TYPE = "azureml.scriptrun"
_LATER = (
    "AutoMLConfig",
    "HyperDriveConfig",
    "HyperDriveRunConfig",
    "Pipeline",
    "PipelineEndpoint",
    "PublishedPipeline",
)


class Plan:
    """A configuration as it was at `submit`; where it says the same twice, which one counts."""

    def __init__(
        self,
        source_directory: Any,
        script: Any,
        arguments: Any,
        command: Any,
        run_config: RunConfiguration,
        inputs: list[Any],
        resume_from: Any,
    ) -> None:
        self.run_config = run_config
        self.folder = _folder(source_directory)
        self.target = _target(run_config.target)
        self.command = _command(command)
        self.script = _script(self.folder, script, self.command)
        self.arguments = argument_texts(arguments)
        self.max_duration_s = _duration(run_config.max_run_duration_seconds)
        self.inputs = run_inputs.of_configuration(run_config, arguments, inputs)
        self.datasets = dataset_inputs.of_configuration(run_config, arguments, inputs)
        _refuse_what_comes_later(run_config, resume_from)


def submit(
    experiment: Experiment,
    config: Any,
    tags: dict[str, Any] | None = None,
    run_id: str | None = None,
    show_output: bool = False,
    parent_run_id: str | None = None,
    **kwargs: Any,
) -> Run:
    """Submit a configuration and return its run, which goes on without this process.

    Raises FileNotFoundError without the folder, ExperimentExecutionException for a script or a
    target that is not there, AzureMLException for what is no configuration at all.
    """
    from zaffre.contract import wire
    from zaffre.contract.run import RunRequest, RunState
    from zaffre.sdk import git, notices, session, snapshot, submitter
    from zaffre.sdk.run import Run

    plan = plan_of(config)
    tag_texts = _labels(tags)
    run_id = _run_id(run_id) if run_id is not None else new_run_id(experiment.name)
    notices.ignored("Experiment.submit", kwargs)
    environment = plan.run_config.environment
    python = submitter.interpreter(environment)
    variables, isolated = _variables(environment, plan.run_config)
    _tell(plan.run_config)
    lacks = submitter.tell_of_packages(environment, python)
    datasets = [one.run_input(experiment.workspace) for one in plan.datasets]
    taken = snapshot.take(plan.folder, session.current(), experiment.workspace.workspace_id)
    _check_sent(plan, taken)
    request = RunRequest(
        run_id=run_id,
        idempotency_key=os.urandom(16).hex(),
        state=RunState.QUEUED,
        type=RUN_TYPE,
        parent_run_id=parent_run_id,
        target=plan.target,
        tags=tag_texts,
        properties={
            "ContentSnapshotId": taken.snapshot_id,
            "_azureml.ComputeTargetType": "local",
            **git.properties(plan.folder),
        },
        snapshot_id=taken.snapshot_id,
        spec=_spec(plan, python, taken, variables, datasets, isolated=isolated),
        process_environment=submitter.process_environment(os.environ),
        warnings=() if lacks is None else (lacks[:2000],),
    )
    path, body = f"/experiments/{experiment.id}/runs", wire.encode(request)
    try:
        answer = session.current().request("POST", path, json=body)
    except ServiceException as refusal:
        if refusal.code != "snapshot.not_found":
            raise
        # Garbage was collected by force since this process sent it.
        session.current().snapshots.clear()
        snapshot.take(plan.folder, session.current(), experiment.workspace.workspace_id)
        answer = session.current().request("POST", path, json=body)
    run = Run.of_record(experiment, answer)
    if show_output:
        run.wait_for_completion(show_output=True)
    return run


def plan_of(config: Any) -> Plan:
    """Read out a configuration; AzureMLException for what is none."""
    from zaffre.sdk.estimator import MMLBaseEstimator
    from zaffre.sdk.script_run_config import ScriptRunConfig, get_run_config_from_script_run

    if isinstance(config, ScriptRunConfig):
        run_config = get_run_config_from_script_run(config)
        source_directory, inputs, resume_from = config.source_directory, [], config.resume_from
    elif isinstance(config, MMLBaseEstimator):
        run_config = config.run_config
        source_directory = config.source_directory
        inputs, resume_from = config.inputs, config.resume_from
    elif type(config).__name__ in _LATER:
        raise NotBuiltYetException(f"Submitting a {type(config).__name__}")
    else:
        raise AzureMLException(
            f"The method to be submitted has not been registered: {type(config).__name__} cannot "
            "be submitted. Submit a ScriptRunConfig or an Estimator."
        )
    return Plan(
        source_directory,
        run_config.script,
        run_config.arguments,
        run_config.command,
        run_config,
        inputs,
        resume_from,
    )


def new_run_id(experiment_name: str) -> str:
    """Return v1's id of a script's run: EXPERIMENT_<unix seconds>_<8 hex digits>."""
    import time

    return f"{experiment_name}_{int(time.time())}_{os.urandom(4).hex()}"


def argument_texts(arguments: Any) -> list[str]:
    """Return arguments as command-line strings: `str` of each; one text is cut as a shell cuts."""
    if arguments is None:
        return []
    if isinstance(arguments, str):
        import shlex

        return shlex.split(arguments)
    if not isinstance(arguments, (list, tuple)):
        raise UserErrorException(
            f"arguments: must be a list such as ['--rate', 0.1], not {type(arguments).__name__}."
        )
    texts: list[str] = []
    for position, argument in enumerate(as_list(arguments)):
        text = str(argument)
        if "\0" in text:
            raise UserErrorException(f"arguments[{position}]: a NUL character cannot be passed.")
        texts.append(text)
    return texts


def _folder(source_directory: Any) -> str:
    try:
        folder = os.fspath(source_directory)
    except TypeError:
        raise UserErrorException(
            f"source_directory: must be the path of a folder, not {source_directory!r}."
        ) from None
    if not os.path.isdir(folder):
        what = "is a file" if os.path.isfile(folder) else "is not there"
        raise FileNotFoundError(
            f"source_directory: {folder!r} {what} (looked up from {os.getcwd()}); "
            "it must be the folder of the script."
        )
    return folder


def _target(target: Any) -> str:
    if target in (None, "local"):
        return "local"
    raise ExperimentExecutionException(
        f"Unable to find compute target {target!r}: this workspace has 'local' only, the machine "
        "that submits. Pass compute_target='local'."
    )


def _command(command: Any) -> str | None:
    """Return a command as one shell line: a list is joined by blanks without quoting, as in v1."""
    if isinstance(command, (list, tuple)):
        command = " ".join(str(part) for part in as_list(command))
    if command is None or command == "":
        return None
    if not isinstance(command, str):
        raise UserErrorException(f"command: must be a list or text, not {type(command).__name__}.")
    if "\0" in command:
        raise UserErrorException("command: a NUL character cannot be passed.")
    return command


def _script(folder: str, script: Any, command: str | None) -> str | None:
    """Return the script's path below the folder, checked; None with a command."""
    if not script:
        if command is None:
            raise ExperimentExecutionException(
                f"There is nothing to run in {folder}: give a script or a command."
            )
        return None
    if command is not None:
        raise ExperimentExecutionException(
            f"Both script ({script!r}) and command are given; only one of them can be run."
        )
    path = os.fspath(script)
    if not os.path.exists(os.path.join(folder, path)):
        path = path.replace("\\", "/")
    full_path = os.path.join(folder, path)
    root = os.path.abspath(folder)
    inside = os.path.relpath(os.path.abspath(full_path), root)
    if inside == os.pardir or inside.startswith(os.pardir + os.sep):
        raise ExperimentExecutionException(
            f"{full_path} is outside of {folder}. The script should be inside the project folder, "
            "which is all that is sent."
        )
    if not os.path.isfile(full_path):
        raise ExperimentExecutionException(
            f"{full_path} script path doesn't exist. The script should be inside the project folder"
        )
    return inside.replace(os.sep, "/")


def _check_sent(plan: Plan, taken: Snapshot) -> None:
    if plan.script is not None and all(file.name != plan.script for file in taken.files):
        raise ExperimentExecutionException(
            f"{plan.script} is in {plan.folder} but not in its snapshot: .amlignore, .gitignore "
            "or the rules for caches and virtual environments leave it out, or it is a link out "
            "of the folder."
        )


def _duration(seconds: Any) -> int | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 1:
        raise UserErrorException(
            f"max_run_duration_seconds: must be a number of seconds from 1 on, not {seconds!r}."
        )
    return int(seconds)


def _refuse_what_comes_later(run_config: RunConfiguration, resume_from: Any) -> None:
    if run_config.node_count != 1:
        raise NotBuiltYetException(f"A run on several nodes (node_count={run_config.node_count})")
    distributed = str(run_config.communicator) not in ("None", "")
    processes = 1
    if distributed and run_config.framework == "PyTorch":
        processes = run_config.pytorch.process_count or 1
    elif distributed and run_config.framework == "Python":
        processes = run_config.mpi.process_count_per_node
    elif run_config.communicator == "ParameterServer":
        processes = (
            run_config.tensorflow.worker_count + run_config.tensorflow.parameter_server_count
        )
    if processes != 1:
        raise NotBuiltYetException(f"A run of {processes} processes (distributed_job_config)")
    if run_config.framework == "PySpark":
        raise NotBuiltYetException("framework='PySpark'")
    for name, value in (
        ("output_data", run_config.output_data),
        ("datacaches", run_config.datacaches),
        ("resume_from", resume_from),
        ("services", run_config.services),
        ("source_directory_data_store", run_config.source_directory_data_store),
    ):
        if value:
            raise NotBuiltYetException(f"A run with {name}")


def _tell(run_config: RunConfiguration) -> None:
    """Say once, by name, which settings change nothing on `local`."""
    from zaffre.sdk import notices

    if run_config.environment.docker.enabled:
        notices.once(
            "docker.enabled: runs on 'local' are processes of this machine, without a container."
        )
    if run_config.priority is not None:
        notices.once("priority: runs on 'local' start in the order in which they are submitted.")
    if run_config.credential_passthrough:
        notices.once("credential_passthrough changes nothing: runs on 'local' are the user's own.")


def _variables(
    environment: Environment, run_config: RunConfiguration
) -> tuple[dict[str, str], bool]:
    """Return the variables that the configuration asks for, and whether the run is isolated."""
    variables: dict[str, str] = {}
    for where, given in (
        ("environment.environment_variables", environment.environment_variables),
        ("environment_variables", run_config.environment_variables),
    ):
        if given is not None and not _is_dict(given):
            raise UserErrorException(f"{where}: must be a dict such as {{'NAME': 'value'}}.")
        for name, value in as_dict(given or {}).items():
            text = "" if value is None else str(value)
            if not isinstance(name, str) or not name or "=" in name or "\0" in name + text:
                raise UserErrorException(f"{where}: {name!r} cannot be set as a variable.")
            variables[name] = text
    isolated = variables.pop(ISOLATION_VARIABLE, "1").lower() not in ("0", "false", "no")
    return variables, isolated


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _spec(
    plan: Plan,
    python: str,
    taken: Snapshot,
    variables: dict[str, str],
    datasets: list[tuple[RunInput, dict[str, Any]]],
    *,
    isolated: bool,
) -> RunSpec:
    from zaffre.contract.run import RunSpec
    from zaffre.sdk.run_definition import run_definition

    return RunSpec(
        target=plan.target,
        interpreter=python,
        script=plan.script,
        command=plan.command,
        arguments=tuple(plan.arguments),
        snapshot_id=taken.snapshot_id,
        environment_variables=variables,
        max_duration_s=plan.max_duration_s,
        isolated=isolated,
        inputs=(*plan.inputs, *(made for made, _ in datasets)),
        definition={
            **run_definition(
                plan.run_config,
                script=plan.script,
                command=plan.command,
                arguments=plan.arguments,
                max_duration_s=plan.max_duration_s,
            ),
            "data": {made.name: told for made, told in datasets},
        },
    )


def _run_id(run_id: Any) -> str:
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return names.run_id(run_id)
    except Invalid as problem:
        raise UserErrorException(problem.message) from problem


def _labels(tags: Any) -> dict[str, str | None]:
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return names.label({} if tags is None else tags, "tags")
    except Invalid as problem:
        raise UserErrorException(problem.message) from problem
