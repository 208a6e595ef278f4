"""ScriptRunConfig, RunConfiguration, CondaDependencies and Environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.sdk.keyword_tables.table import ANY, SET, SURFACE, Bench, Keyword, Table, made

from zaffre.sdk.conda_dependencies import CondaDependencies
from zaffre.sdk.container_registry import ContainerRegistry
from zaffre.sdk.distributed_configuration import MpiConfiguration
from zaffre.sdk.docker_configuration import DockerConfiguration
from zaffre.sdk.environment import Environment
from zaffre.sdk.environment_sections import DockerBuildContext
from zaffre.sdk.exceptions import RunConfigurationException
from zaffre.sdk.run_configuration import RunConfiguration
from zaffre.sdk.script_run_config import ScriptRunConfig

_PACKAGE = Keyword("pandas", 5)
_CORE = Keyword("gpu", "tpu")


def _saved(bench: Bench) -> str:
    RunConfiguration().save(str(bench.folder), "saved")
    return str(bench.folder)


def _deletable(bench: Bench) -> str:
    RunConfiguration().save(str(bench.folder), "saved.runconfig")
    return str(bench.folder)


def _conda_file(bench: Bench) -> str:
    return str(
        bench.file("conda.yml", "name: e\ndependencies:\n- python=3.8\n- pip:\n  - pandas\n")
    )


def _requirements(bench: Bench) -> str:
    return str(bench.file("requirements.txt", "pandas\n"))


def _environment_folder(bench: Bench) -> str:
    Environment("e").save_to_directory(str(bench.folder / "saved"))
    return str(bench.folder / "saved")


SCRIPT_RUN_CONFIG = Table(
    of=ScriptRunConfig,
    v1="azureml.core.script_run_config.ScriptRunConfig",
    owner=lambda _: ScriptRunConfig("."),
    attributes={
        "identity": str,
        **dict.fromkeys(("arguments", "command", "run_config", "script"), SET),
        "source_directory": SET,
    },
    methods={
        # What can be looked at when it is submitted only is refused there: test_script_run_config.
        "__init__": {
            "source_directory": Keyword(".", ANY),
            "script": Keyword("train.py", ANY),
            "arguments": Keyword(["--x", 1], ANY),
            "run_config": Keyword(RunConfiguration(), ANY),
            "_telemetry_values": Keyword(None, ANY),
            "compute_target": Keyword("local", ANY),
            "environment": Keyword(Environment("e"), "e"),
            "distributed_job_config": Keyword(MpiConfiguration(), "Mpi", RunConfigurationException),
            "resume_from": Keyword(None, ANY),
            "max_run_duration_seconds": Keyword(60, ANY),
            "command": Keyword(["echo"], ANY),
            "docker_runtime_config": Keyword(DockerConfiguration(), ANY),
        }
    },
)

RUN_CONFIGURATION = Table(
    of=RunConfiguration,
    v1="azureml.core.runconfig.RunConfiguration",
    owner=lambda _: RunConfiguration(),
    attributes={
        "target": str,
        **dict.fromkeys(SURFACE["azureml.core.runconfig.RunConfiguration"]["attrs"], SET),
        "environment_variables": SET,
        "auto_prepare_environment": bool,
    },
    methods={
        "__init__": {
            "script": Keyword("train.py", ANY),
            "arguments": Keyword(["--x"], ANY),
            "framework": Keyword("PySpark", ANY),
            "communicator": Keyword("OpenMpi", ANY),
            "conda_dependencies": Keyword(CondaDependencies(), "pandas"),
            "_history_enabled": Keyword(True, ANY),
            "_path": Keyword("p", ANY),
            "_name": Keyword("n", ANY),
            "command": Keyword("echo", ANY),
        },
        "save": {
            "path": Keyword(made(lambda bench: str(bench.folder)), 5, needs=("name",)),
            "name": Keyword("saved", None),
            "separate_environment_yaml": Keyword(True, ANY, needs=("name",)),
        },
        "load": {
            "path": Keyword(made(_saved), "/absent", needs=("name",)),
            "name": Keyword("saved", "absent"),
        },
        "delete": {
            "path": Keyword(made(_deletable), "/absent"),
            "name": Keyword("saved", "absent"),
        },
    },
)

CONDA = Table(
    of=CondaDependencies,
    v1="azureml.core.conda_dependencies.CondaDependencies",
    owner=lambda _: CondaDependencies(),
    attributes=dict.fromkeys(
        ("conda_channels", "conda_packages", "pip_packages", "pip_options"), Iterator
    ),
    methods={
        "__init__": {
            "conda_dependencies_file_path": Keyword(made(_conda_file), "absent.yml", Exception),
            "_underlying_structure": Keyword({"name": "e", "dependencies": []}, ANY),
        },
        "create": {
            "pip_indexurl": Keyword("https://index", ANY),
            "pip_packages": Keyword(["pandas"], 5),
            "conda_packages": Keyword(["scikit-learn"], 5),
            "python_version": Keyword("3.8", ANY),
            "pin_sdk_version": Keyword(False, ANY),
        },
        "merge_requirements": {"requirements": Keyword(["a", "a==1"], 5)},
        "sdk_origin_url": {},
        "set_pip_index_url": {"index_url": Keyword("--index-url https://i", "https://i")},
        "get_default_number_of_packages": {},
        "get_python_version": {},
        "set_python_version": {"version": Keyword("3.8", ANY)},
        "add_channel": {"channel": Keyword("conda-forge", 5)},
        "remove_channel": {"channel": Keyword("conda-forge", ANY)},
        "add_conda_package": {"conda_package": _PACKAGE},
        "remove_conda_package": {"conda_package": Keyword("pandas", ANY)},
        "add_pip_package": {"pip_package": _PACKAGE},
        "set_pip_option": {"pip_option": Keyword("--pre", 5)},
        "remove_pip_option": {"pip_option": Keyword("--pre", ANY)},
        "remove_pip_package": {"pip_package": Keyword("pandas", ANY)},
        "set_pip_requirements": {"pip_requirements": Keyword(["pandas"], 5)},
        "add_cntk_package": {"core_type": _CORE},
        "add_tensorflow_pip_package": {"core_type": _CORE, "version": Keyword("1.13", ANY)},
        "add_tensorflow_conda_package": {"core_type": _CORE, "version": Keyword("1.13", ANY)},
        "save_to_file": {
            "base_directory": Keyword(
                made(lambda bench: str(bench.folder)), 5, needs=("conda_file_path",)
            ),
            "conda_file_path": Keyword("conda.yml", 5),
        },
        "save": {"path": Keyword(made(lambda bench: str(bench.folder / "c.yml")), 5)},
        "serialize_to_string": {},
        "as_dict": {},
    },
)

_NAME = Keyword("e", 5)
_OF_DOCKER = {
    "conda_specification": Keyword(made(_conda_file), "absent.yml", Exception),
    "pip_requirements": Keyword(made(_requirements), "absent.txt", Exception),
}
_LATER = frozenset(
    {
        "register",
        "label",
        "get",
        "list",
        "build",
        "build_local",
        "add_private_pip_wheel",
        "get_image_details",
        # Needs conda: test_environment has it.
        "from_existing_conda_environment",
    }
)

ENVIRONMENT = Table(
    of=Environment,
    v1="azureml.core.environment.Environment",
    owner=lambda _: Environment("e"),
    attributes={
        **dict.fromkeys(SURFACE["azureml.core.environment.Environment"]["attrs"], SET),
        "environment_variables": SET,
    },
    later=_LATER,
    methods={
        "__init__": {"name": _NAME},
        "clone": {"new_name": Keyword("f", 5)},
        "from_dockerfile": {
            "name": _NAME,
            "dockerfile": Keyword("FROM ubuntu", 5),
            **_OF_DOCKER,
        },
        "from_docker_image": {
            "name": _NAME,
            "image": Keyword("ubuntu", 5),
            "container_registry": Keyword(ContainerRegistry(), 5),
            **_OF_DOCKER,
        },
        "from_docker_build_context": {
            "name": _NAME,
            "docker_build_context": Keyword(DockerBuildContext(), 5),
        },
        "from_conda_specification": {
            "name": _NAME,
            "file_path": Keyword(made(_conda_file), "absent.yml", Exception),
        },
        "from_pip_requirements": {
            "name": _NAME,
            "file_path": Keyword(made(_requirements), "absent.txt", Exception),
            "pip_version": Keyword("20.0", ANY),
        },
        "save_to_directory": {
            "path": Keyword(made(lambda bench: str(bench.folder / "to")), 5),
            "overwrite": Keyword(True, ANY),
        },
        "load_from_directory": {
            "path": Keyword(made(_environment_folder), str(Path("absent")), Exception)
        },
    },
)

TABLES = [SCRIPT_RUN_CONFIG, RUN_CONFIGURATION, CONDA, ENVIRONMENT]
