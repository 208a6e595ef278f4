"""Submitting: what a configuration is turned into, and what is refused before anything is sent."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zaffre.contract import wire
from zaffre.contract.run import RunSpec
from zaffre.sdk import session, submitter
from zaffre.sdk.distributed_configuration import MpiConfiguration, PyTorchConfiguration
from zaffre.sdk.docker_configuration import DockerConfiguration
from zaffre.sdk.environment import Environment
from zaffre.sdk.estimator import Estimator
from zaffre.sdk.exceptions import (
    AzureMLException,
    ExperimentExecutionException,
    NotBuiltYetException,
    UserErrorException,
)
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.notices import IgnoredArgumentWarning
from zaffre.sdk.run import Run
from zaffre.sdk.run_configuration import RunConfiguration
from zaffre.sdk.run_configuration_sections import OutputData
from zaffre.sdk.script_run_config import ScriptRunConfig
from zaffre.sdk.sklearn import SKLearn
from zaffre.sdk.submit import argument_texts, new_run_id, plan_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a script in it and one below."""
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "train.py").write_text("print('trained')\n")
    (source / "sub" / "deep.py").write_text("print('deep')\n")
    (tmp_path / "outside.py").write_text("print('outside')\n")
    return source


@pytest.mark.parametrize(
    ("given_arguments", "texts"),
    [
        (None, []),
        ([], []),
        (["--a", 1, 0.1, True, None, "x y"], ["--a", "1", "0.1", "True", "None", "x y"]),
        (("--a",), ["--a"]),
        ("--a 1 --b 'x y'", ["--a", "1", "--b", "x y"]),
    ],
)
def test_arguments_are_turned_into_text(given_arguments: Any, texts: list[str]) -> None:
    assert argument_texts(given_arguments) == texts


@given(st.lists(st.text(st.characters(blacklist_characters="\0")) | st.integers() | st.floats()))
def test_each_argument_stays_one_argument_in_its_place(arguments: list[Any]) -> None:
    assert argument_texts(arguments) == [str(argument) for argument in arguments]


@pytest.mark.parametrize("wrong", [{"--a": 1}, 3, ["a\0b"]])
def test_arguments_that_cannot_be_passed_are_refused_by_name(wrong: Any) -> None:
    with pytest.raises(UserErrorException, match="arguments"):
        argument_texts(wrong)


@given(st.text(min_size=1, max_size=255))
def test_a_run_id_begins_with_the_whole_name_of_its_experiment(name: str) -> None:
    assert re.fullmatch(re.escape(name) + r"_\d{10}_[0-9a-f]{8}", new_run_id(name), re.DOTALL)


def test_a_missing_folder_is_an_error_of_the_file_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="source_directory: 'no/such' is not there"):
        plan_of(ScriptRunConfig("no/such", "train.py"))
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(FileNotFoundError, match="is a file"):
        plan_of(ScriptRunConfig(str(file), "train.py"))
    with pytest.raises(UserErrorException, match="source_directory"):
        plan_of(ScriptRunConfig(None, "train.py"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("script", "command", "sentence"),
    [
        ("absent.py", None, "script path doesn't exist. The script should be inside the project"),
        ("sub", None, "script path doesn't exist"),
        ("../outside.py", None, "is outside of"),
        (None, None, "give a script or a command"),
        ("train.py", "ls", "Both script"),
    ],
)
def test_a_script_that_cannot_be_run_is_refused(
    folder: Path, script: str | None, command: str | None, sentence: str
) -> None:
    with pytest.raises(ExperimentExecutionException) as raised:
        plan_of(ScriptRunConfig(str(folder), script, command=command))
    assert sentence in raised.value.message
    assert str(folder) in raised.value.message or command


@pytest.mark.parametrize("script", ["sub/deep.py", "./sub/deep.py", "sub\\deep.py", "ABSOLUTE"])
def test_a_script_is_named_below_the_folder_however_it_is_spelt(folder: Path, script: str) -> None:
    path = str(folder / "sub" / "deep.py") if script == "ABSOLUTE" else script
    assert plan_of(ScriptRunConfig(str(folder), path)).script == "sub/deep.py"


def test_a_command_list_is_joined_by_blanks_without_quoting(folder: Path) -> None:
    config = ScriptRunConfig(str(folder), command=["python -m x --rank $RANK ", "--epochs", 25])
    assert plan_of(config).command == "python -m x --rank $RANK  --epochs 25"
    with pytest.raises(UserErrorException, match="command: must be a list or text"):
        plan_of(ScriptRunConfig(str(folder), command=3))


def test_an_unknown_compute_target_is_named(folder: Path) -> None:
    with pytest.raises(ExperimentExecutionException, match="compute target 'cpu-cluster'"):
        plan_of(ScriptRunConfig(str(folder), "train.py", compute_target="cpu-cluster"))


class HyperDriveConfig:
    """Named as v1's class of the sweeps that a later release has."""


@pytest.mark.parametrize("config", [None, object(), "train.py", RunConfiguration()])
def test_what_is_no_configuration_has_no_method_to_be_submitted(config: Any) -> None:
    with pytest.raises(AzureMLException, match="method to be submitted has not been registered"):
        plan_of(config)


def test_what_comes_later_says_so_by_name(folder: Path) -> None:
    with pytest.raises(NotBuiltYetException, match="HyperDriveConfig"):
        plan_of(HyperDriveConfig())
    for job in (
        MpiConfiguration(node_count=2),
        MpiConfiguration(2),
        PyTorchConfiguration("Nccl", 4),
    ):
        config = ScriptRunConfig(str(folder), "train.py", distributed_job_config=job)
        with pytest.raises(NotBuiltYetException, match="not built yet"):
            plan_of(config)
    config = ScriptRunConfig(str(folder), "train.py")
    config.run_config.output_data = {"d": OutputData()}
    with pytest.raises(NotBuiltYetException, match="A run with output_data"):
        plan_of(config)


@pytest.mark.parametrize("seconds", [0, -1, "60", True])
def test_a_duration_is_a_number_of_seconds(folder: Path, seconds: Any) -> None:
    config = ScriptRunConfig(str(folder), "train.py", max_run_duration_seconds=seconds)
    with pytest.raises(UserErrorException, match="max_run_duration_seconds"):
        plan_of(config)


def test_what_belongs_to_the_kernel_does_not_pass_to_the_run() -> None:
    passed = submitter.process_environment(
        {
            "PATH": "/bin",
            "MY_TOKEN": "secret",
            "OMP_NUM_THREADS": "2",
            "LD_LIBRARY_PATH": "/cuda",
            "BAD": "\udcff",
            "JPY_PARENT_PID": "1",
            "MPLBACKEND": "module://inline",
            "IPYKERNEL_CELL_NAME": "x",
            "VIRTUAL_ENV": "/v",
            "VIRTUAL_ENV_PROMPT": "v",
            "CONDA_PREFIX": "/c",
            "PYTHONPATH": "/p",
            "PYTHONHOME": "/h",
            "AZUREML_RUN_ID": "r",
            "ZAFFRE_TOKEN": "t",
            "MLFLOW_RUN_ID": "m",
            "TERM": "xterm",
            "SHLVL": "1",
        }
    )
    assert passed == {
        "PATH": "/bin",
        "MY_TOKEN": "secret",
        "OMP_NUM_THREADS": "2",
        "LD_LIBRARY_PATH": "/cuda",
    }


def test_the_interpreter_is_the_submitters_unless_the_environment_names_one() -> None:
    environment = Environment("e")
    assert submitter.interpreter(environment) == sys.executable
    environment.python.interpreter_path = "/no/such/python"
    assert submitter.interpreter(environment) == sys.executable
    environment.python.interpreter_path = "/bin/sh"
    assert submitter.interpreter(environment) == "/bin/sh"


def test_packages_are_told_once_to_be_the_interpreters_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment = Environment("e")
    submitter.tell_of_packages(environment, sys.executable)
    assert capsys.readouterr().out == ""
    packages = environment.python.conda_dependencies
    assert packages is not None
    packages.add_pip_package("pytest")
    packages.add_conda_package("zz-no-such-package=1.0")
    lacks = f"{sys.executable} lacks packages that were asked for: zz-no-such-package."
    for _ in range(2):
        assert submitter.tell_of_packages(environment, sys.executable) == lacks
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "zz-no-such-package=1.0, pytest" in out
    assert out.endswith("It lacks: zz-no-such-package.\n")
    environment.python.user_managed_dependencies = True
    packages.add_pip_package("other")
    assert submitter.tell_of_packages(environment, sys.executable) is None
    assert capsys.readouterr().out == ""


# Against a server.


def spec_of(run: Run) -> RunSpec:
    record = run.refresh_record()["spec"]
    return wire.decode(RunSpec, record)


def test_packages_that_are_missing_are_a_warning_of_the_run(
    experiment: Experiment, folder: Path
) -> None:
    config = ScriptRunConfig(str(folder), "train.py")
    packages = config.run_config.environment.python.conda_dependencies
    packages.add_pip_package("zz-no-such-package")
    run = experiment.submit(config)
    (warning,) = run.refresh_record()["warnings"]
    assert warning.endswith("lacks packages that were asked for: zz-no-such-package.")
    run.wait_for_completion()
    assert warning in [one["message"] for one in run.get_details()["warnings"]]


def test_a_submitted_run_has_what_the_configuration_said(
    experiment: Experiment, folder: Path
) -> None:
    environment = Environment("mine")
    environment.environment_variables = {"A": "environment", "B": 2}
    environment.python.user_managed_dependencies = True
    config = ScriptRunConfig(
        str(folder),
        "train.py",
        arguments=["--rate", 0.1],
        environment=environment,
        max_run_duration_seconds=60,
    )
    config.run_config.environment_variables = {"A": "configuration", "ZAFFRE_ISOLATED": "0"}
    run = experiment.submit(config, tags={"k": "v", "n": 1})
    assert re.fullmatch(rf"{experiment.name}_\d+_[0-9a-f]{{8}}", run.id)
    spec = spec_of(run)
    assert (spec.script, spec.arguments) == ("train.py", ("--rate", "0.1"))
    assert spec.environment_variables == {"A": "configuration", "B": "2"}
    assert (spec.interpreter, spec.max_duration_s, spec.isolated) == (sys.executable, 60, False)
    assert run.tags == {"k": "v", "n": "1"}
    assert run.type == "azureml.scriptrun"
    assert run.get_properties()["_azureml.ComputeTargetType"] == "local"
    assert run.get_properties()["ContentSnapshotId"] == spec.snapshot_id
    definition = run.get_details()["runDefinition"]
    assert definition["arguments"] == ["--rate", "0.1"]
    assert definition["environment"]["python"]["userManagedDependencies"] is True
    assert run.get_environment().name == "mine"


def test_one_object_is_changed_and_submitted_again(experiment: Experiment, folder: Path) -> None:
    config = ScriptRunConfig(str(folder), "train.py", arguments=["1"])
    first = experiment.submit(config)
    config.arguments = ["2"]
    config.run_config.environment = Environment("second")
    second = experiment.submit(config)
    assert (spec_of(first).arguments, spec_of(second).arguments) == (("1",), ("2",))
    assert second.get_environment().name == "second"
    assert first.get_environment().name == "default-environment"


def test_the_id_may_be_chosen_once(experiment: Experiment, folder: Path) -> None:
    config = ScriptRunConfig(str(folder), "train.py")
    assert experiment.submit(config, run_id="my-own-id.1").id == "my-own-id.1"
    with pytest.raises(AzureMLException, match=r"my-own-id\.1"):
        experiment.submit(config, run_id="my-own-id.1")
    with pytest.raises(UserErrorException, match="run id"):
        experiment.submit(config, run_id="../up")


def test_a_script_that_the_ignore_file_leaves_out_is_refused(
    experiment: Experiment, folder: Path
) -> None:
    (folder / ".amlignore").write_text("train.py\n")
    with pytest.raises(ExperimentExecutionException, match=r"\.amlignore"):
        experiment.submit(ScriptRunConfig(str(folder), "train.py"))
    assert list(experiment.get_runs()) == []


def test_a_refused_submit_leaves_no_run_behind(experiment: Experiment, folder: Path) -> None:
    with pytest.raises(ExperimentExecutionException):
        experiment.submit(ScriptRunConfig(str(folder), "absent.py"))
    with pytest.raises(UserErrorException, match="tags"):
        experiment.submit(ScriptRunConfig(str(folder), "train.py"), tags=["a"])  # type: ignore[arg-type]
    assert list(experiment.get_runs()) == []


@pytest.mark.parametrize("name", ["", "A=B", "A\0"])
def test_a_variable_that_cannot_be_set_is_named(
    experiment: Experiment, folder: Path, name: str
) -> None:
    config = ScriptRunConfig(str(folder), "train.py")
    config.run_config.environment_variables = {name: "x"}
    with pytest.raises(UserErrorException, match="environment_variables"):
        experiment.submit(config)


def test_what_changes_nothing_is_said_once_by_name(experiment: Experiment, folder: Path) -> None:
    config = ScriptRunConfig(
        str(folder), "train.py", docker_runtime_config=DockerConfiguration(use_docker=True)
    )
    config.run_config.environment.docker.enabled = True
    config.run_config.priority = 7
    with pytest.warns(IgnoredArgumentWarning) as told:
        experiment.submit(config, regenerate_outputs=True)
    said = "\n".join(str(one.message) for one in told)
    for name in ("docker", "priority", "regenerate_outputs"):
        assert name in said
    experiment.submit(config, regenerate_outputs=True)


def test_a_submitted_script_runs_with_the_arguments_and_variables_given(
    submit: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_SUBMITTER", "seen")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    text = (
        "import os, sys, json\n"
        "from azureml.core import Run\n"
        "run = Run.get_context()\n"
        "run.tag('arguments', json.dumps(sys.argv[1:]))\n"
        "run.tag('seen', os.environ['OF_THE_SUBMITTER'])\n"
        "run.tag('backend', os.environ['MPLBACKEND'])\n"
        "run.tag('example', os.environ['EXAMPLE_ENV_VAR'])\n"
        "run.tag('executable', sys.executable)\n"
    )
    run = submit(text, "--rate", "x y", "$HOME")
    run.wait_for_completion()
    tags = run.get_tags()
    assert tags["arguments"] == '["--rate", "x y", "$HOME"]'
    assert tags["seen"] == "seen"
    assert tags["backend"] == "Agg"
    assert tags["example"] == "EXAMPLE_VALUE"
    assert os.path.realpath(tags["executable"]) == os.path.realpath(sys.executable)


def test_a_command_is_run_by_a_shell_in_the_folder(experiment: Experiment, folder: Path) -> None:
    config = ScriptRunConfig(
        str(folder), command=["cat train.py > outputs/$NAME.txt &&", "echo", "done"]
    )
    config.run_config.environment_variables["NAME"] = "copied"
    run = experiment.submit(config)
    run.wait_for_completion()
    assert "outputs/copied.txt" in run.get_file_names()


@pytest.mark.parametrize("kind", [Estimator, SKLearn])
def test_an_estimator_is_submitted_like_a_script(
    experiment: Experiment, folder: Path, kind: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    estimator = kind(
        str(folder),
        entry_script="train.py",
        script_params={"--reg_rate": 0.1, "--flag": ""},
        compute_target="local",
        conda_packages=["a-package-of-" + kind.__name__],
    )
    run = experiment.submit(config=estimator)
    assert "a-package-of-" in capsys.readouterr().out
    assert spec_of(run).arguments == ("--reg_rate", "0.1", "--flag")
    assert run.wait_for_completion()["status"] == "Completed"


def test_show_output_streams_before_it_returns(
    experiment: Experiment, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = experiment.submit(ScriptRunConfig(str(folder), "train.py"), show_output=True)
    out = capsys.readouterr().out
    assert f"RunId: {run.id}" in out
    assert "trained\n" in out
    assert "Execution Summary" in out


def test_a_snapshot_that_was_collected_by_force_is_sent_again(
    experiment: Experiment, folder: Path
) -> None:
    config = ScriptRunConfig(str(folder), "train.py")
    first = experiment.submit(config)
    first.wait_for_completion()
    taken = first.get_snapshot_id()
    Experiment.delete(experiment.workspace, experiment.id)
    session.current().request("POST", "/garbage/collect", query={"force": True})
    again = Experiment(experiment.workspace, experiment.name).submit(config)
    again.wait_for_completion()
    assert again.get_snapshot_id() == taken
