"""The estimators: how their keywords become a run configuration, and which exclude each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zaffre.sdk.distributed_training import Mpi, Nccl, ParameterServer
from zaffre.sdk.dnn import Chainer, PyTorch, TensorFlow
from zaffre.sdk.environment import Environment
from zaffre.sdk.estimator import Estimator, MMLBaseEstimator
from zaffre.sdk.estimator_configuration import arguments_of
from zaffre.sdk.exceptions import TrainingException
from zaffre.sdk.run_configuration import RunConfiguration
from zaffre.sdk.sklearn import SKLearn


def packages(estimator: MMLBaseEstimator) -> list[Any]:
    assert estimator.conda_dependencies is not None
    return estimator.conda_dependencies.as_dict()["dependencies"]


def test_script_params_become_arguments_with_their_types() -> None:
    params = {"--a": 1, "--flag": "", "--n": None, "--s": "x y", "--zero": 0, "--no": False}
    assert arguments_of(params) == [
        "--a", 1, "--flag", "--n", "--s", "x y", "--zero", 0, "--no", False,
    ]  # fmt: skip
    with pytest.raises(AttributeError, match="script_params: must be a dict"):
        Estimator(".", compute_target="local", script_params=["--a"])  # type: ignore[arg-type]


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.floats()))
def test_keys_stay_in_order_and_each_value_follows_its_key(params: dict[str, Any]) -> None:
    arguments = arguments_of(params)
    expected: list[Any] = []
    for key, value in params.items():
        expected += [key] if value in (None, "") else [key, value]
    assert len(arguments) == len(expected)
    assert all(one is other for one, other in zip(arguments, expected, strict=True))


def test_an_estimator_says_that_it_is_deprecated_and_is_a_run_configuration(
    caplog: pytest.LogCaptureFixture,
) -> None:
    estimator = Estimator(
        "folder", compute_target="local", entry_script="t.py", conda_packages=["scikit-learn"]
    )
    assert "'Estimator' is deprecated. Please use 'ScriptRunConfig'" in caplog.text
    assert estimator.source_directory == "folder"
    assert isinstance(estimator.run_config, RunConfiguration)
    assert estimator.run_config.script == "t.py"
    assert estimator.run_config.environment.name == "default-environment"
    assert estimator.run_config.docker.use_docker is True
    assert packages(estimator) == ["python=3.8.13", {"pip": ["azureml-defaults"]}, "scikit-learn"]


def test_without_a_target_there_is_no_estimator() -> None:
    with pytest.raises(TrainingException, match="compute_target"):
        Estimator("folder", entry_script="t.py")
    assert Estimator("folder", vm_size="D2").run_config.amlcompute.vm_size == "D2"


def test_packages_come_from_files_and_lists(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text("dependencies:\n- python=3.9\n- numpy\n")
    (tmp_path / "r.txt").write_text("# comment\nb==2\n\nc  # why\n")
    estimator = SKLearn(
        str(tmp_path),
        compute_target="local",
        conda_dependencies_file="c.yml",
        pip_requirements_file_path="r.txt",
        pip_packages=["a"],
    )
    assert packages(estimator) == ["python=3.9", "numpy", {"pip": ["a", "b==2", "c"]}]


def test_sklearn_brings_its_packages_and_knows_one_version() -> None:
    estimator = SKLearn("f", compute_target="local", entry_script="t.py", pip_packages=["pandas"])
    assert packages(estimator) == [
        "python=3.6.2",
        {
            "pip": [
                "azureml-defaults",
                "scikit-learn==0.20.3",
                "scipy==1.2.1",
                "joblib==0.13.2",
                "pandas",
            ]
        },
    ]
    assert estimator.framework_version == "0.20.3"
    assert SKLearn.get_supported_versions() == ["0.20.3"]
    with pytest.raises(TrainingException, match=r"0\.22.*Estimator"):
        SKLearn("f", compute_target="local", framework_version="0.22")
    for keyword in ("use_gpu", "node_count", "distributed_training", "custom_docker_base_image"):
        with pytest.raises(TypeError, match=keyword):
            SKLearn("f", compute_target="local", **{keyword: None})


def test_deep_learning_estimators_bring_theirs() -> None:
    torch = PyTorch("f", compute_target="local", framework_version="1.6", use_gpu=True)
    assert "torch==1.6" in packages(torch)[1]["pip"]
    assert "cuda" in str(torch.run_config.environment.docker.base_image)
    tensorflow = TensorFlow("f", compute_target="local", use_gpu=True)
    assert "tensorflow-gpu==1.13.1" in packages(tensorflow)[1]["pip"]
    assert Chainer("f", compute_target="local").framework_version == "5.1.0"
    assert PyTorch.get_supported_versions()[-1] == "1.6"


def test_an_environment_definition_stands_alone() -> None:
    environment = Environment("e")
    estimator = Estimator("f", compute_target="local", environment_definition=environment)
    assert estimator.run_config.environment is environment
    with pytest.raises(TrainingException, match="pip_packages, shm_size: cannot be given"):
        Estimator(
            "f",
            compute_target="local",
            environment_definition=environment,
            pip_packages=["a"],
            shm_size="4g",
        )


def test_distribution_needs_a_way_and_a_cluster() -> None:
    with pytest.raises(TrainingException, match="distributed_training"):
        Estimator("f", compute_target="cluster", node_count=2)
    with pytest.raises(TrainingException, match="on 'local'"):
        Estimator("f", compute_target="local", distributed_training=Mpi())
    estimator = Estimator("f", compute_target="cluster", node_count=2, distributed_training=Mpi(3))
    assert estimator.run_config.communicator == "IntelMpi"
    assert estimator.run_config.node_count == 2
    assert estimator.run_config.mpi.process_count_per_node == 3
    with pytest.raises(TrainingException, match="Estimator cannot be distributed by Nccl"):
        Estimator("f", compute_target="cluster", distributed_training=Nccl())
    servers = TensorFlow("f", compute_target="c", distributed_training=ParameterServer(2, 1))
    assert servers.run_config.tensorflow.worker_count == 2


def test_an_unknown_keyword_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="entry_scipt"):
        Estimator("f", compute_target="local", entry_scipt="t.py")  # type: ignore[call-arg]


def test_variables_are_added_to_the_defaults() -> None:
    estimator = Estimator("f", compute_target="local", environment_variables={"A": "1"})
    assert estimator.run_config.environment.environment_variables == {
        "EXAMPLE_ENV_VAR": "EXAMPLE_VALUE",
        "A": "1",
    }
