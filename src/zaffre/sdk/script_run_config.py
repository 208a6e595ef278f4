"""A script, its folder and its run configuration: what most people submit."""

from __future__ import annotations

from zaffre.sdk.distributed_configuration import (
    MpiConfiguration,
    PyTorchConfiguration,
    TensorflowConfiguration,
)
from zaffre.sdk.exceptions import RunConfigurationException, UserErrorException
from zaffre.sdk.run_configuration import RunConfiguration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.docker_configuration import DockerConfiguration
    from zaffre.sdk.environment import Environment
    from zaffre.sdk.run import Run
    from zaffre.sdk.workspace import Workspace

MAX_DURATION_SECONDS_DEFAULT = 2_592_000


class ScriptRunConfig:
    """What `experiment.submit` runs as a script.

    Nothing is checked here, as in v1: folder and script may be made later, `run_config` may be
    changed at any time, and one object may be submitted often.
    """

    MAX_DURATION_SECONDS_DEFAULT = MAX_DURATION_SECONDS_DEFAULT
    #: v1's separator of nested logger names.
    DELIM = "#"

    def __init__(
        self,
        source_directory: str,
        script: str | None = None,
        arguments: Any = None,
        run_config: RunConfiguration | None = None,
        _telemetry_values: object = None,
        compute_target: Any = None,
        environment: Environment | None = None,
        distributed_job_config: Any = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = MAX_DURATION_SECONDS_DEFAULT,
        command: Any = None,
        docker_runtime_config: DockerConfiguration | None = None,
    ) -> None:
        self.source_directory = source_directory
        self.script = script
        self.arguments: Any = arguments
        self.command: Any = command
        self.resume_from: Any = resume_from
        if run_config is not None:
            self.run_config = run_config
            _say_ignored(
                compute_target=compute_target,
                environment=environment,
                distributed_job_config=distributed_job_config,
                max_run_duration_seconds=None
                if max_run_duration_seconds == MAX_DURATION_SECONDS_DEFAULT
                else max_run_duration_seconds,
                docker_runtime_config=docker_runtime_config,
            )
            return
        configuration = RunConfiguration()
        configuration.target = "local" if compute_target is None else compute_target
        if environment is not None:
            configuration.environment = _checked(environment)
        if distributed_job_config is not None:
            _distribute(configuration, distributed_job_config)
        configuration.max_run_duration_seconds = max_run_duration_seconds
        if docker_runtime_config is not None:
            configuration.docker = docker_runtime_config
        self.run_config = configuration

    @property
    def identity(self) -> str:
        """The name that v1's logs had for this object."""
        return f"{type(self).__name__}{self.DELIM}{id(self):x}"


def get_run_config_from_script_run(script_run_config: ScriptRunConfig) -> RunConfiguration:
    """Return the run configuration with the script, arguments and command of the object."""
    import copy

    configuration = copy.copy(script_run_config.run_config)
    if script_run_config.script is not None:
        configuration.script = script_run_config.script
    if script_run_config.arguments is not None:
        configuration.arguments = script_run_config.arguments
    if script_run_config.command is not None:
        configuration.command = script_run_config.command
    return configuration


def submit(
    script_run_config: ScriptRunConfig,
    workspace: Workspace,
    experiment_name: str,
    run_id: str | None = None,
    _parent_run_id: str | None = None,
    credential_passthrough: bool = False,
) -> Run:
    """Submit to the experiment of that name; `experiment.submit` is the usual way."""
    from zaffre.sdk.experiment import Experiment
    from zaffre.sdk.submit import submit as submit_config

    script_run_config.run_config.credential_passthrough = credential_passthrough
    return submit_config(
        Experiment(workspace, experiment_name),
        script_run_config,
        run_id=run_id,
        parent_run_id=_parent_run_id,
    )


def _say_ignored(**values: Any) -> None:
    """Say, as v1 did, that a given run configuration beats five other arguments."""
    given = [name for name, value in values.items() if value is not None]
    if not given:
        return
    import logging

    logging.getLogger("azureml").warning(
        "If run_config is given, %s of ScriptRunConfig are ignored; given and ignored here: %s. "
        "Set them on run_config instead.",
        ", ".join(values),
        ", ".join(given),
    )


def _checked(environment: Any) -> Environment:
    from zaffre.sdk.environment import Environment

    if isinstance(environment, Environment):
        return environment
    raise UserErrorException(
        f"environment: must be an Environment, not {type(environment).__name__}; "
        "Environment.get(workspace, name) finds one by its name."
    )


def _distribute(configuration: RunConfiguration, job: Any) -> None:
    """Take framework, communicator and node count from a distributed job's configuration."""
    if isinstance(job, MpiConfiguration):
        configuration.framework, configuration.communicator = "Python", "IntelMpi"
        configuration.mpi, configuration.node_count = job, job.node_count
    elif isinstance(job, PyTorchConfiguration):
        configuration.framework = "PyTorch"
        configuration.communicator = (job.communication_backend or "nccl").lower()
        configuration.pytorch, configuration.node_count = job, job.node_count
    elif isinstance(job, TensorflowConfiguration):
        configuration.framework, configuration.communicator = "TensorFlow", "ParameterServer"
        configuration.tensorflow, configuration.node_count = job, job.worker_count
    else:
        raise RunConfigurationException(
            "distributed_job_config: must be a MpiConfiguration, PyTorchConfiguration or "
            f"TensorflowConfiguration, not {type(job).__name__}."
        )
