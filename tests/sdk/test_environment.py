"""Environment as a record: files, sections, copies; what needs a build says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zaffre.sdk.environment import Environment
from zaffre.sdk.exceptions import AzureMLException, NotBuiltYetException, UserErrorException


def test_a_new_environment_has_the_defaults_of_the_sdk() -> None:
    environment = Environment("my env/with blanks")
    assert repr(environment) == "Environment(Name: my env/with blanks,\nVersion: None)"
    assert environment.environment_variables == {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
    assert environment.python.user_managed_dependencies is False
    assert environment.python.interpreter_path == "python"
    assert environment.docker.enabled is False
    assert environment.docker.base_image is not None
    assert environment.docker.base_image.startswith("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu")


@pytest.mark.parametrize("path", ["", "python", "docker", "spark", "docker.base_image_registry"])
def test_a_misspelt_attribute_shows_with_class_and_name(path: str) -> None:
    section: object = Environment("e")
    for name in filter(None, path.split(".")):
        section = getattr(section, name)
    with pytest.raises(AttributeError, match=f"{type(section).__name__}.*user_manged"):
        section.user_manged = True  # type: ignore[attr-defined]


def test_a_clone_is_independent_and_without_a_version() -> None:
    environment = Environment("a")
    environment.version = "3"
    clone = environment.clone("b")
    clone.python.conda_dependencies.add_pip_package("x")  # type: ignore[union-attr]
    clone.docker.arguments.append("-v")
    assert (clone.name, clone.version, environment.docker.arguments) == ("b", None, [])
    assert list(environment.python.conda_dependencies.pip_packages) == []  # type: ignore[union-attr]
    with pytest.raises(UserErrorException, match="Name is required"):
        environment.clone("")


def test_a_conda_file_gives_the_packages_and_not_the_name(tmp_path: Path) -> None:
    file = tmp_path / "conda.yml"
    file.write_text("name: other\ndependencies:\n- python=3.8\n- pip:\n  - pandas\n")
    environment = Environment.from_conda_specification("mine", str(file))
    assert environment.name == "mine"
    assert list(environment.python.conda_dependencies.pip_packages) == ["pandas"]  # type: ignore[union-attr]


def test_a_conda_file_with_an_unknown_key_names_it(tmp_path: Path) -> None:
    file = tmp_path / "conda.yml"
    file.write_text("dependancies: []\n")
    with pytest.raises(UserErrorException, match="Unknown dependancies key"):
        Environment.from_conda_specification("mine", str(file))
    with pytest.raises(FileNotFoundError):
        Environment.from_conda_specification("mine", str(tmp_path / "absent.yml"))


def test_a_requirements_file_is_kept_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("# what we need\n-i https://x\n\npandas==1.1\n")
    environment = Environment.from_pip_requirements("mine", str(file), pip_version="20.2")
    packages = environment.python.conda_dependencies.as_dict()  # type: ignore[union-attr]
    assert packages["dependencies"] == [
        "python=3.8.13",
        {"pip": ["# what we need", "-i https://x", "", "pandas==1.1"]},
        "pip=20.2",
    ]


def test_an_image_without_packages_manages_its_own() -> None:
    environment = Environment.from_docker_image("e", "repo/image:1")
    assert environment.docker.base_image == "repo/image:1"
    assert environment.python.user_managed_dependencies is True
    with pytest.raises(UserErrorException, match="Only one of conda_specification"):
        Environment.from_docker_image("e", "i", conda_specification="a", pip_requirements="b")


def test_a_dockerfile_is_a_path_or_its_text(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM x\n")
    for given in (str(file), "FROM x\n"):
        environment = Environment.from_dockerfile("e", given)
        assert environment.docker.base_dockerfile == "FROM x\n"
        assert environment.docker.base_image is None


def test_what_was_saved_to_a_folder_is_loaded_again(tmp_path: Path) -> None:
    environment = Environment("e")
    environment.environment_variables = {"A": "1"}
    environment.python.user_managed_dependencies = True
    environment.docker.base_image_registry.address = "registry"
    environment.python.conda_dependencies.add_pip_package("x")  # type: ignore[union-attr]
    folder = tmp_path / "saved"
    environment.save_to_directory(str(folder))
    loaded = Environment.load_from_directory(str(folder))
    assert loaded.to_plain() == environment.to_plain()
    assert json.loads((folder / "azureml_environment.json").read_text())["name"] == "e"
    with pytest.raises(FileExistsError):
        environment.save_to_directory(str(folder))
    environment.save_to_directory(str(folder), overwrite=True)
    with pytest.raises(FileNotFoundError):
        Environment.load_from_directory(str(tmp_path / "absent"))


def test_without_conda_an_existing_environment_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        Environment.from_existing_conda_environment("e", "base")


def test_an_existing_conda_environment_is_what_conda_exports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conda = tmp_path / "conda"
    conda.write_text(
        '#!/bin/sh\n[ "$5" = there ] || exit 1\n'
        "printf 'name: there\\ndependencies:\\n- numpy=1.2\\nprefix: /x\\n'\n"
    )
    conda.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    environment = Environment.from_existing_conda_environment("e", "there")
    assert environment is not None
    assert list(environment.python.conda_dependencies.conda_packages) == ["numpy=1.2"]  # type: ignore[union-attr]
    assert Environment.from_existing_conda_environment("e", "absent") is None


def test_what_needs_a_registry_of_environments_says_that_it_is_not_built_yet() -> None:
    for refused in (
        lambda: Environment("e").register(None),
        lambda: Environment.get(None, "AzureML-Minimal"),
        lambda: Environment("e").build(None),
    ):
        with pytest.raises(NotBuiltYetException, match="not built yet") as raised:
            refused()
        assert isinstance(raised.value, AzureMLException)
