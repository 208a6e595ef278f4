"""CondaDependencies: v1's defaults, order and replacing rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from zaffre.sdk.conda_dependencies import CondaDependencies
from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.yaml_text import parse


def test_the_defaults_are_those_of_the_sdk() -> None:
    assert CondaDependencies().as_dict() == {
        "name": "project_environment",
        "dependencies": ["python=3.8.13", {"pip": ["azureml-defaults"]}],
        "channels": ["anaconda", "conda-forge"],
    }
    assert CondaDependencies.create().as_dict()["dependencies"] == [
        "python=3.10.18",
        {"pip": ["azureml-defaults"]},
    ]


def test_create_keeps_the_order_python_pip_conda() -> None:
    packages = CondaDependencies.create(
        pip_packages=["azureml-defaults", "x==1.0"],
        conda_packages=["scikit-learn"],
        python_version="3.7.1",
        pin_sdk_version=False,
    )
    text = packages.serialize_to_string()
    assert text.endswith(
        """\
- python=3.7.1

- pip:
  - azureml-defaults
  - x==1.0
- scikit-learn
channels:
- anaconda
- conda-forge
"""
    )
    assert parse(text) == packages.as_dict()


def test_a_python_among_the_conda_packages_replaces_the_default() -> None:
    packages = CondaDependencies.create(conda_packages=["python=3.9", "pip==20.2.4", "numpy==1.2"])
    assert packages.get_python_version() == "3.9"
    assert list(packages.conda_packages) == ["python=3.9", "pip==20.2.4", "numpy==1.2"]


def test_a_pip_package_replaces_its_namesake_and_a_conda_package_does_not() -> None:
    packages = CondaDependencies.create(pip_packages=["Some_Pkg==1", "y"])
    packages.add_pip_package("some-pkg[extra]>2")
    assert list(packages.pip_packages) == ["some-pkg[extra]>2", "y"]
    packages.add_conda_package("numpy=1.1")
    packages.add_conda_package("numpy=1.2")
    assert list(packages.conda_packages)[1:] == ["numpy=1.1", "numpy=1.2"]
    packages.remove_conda_package("numpy")
    packages.remove_pip_package("Y")
    packages.remove_pip_package("absent")
    assert list(packages.conda_packages) == ["python=3.10.18"]
    assert list(packages.pip_packages) == ["some-pkg[extra]>2"]


def test_pip_packages_leave_out_azureml_defaults_and_options() -> None:
    packages = CondaDependencies.create(pip_packages=["azureml-defaults", "a"])
    packages.set_pip_option("--extra-index-url https://x")
    packages.set_pip_option("--extra-index-url https://x")
    packages.set_pip_index_url("--index-url https://y")
    assert list(packages.pip_packages) == ["a"]
    assert list(packages.pip_options) == ["--extra-index-url https://x", "--index-url https://y"]
    packages.remove_pip_option("--extra-index-url")
    assert list(packages.pip_options) == ["--index-url https://y"]


@pytest.mark.parametrize("option", ["-i https://x", "index"])
def test_an_option_that_is_none_is_refused(option: str) -> None:
    with pytest.raises(UserErrorException, match="Invalid pip option"):
        CondaDependencies().set_pip_option(option)


def test_a_plain_text_for_packages_is_not_taken_letter_by_letter() -> None:
    with pytest.raises(UserErrorException, match=r"must be a list such as \['pandas'\]"):
        CondaDependencies.create(pip_packages="pandas")
    with pytest.raises(UserErrorException, match="conda_packages"):
        CondaDependencies.create(conda_packages="pandas")


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("python=3.8.5", "3.8.5"),
        ("python==3.8.5", "3.8.5"),
        ("python=3.8.5=build", "3.8.5"),
        ("python>=3.8", ">=3.8"),
        ("python", None),
    ],
)
def test_python_is_read_from_a_file_in_every_form(
    tmp_path: Path, line: str, version: str | None
) -> None:
    file = tmp_path / "conda.yml"
    file.write_text(f"dependencies:\n- {line}\n- numpy\n")
    assert CondaDependencies(str(file)).get_python_version() == version


def test_a_missing_file_is_an_error_of_the_file() -> None:
    with pytest.raises(FileNotFoundError):
        CondaDependencies("no/such.yml")


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    packages = CondaDependencies.create(pip_packages=["a==1"], conda_packages=["b"])
    packages.add_channel("pytorch")
    packages.add_channel("pytorch")
    packages.remove_channel("anaconda")
    packages.save(str(tmp_path))
    loaded = CondaDependencies(str(tmp_path / "conda_dependencies.yml"))
    assert loaded.as_dict() == packages.as_dict()
    assert list(loaded.conda_channels) == ["conda-forge", "pytorch"]


def test_save_to_file_wants_its_folder_and_returns_the_relative_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        CondaDependencies().save_to_file(str(tmp_path))
    (tmp_path / ".azureml").mkdir()
    relative = CondaDependencies().save_to_file(str(tmp_path))
    assert (tmp_path / relative).is_file()
    assert CondaDependencies().save_to_file(str(tmp_path), "mine.yml") == "mine.yml"


def test_tensorflow_by_core_type() -> None:
    packages = CondaDependencies()
    packages.add_tensorflow_conda_package()
    packages.add_tensorflow_pip_package("gpu", "2.3.0")
    assert "tensorflow=2.2.0" in list(packages.conda_packages)
    assert "tensorflow-gpu==2.3.0" in list(packages.pip_packages)
    with pytest.raises(UserErrorException, match="core_type"):
        packages.add_tensorflow_conda_package("tpu")


def test_requirements_of_one_name_are_merged() -> None:
    assert CondaDependencies.merge_requirements(["a==1", "a>0", "b"]) == ["a==1,>0", "b"]
