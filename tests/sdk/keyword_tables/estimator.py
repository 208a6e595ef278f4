"""The estimators, and how they distribute."""

from __future__ import annotations

from typing import Any

from tests.sdk.keyword_tables.table import ANY, SET, Bench, Keyword, Table, made

from zaffre.sdk.conda_dependencies import CondaDependencies
from zaffre.sdk.container_registry import ContainerRegistry
from zaffre.sdk.distributed_training import Gloo, Mpi, Nccl, ParameterServer
from zaffre.sdk.dnn import Chainer, PyTorch, TensorFlow
from zaffre.sdk.environment import Environment
from zaffre.sdk.estimator import Estimator, MMLBaseEstimator
from zaffre.sdk.exceptions import TrainingException
from zaffre.sdk.run_configuration import RunConfiguration
from zaffre.sdk.sklearn import SKLearn


def _conda_file(bench: Bench) -> str:
    bench.file("conda.yml", "name: e\ndependencies:\n- python=3.8\n")
    return "conda.yml"


def _requirements(bench: Bench) -> str:
    bench.file("requirements.txt", "pandas\n")
    return "requirements.txt"


_COMMON = {
    "source_directory": Keyword(
        made(lambda bench: str(bench.folder)), ANY, needs=("compute_target",)
    ),
    "compute_target": Keyword("local", None, TrainingException),
    "vm_size": Keyword("STANDARD_D2_V2", ANY, needs=("compute_target",)),
    "vm_priority": Keyword("lowpriority", ANY, needs=("compute_target",)),
    "entry_script": Keyword("train.py", ANY, needs=("compute_target",)),
    "script_params": Keyword(
        {"--a": 1, "--flag": ""}, ["--a"], AttributeError, needs=("compute_target",)
    ),
    "use_docker": Keyword(False, ANY, needs=("compute_target",)),
    "custom_docker_image": Keyword("ubuntu", ANY, needs=("compute_target",)),
    "image_registry_details": Keyword(ContainerRegistry(), ANY, needs=("compute_target",)),
    "user_managed": Keyword(True, ANY, needs=("compute_target",)),
    "conda_packages": Keyword(["pandas"], 5, Exception, needs=("compute_target",)),
    "pip_packages": Keyword(["pandas"], 5, Exception, needs=("compute_target",)),
    "conda_dependencies_file_path": Keyword(
        made(_conda_file), "absent.yml", Exception, needs=("compute_target",)
    ),
    "pip_requirements_file_path": Keyword(
        made(_requirements), "absent.txt", Exception, needs=("compute_target",)
    ),
    "conda_dependencies_file": Keyword(
        made(_conda_file), "absent.yml", Exception, needs=("compute_target",)
    ),
    "pip_requirements_file": Keyword(
        made(_requirements), "absent.txt", Exception, needs=("compute_target",)
    ),
    "environment_variables": Keyword({"A": "1"}, ANY, needs=("compute_target",)),
    "environment_definition": Keyword(Environment("e"), ANY, needs=("compute_target",)),
    "inputs": Keyword([], ANY, needs=("compute_target",)),
    "shm_size": Keyword("1g", ANY, needs=("compute_target",)),
    "resume_from": Keyword(None, ANY, needs=("compute_target",)),
    "max_run_duration_seconds": Keyword(60, ANY, needs=("compute_target",)),
    "_disable_validation": Keyword(True, ANY, needs=("compute_target",)),
    "_show_lint_warnings": Keyword(False, ANY, needs=("compute_target",)),
    "_show_package_warnings": Keyword(False, ANY, needs=("compute_target",)),
}
# One node, one process: what is distributed needs a cluster (compute targets of a later release).
_DISTRIBUTED = {
    "node_count": Keyword(1, 2, TrainingException, needs=("compute_target",)),
    "process_count_per_node": Keyword(1, 2, TrainingException, needs=("compute_target",)),
    "distributed_backend": Keyword(None, "mpi", TrainingException, needs=("compute_target",)),
    "distributed_training": Keyword(None, Mpi(), TrainingException, needs=("compute_target",)),
    "use_gpu": Keyword(True, ANY, needs=("compute_target",)),
    "custom_docker_base_image": Keyword("ubuntu", ANY, needs=("compute_target",)),
    "source_directory_data_store": Keyword(None, ANY, needs=("compute_target",)),
}


def _framework(versions: str) -> dict[str, Keyword]:
    return {
        "framework_version": Keyword(versions, "0.1", TrainingException, needs=("compute_target",)),
        "_enable_optimized_mode": Keyword(False, ANY, needs=("compute_target",)),
    }


_ATTRIBUTES = {
    "run_config": RunConfiguration,
    "source_directory": str,
    "conda_dependencies": CondaDependencies,
}
_FRAMEWORK_ATTRIBUTES = {**_ATTRIBUTES, "framework_version": str}


def _table(
    of: type,
    v1: str,
    init: dict[str, Keyword],
    attributes: dict[str, Any] | None = None,
    **methods: Any,
) -> Table:
    return Table(
        of=of,
        v1=v1,
        owner=lambda bench: of(str(bench.folder), compute_target="local"),
        attributes=attributes or {},
        methods={"__init__": init, **methods},
    )


_VERSIONS: dict[str, Keyword] = {}
_SERVERS = {
    "worker_count": Keyword(1, ANY, needs=("compute_target",)),
    "parameter_server_count": Keyword(1, ANY, needs=("compute_target",)),
}

TABLES = [
    _table(
        Estimator,
        "azureml.train.estimator._estimator.Estimator",
        {**_COMMON, **_DISTRIBUTED},
        _ATTRIBUTES,
    ),
    _table(
        SKLearn,
        "azureml.train.sklearn.SKLearn",
        {**_COMMON, **_framework("0.20.3")},
        _FRAMEWORK_ATTRIBUTES,
        get_supported_versions=_VERSIONS,
    ),
    _table(
        PyTorch,
        "azureml.train.dnn._pytorch.PyTorch",
        {**_COMMON, **_DISTRIBUTED, **_framework("1.4")},
        _FRAMEWORK_ATTRIBUTES,
        get_supported_versions=_VERSIONS,
    ),
    _table(
        TensorFlow,
        "azureml.train.dnn._tensorflow.TensorFlow",
        {**_COMMON, **_DISTRIBUTED, **_SERVERS, **_framework("1.13")},
        _FRAMEWORK_ATTRIBUTES,
        get_supported_versions=_VERSIONS,
    ),
    _table(
        Chainer,
        "azureml.train.dnn._chainer.Chainer",
        {**_COMMON, **_DISTRIBUTED, **_framework("5.1.0")},
        _FRAMEWORK_ATTRIBUTES,
        get_supported_versions=_VERSIONS,
    ),
    _table(
        MMLBaseEstimator,
        "azureml.train.estimator._mml_base_estimator.MMLBaseEstimator",
        {
            "source_directory": Keyword(".", ANY),
            "compute_target": Keyword("local", ANY),
            "estimator_config": Keyword(None, ANY),
        },
        _ATTRIBUTES,
    ),
    *(
        Table(
            of=of,
            v1=f"azureml.train._distributed_training.{of.__name__}",
            owner=lambda _, of=of: of(),
            attributes=dict.fromkeys(init, SET),
            methods={
                "__init__": init,
                "validate": {
                    "estimator_name": Keyword(
                        estimator, ANY if of is Mpi else "SKLearn", TrainingException
                    )
                },
            },
        )
        for of, estimator, init in (
            (Mpi, "Chainer", {"process_count_per_node": Keyword(2, ANY)}),
            (
                ParameterServer,
                "TensorFlow",
                {"worker_count": Keyword(2, ANY), "parameter_server_count": Keyword(2, ANY)},
            ),
            (Gloo, "PyTorch", {}),
            (Nccl, "PyTorch", {}),
        )
    ),
]
