"""ScriptRunConfig and distributed jobs: what the constructor takes, and which argument counts."""

from __future__ import annotations

from typing import Any

import pytest

from zaffre.sdk.distributed_configuration import (
    MpiConfiguration,
    PyTorchConfiguration,
    TensorflowConfiguration,
)
from zaffre.sdk.docker_configuration import DockerConfiguration
from zaffre.sdk.environment import Environment
from zaffre.sdk.exceptions import RunConfigurationException, UserErrorException
from zaffre.sdk.run_configuration import RunConfiguration
from zaffre.sdk.script_run_config import ScriptRunConfig, get_run_config_from_script_run


def test_nothing_is_checked_before_submit() -> None:
    config = ScriptRunConfig("no/such/folder", script="absent.py", command="and this")
    assert config.run_config.target == "local"
    assert config.run_config.max_run_duration_seconds == 2_592_000
    assert config.run_config.environment.name == "default-environment"


def test_settings_of_the_constructor_go_to_the_run_configuration() -> None:
    environment = Environment("e")
    docker = DockerConfiguration(use_docker=True, arguments=["-v"])
    config = ScriptRunConfig(
        ".",
        compute_target="cluster",
        environment=environment,
        max_run_duration_seconds=60,
        docker_runtime_config=docker,
    )
    assert config.run_config.target == "cluster"
    assert config.run_config.environment is environment
    assert config.run_config.max_run_duration_seconds == 60
    assert config.run_config.docker is docker


def test_a_given_run_configuration_beats_five_arguments_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run_config = RunConfiguration()
    config = ScriptRunConfig(
        ".", run_config=run_config, compute_target="cluster", environment=Environment("e")
    )
    assert config.run_config is run_config
    assert run_config.target == "local"
    for name in (
        "compute_target",
        "environment",
        "distributed_job_config",
        "max_run_duration_seconds",
        "docker_runtime_config",
    ):
        assert name in caplog.text
    caplog.clear()
    ScriptRunConfig(".", run_config=run_config)
    assert not caplog.text


def test_an_environment_by_name_is_refused_with_the_way_to_get_one() -> None:
    with pytest.raises(UserErrorException, match=r"Environment\.get"):
        ScriptRunConfig(".", environment="AzureML-Minimal")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("job", "framework", "communicator", "nodes"),
    [
        (MpiConfiguration(2, 3), "Python", "IntelMpi", 3),
        (PyTorchConfiguration(), "PyTorch", "nccl", 1),
        (PyTorchConfiguration("Gloo", 4, 2), "PyTorch", "gloo", 2),
        (TensorflowConfiguration(worker_count=2), "TensorFlow", "ParameterServer", 2),
    ],
)
def test_a_distributed_job_sets_framework_communicator_and_nodes(
    job: Any, framework: str, communicator: str, nodes: int
) -> None:
    run_config = ScriptRunConfig(".", distributed_job_config=job).run_config
    assert (run_config.framework, run_config.communicator) == (framework, communicator)
    assert run_config.node_count == nodes


def test_anything_else_as_a_distributed_job_names_the_three() -> None:
    with pytest.raises(RunConfigurationException) as raised:
        ScriptRunConfig(".", distributed_job_config=object())
    for name in ("MpiConfiguration", "PyTorchConfiguration", "TensorflowConfiguration"):
        assert name in raised.value.message


def test_what_the_config_says_itself_beats_its_run_configuration() -> None:
    run_config = RunConfiguration(script="old.py", arguments=["old"])
    config = ScriptRunConfig(".", script="new.py", arguments=["new"], run_config=run_config)
    merged = get_run_config_from_script_run(config)
    assert (merged.script, merged.arguments) == ("new.py", ["new"])
    assert (run_config.script, run_config.arguments) == ("old.py", ["old"])
    assert get_run_config_from_script_run(ScriptRunConfig(".", run_config=run_config)).script == (
        "old.py"
    )
