"""RunConfiguration: defaults, typos, and its files, v1's own among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zaffre.sdk.compute_target import LocalTarget
from zaffre.sdk.conda_dependencies import CondaDependencies
from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.run_configuration import RunConfiguration
from zaffre.sdk.run_configuration_sections import DataReferenceConfiguration

TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=10)


def test_the_defaults_are_those_of_the_sdk() -> None:
    configuration = RunConfiguration()
    assert configuration.target == "local"
    assert configuration.arguments == []
    assert (configuration.framework, configuration.communicator) == ("Python", "None")
    assert configuration.node_count == 1
    assert configuration.history.directories_to_watch == ["logs"]
    assert configuration.spark.configuration["spark.yarn.maxAppAttempts"] == 1
    assert configuration.command == ""
    assert configuration.paralleltask.worker_count_per_node == 1


def test_a_misspelt_attribute_shows_with_class_and_name() -> None:
    with pytest.raises(AttributeError, match=r"RunConfiguration.*enviroment"):
        RunConfiguration().enviroment = None  # type: ignore[attr-defined]


def test_a_target_may_be_given_as_an_object() -> None:
    configuration = RunConfiguration()
    configuration.target = LocalTarget()
    assert configuration.target == "local"
    with pytest.raises(UserErrorException, match="target: must be a ComputeTarget or its name"):
        configuration.target = 3


def test_packages_and_communicator_are_taken_by_the_constructor() -> None:
    packages = CondaDependencies.create(conda_packages=["x"])
    configuration = RunConfiguration(
        framework="PySpark", communicator="OpenMpi", conda_dependencies=packages
    )
    assert configuration.environment.python.conda_dependencies is packages
    assert (configuration.framework, configuration.communicator) == ("PySpark", "OpenMpi")


def test_two_configurations_share_nothing() -> None:
    one, other = RunConfiguration(), RunConfiguration()
    one.arguments.append("x")
    one.data_references["a"] = DataReferenceConfiguration()
    one.environment.python.conda_dependencies.add_pip_package("x")  # type: ignore[union-attr]
    assert other.to_plain() == RunConfiguration().to_plain()


def test_it_shows_itself_as_indented_json() -> None:
    shown = repr(RunConfiguration())
    assert shown.startswith('{\n    "script": null')
    assert json.loads(shown)["environment"]["docker"]["shmSize"] == "2g"


@given(
    arguments=st.lists(TEXT | st.integers() | st.floats(allow_nan=False) | st.booleans()),
    variables=st.dictionaries(TEXT, TEXT),
    separate=st.booleans(),
)
def test_what_was_saved_is_loaded_again(
    tmp_path_factory: pytest.TempPathFactory,
    arguments: list[object],
    variables: dict[str, str],
    separate: bool,
) -> None:
    folder = str(tmp_path_factory.mktemp("project"))
    configuration = RunConfiguration(script="train.py", arguments=arguments)
    configuration.environment.environment_variables = variables
    configuration.environment_variables = variables
    configuration.environment.python.conda_dependencies = CondaDependencies.create(
        pip_packages=["a==1"], conda_packages=["b"]
    )
    configuration.data_references = {"d": DataReferenceConfiguration("store", "download")}
    configuration.docker.use_docker = True
    configuration.save(folder, "mine", separate_environment_yaml=separate)
    loaded = RunConfiguration.load(folder, "mine")
    assert loaded.to_plain() == configuration.to_plain()
    assert isinstance(loaded.data_references["d"], DataReferenceConfiguration)


def test_no_extension_is_added_and_the_folder_is_made(tmp_path: Path) -> None:
    RunConfiguration().save(str(tmp_path), "x.runconfig")
    assert (tmp_path / ".azureml" / "x.runconfig").is_file()
    assert (tmp_path / ".azureml" / "conda_dependencies.yml").is_file()
    assert RunConfiguration.load(str(tmp_path), "x").target == "local"
    assert RunConfiguration.load(str(tmp_path), "x.runconfig").target == "local"
    bare = str(tmp_path / ".azureml" / "x.runconfig")
    assert RunConfiguration.load(bare).target == "local"


def test_an_aml_config_folder_is_used_if_it_alone_is_there(tmp_path: Path) -> None:
    (tmp_path / "aml_config").mkdir()
    RunConfiguration().save(str(tmp_path), "x")
    assert (tmp_path / "aml_config" / "x").is_file()
    assert not (tmp_path / ".azureml").exists()
    assert RunConfiguration.load(str(tmp_path), "x").target == "local"


def test_a_file_of_the_sdk_itself_is_read(tmp_path: Path) -> None:
    folder = tmp_path / ".azureml"
    folder.mkdir()
    (folder / "conda_dependencies.yml").write_text("dependencies:\n- python=3.6.2\n- pandas\n")
    (folder / "cpu.runconfig").write_text(
        """\
# The script to run.
script: train.py
# The arguments to the script file.
arguments:
- --data-folder
- $AZUREML_DATAREFERENCE_workspaceblobstore
- 0.5
# The name of the compute target to use for this run.
target: cpu-cluster
# Framework to execute inside. Allowed values are "Python" ,  "PySpark", "CNTK",
# "TensorFlow", and "PyTorch".
framework: PySpark
communicator: None
autoPrepareEnvironment: true
maxRunDurationSeconds:
nodeCount: 2
environment:
  python:
    userManagedDependencies: false
    interpreterPath: python
    condaDependenciesFile: .azureml/conda_dependencies.yml
  environmentVariables:
    EXAMPLE_ENV_VAR: EXAMPLE_VALUE
  docker:
    enabled: true
    baseImage: mcr.microsoft.com/azureml/base:intelmpi2018.3-ubuntu16.04
    sharedVolumes: true
    gpuSupport: false
    arguments: []
    baseImageRegistry:
      address:
      username:
      password:
  spark:
    repositories: []
    packages:
    - group: com.microsoft.ml.spark
      artifact: mmlspark_2.11
      version: '0.12'
    precachePackages: true
history:
  outputCollection: true
  snapshotProject: true
spark:
  configuration:
    spark.app.name: Azure ML Experiment
    spark.yarn.maxAppAttempts: 1
tensorflow:
  workerCount: 1
  parameterServerCount: 1
mpi:
  processCountPerNode: 1
hdi:
  yarnDeployMode: cluster
dataReferences:
  workspaceblobstore:
    dataStoreName: workspaceblobstore
    mode: mount
    overwrite: false
    pathOnCompute:
    pathOnDataStore:
data: {}
docker:
"""
    )
    loaded = RunConfiguration.load(str(tmp_path), "cpu")
    assert loaded.script == "train.py"
    assert loaded.arguments == ["--data-folder", "$AZUREML_DATAREFERENCE_workspaceblobstore", 0.5]
    assert (loaded.target, loaded.framework, loaded.node_count) == ("cpu-cluster", "PySpark", 2)
    assert loaded.environment.docker.enabled is True
    assert loaded.environment.spark.packages[0].artifact == "mmlspark_2.11"
    assert list(loaded.environment.python.conda_dependencies.conda_packages) == [  # type: ignore[union-attr]
        "python=3.6.2",
        "pandas",
    ]
    assert loaded.data_references["workspaceblobstore"].data_store_name == "workspaceblobstore"
    assert loaded.docker.use_docker is False


def test_names_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match="needs a name"):
        RunConfiguration().save(str(tmp_path))
    with pytest.raises(UserErrorException, match=r"Failed to load .* path=\. name=zz"):
        RunConfiguration.load(".", "zz")
    with pytest.raises(UserErrorException, match="was not found"):
        RunConfiguration.delete(str(tmp_path), "n")


def test_delete_removes_only_what_has_the_extension(tmp_path: Path) -> None:
    RunConfiguration().save(str(tmp_path), "n")
    RunConfiguration().save(str(tmp_path), "n.runconfig")
    RunConfiguration.delete(str(tmp_path), "n")
    assert not (tmp_path / ".azureml" / "n.runconfig").exists()
    assert (tmp_path / ".azureml" / "n").exists()


def test_a_conda_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    RunConfiguration().save(str(tmp_path), "n")
    (tmp_path / ".azureml" / "conda_dependencies.yml").unlink()
    with pytest.raises(UserErrorException, match=r"\.azureml/conda_dependencies\.yml"):
        RunConfiguration.load(str(tmp_path), "n")
