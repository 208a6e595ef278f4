"""The packages that an environment asks for, in the form of a conda file."""

from __future__ import annotations

from zaffre.contract.version import SDK_V1_VERSION
from zaffre.sdk import argument
from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.section import as_dict, as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Sequence

VERSION = SDK_V1_VERSION
DEFAULT_NAME = "project_environment"
DEFAULT_CHANNELS = ("anaconda", "conda-forge")
#: Of an environment that nobody configured, and of `create` (v1's two constants).
DEFAULT_PYTHON = "3.8.13"
CREATE_PYTHON = "3.10.18"
DEFAULT_PIP_PACKAGE = "azureml-defaults"

_DEFAULT_FILE = ".azureml/auto_conda_dependencies.yml"
_TENSORFLOW_VERSION = "2.2.0"
_HEAD = """\
# Conda environment specification. The dependencies defined in this file are
# installed into the environment of a run, unless that is user-managed.

# Details about the Conda environment file format:
# https://conda.io/docs/user-guide/tasks/manage-environments.html#create-env-file-manually

"""
_PYTHON_COMMENT = "  # The python interpreter version.\n"


class CondaDependencies:
    """Python, conda packages, pip packages and channels.

    Versions are not checked here, as in v1: whoever builds the environment says what is wrong.
    """

    DEFAULT_NUMBER_OF_CONDA_PACKAGES = 0
    DEFAULT_NUMBER_OF_PIP_PACKAGES = 0

    def __init__(
        self,
        conda_dependencies_file_path: str | None = None,
        _underlying_structure: dict[str, Any] | None = None,
    ) -> None:
        """Read a conda file, or begin with v1's defaults; a missing file is FileNotFoundError."""
        if _underlying_structure is None and conda_dependencies_file_path:
            _underlying_structure = _read_file(conda_dependencies_file_path)
        data: dict[str, Any] | None = _underlying_structure
        if data is None:
            data = {
                "dependencies": [f"python={DEFAULT_PYTHON}", {"pip": [DEFAULT_PIP_PACKAGE]}],
                "channels": list(DEFAULT_CHANNELS),
            }
        self._name: str = data.get("name") or DEFAULT_NAME
        self._channels = _texts(data.get("channels"), "channels")
        self._variables: dict[str, Any] = as_dict(data.get("variables") or {})
        self._packages: list[str] = []
        #: None: there is no pip block.
        self._pip: list[str] | None = None
        #: How many conda packages stand before the pip block.
        self._pip_position = 0
        for item in as_list(data.get("dependencies") or []):
            if not isinstance(item, dict):
                self._packages.append(str(item))
                continue
            for key, values in as_dict(item).items():
                if key != "pip":
                    raise UserErrorException(
                        f"dependencies: {key!r} is no kind of dependency; only 'pip' has a list."
                    )
                if self._pip is None:
                    self._pip_position = len(self._packages)
                self._pip = [*(self._pip or []), *_texts(values, "pip")]

    @staticmethod
    def create(
        pip_indexurl: str | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_packages: Sequence[str] | None = None,
        python_version: str = CREATE_PYTHON,
        pin_sdk_version: bool = True,
    ) -> CondaDependencies:
        """Return dependencies of the packages that are named, and of a python.

        Without pip_packages there is `azureml-defaults`. A python among conda_packages wins.
        pin_sdk_version changes nothing: v1 of this release left azureml packages unpinned too.
        """
        del pin_sdk_version
        pip = _package_list(pip_packages, "pip_packages")
        conda = _package_list(conda_packages, "conda_packages") or []
        created = CondaDependencies()
        created._pip = [DEFAULT_PIP_PACKAGE] if pip is None else []
        created._packages = [f"python={python_version}"]
        created._pip_position = 1
        for package in conda:
            if _name_of(package) == "python":
                created._packages[0] = package
            else:
                created.add_conda_package(package)
        if pip_indexurl:
            created.set_pip_option(f"--index-url {pip_indexurl}")
        for package in pip or []:
            created.add_pip_package(package)
        return created

    @staticmethod
    def merge_requirements(requirements: Sequence[str]) -> list[str]:
        """Return `['a==1', 'a>0', 'b']` as `['a==1,>0', 'b']`."""
        merged: dict[str, list[str]] = {}
        for requirement in _package_list(requirements, "requirements") or []:
            name = _spelled_name(requirement)
            rest = requirement[len(name) :].strip()
            merged.setdefault(name, [])
            if rest:
                merged[name].append(rest)
        return [name + ",".join(versions) for name, versions in merged.items()]

    @staticmethod
    def sdk_origin_url() -> str:
        """Return the index that the SDK's packages come from."""
        return "https://pypi.python.org/simple"

    # Reading.

    @property
    def conda_channels(self) -> Iterator[str]:
        """The channels, in order."""
        return iter(list(self._channels))

    @property
    def conda_packages(self) -> Iterator[str]:
        """The conda packages, python among them."""
        return iter(list(self._packages))

    @property
    def pip_packages(self) -> Iterator[str]:
        """The pip packages, less options and less azureml-defaults (as in v1)."""
        return (
            package
            for package in list(self._pip or [])
            if not package.startswith("--") and _name_of(package) != DEFAULT_PIP_PACKAGE
        )

    @property
    def pip_options(self) -> Iterator[str]:
        """The entries of the pip block that begin with `--`."""
        return (package for package in list(self._pip or []) if package.startswith("--"))

    def get_default_number_of_packages(self) -> int:
        """Return how many packages v1 counted as there by default: none."""
        return self.DEFAULT_NUMBER_OF_CONDA_PACKAGES + self.DEFAULT_NUMBER_OF_PIP_PACKAGES

    def get_python_version(self) -> str | None:
        """Return the version that python is asked for with, without a build; None if there is none.

        v1 replaced `python=3.8.5=build` by its default when it read that from a file.
        """
        for package in self._packages:
            if _name_of(package) == "python":
                version = package[len("python") :].strip()
                if version.startswith("="):
                    version = version.lstrip("=").partition("=")[0]
                return version.strip() or None
        return None

    # Changing.

    def set_python_version(self, version: str) -> None:
        """Ask for another python."""
        for position, package in enumerate(self._packages):
            if _name_of(package) == "python":
                self._packages[position] = f"python={version}"
                return
        self._packages.insert(0, f"python={version}")
        self._pip_position += 1

    def add_channel(self, channel: str) -> None:
        """Add a channel, unless it is there."""
        name = _text(channel, "channel")
        if name not in self._channels:
            self._channels.append(name)

    def remove_channel(self, channel: str) -> None:
        """Remove a channel, if it is there."""
        if channel in self._channels:
            self._channels.remove(channel)

    def add_conda_package(self, conda_package: str) -> None:
        """Add a conda package; the same one with another version stays too, as in v1."""
        package = _text(conda_package, "conda_package")
        if package not in self._packages:
            self._packages.append(package)

    def remove_conda_package(self, conda_package: str) -> None:
        """Remove the packages of that name, if there are any, whatever their version."""
        name = _name_of(conda_package)
        before = [p for p in self._packages[: self._pip_position] if _name_of(p) != name]
        after = [p for p in self._packages[self._pip_position :] if _name_of(p) != name]
        self._packages, self._pip_position = before + after, len(before)

    def add_pip_package(self, pip_package: str) -> None:
        """Add a pip package, in place of one of the same name, whatever its version."""
        package = _text(pip_package, "pip_package")
        pip = self._pip_block()
        for position, present in enumerate(pip):
            if _name_of(present) == _name_of(package):
                pip[position] = package
                return
        pip.append(package)

    def remove_pip_package(self, pip_package: str) -> None:
        """Remove the package of that name, if there is one."""
        name = _name_of(pip_package)
        self._pip = [present for present in self._pip or [] if _name_of(present) != name]

    def set_pip_requirements(self, pip_requirements: Sequence[str]) -> None:
        """Put these in the place of the whole pip block."""
        self._pip_block()
        self._pip = _texts(pip_requirements, "pip_requirements")

    def set_pip_option(self, pip_option: str) -> None:
        """Add an option of pip such as `--extra-index-url URL`, unless it is there."""
        option = _text(pip_option, "pip_option")
        if not option.startswith("--"):
            raise UserErrorException(f"Invalid pip option {option!r}: it must begin with '--'.")
        pip = self._pip_block()
        if option not in pip:
            pip.insert(sum(present.startswith("--") for present in pip), option)

    def remove_pip_option(self, pip_option: str) -> None:
        """Remove an option, by its name or with its value."""
        self._pip = [
            present
            for present in self._pip or []
            if not (present.startswith("--") and pip_option in (present, present.split()[0]))
        ]

    def set_pip_index_url(self, index_url: str) -> None:
        """Set the index, given as `--index-url URL`."""
        if not _text(index_url, "index_url").startswith(("--index-url ", "--extra-index-url ")):
            raise UserErrorException(
                f"Invalid pip option {index_url!r}: the form is '--index-url URL'."
            )
        self.remove_pip_option(index_url.split()[0])
        self.set_pip_option(index_url)

    def add_tensorflow_conda_package(
        self, core_type: str = "cpu", version: str | None = None
    ) -> None:
        """Add TensorFlow, for 'cpu' or 'gpu', from conda."""
        version = version or _TENSORFLOW_VERSION
        self.add_conda_package(f"{_tensorflow(core_type)}={version}")

    def add_tensorflow_pip_package(
        self, core_type: str = "cpu", version: str | None = None
    ) -> None:
        """Add TensorFlow, for 'cpu' or 'gpu', from pip."""
        version = version or _TENSORFLOW_VERSION
        self.add_pip_package(f"{_tensorflow(core_type)}=={version}")

    def add_cntk_package(self, core_type: str = "cpu") -> None:
        """Add CNTK."""
        if core_type not in ("cpu", "gpu"):
            raise UserErrorException(f"core_type: {core_type!r} is neither 'cpu' nor 'gpu'.")
        self.add_pip_package("cntk==2.7" if core_type == "cpu" else "cntk-gpu==2.7")

    # Writing.

    def as_dict(self) -> dict[str, Any]:
        """Return {'name', 'dependencies', 'channels'}, a copy."""
        dependencies: list[Any] = list(self._packages)
        if self._pip is not None:
            dependencies.insert(self._pip_position, {"pip": list(self._pip)})
        data: dict[str, Any] = {
            "name": self._name,
            "dependencies": dependencies,
            "channels": list(self._channels),
        }
        if self._variables:
            data["variables"] = dict(self._variables)
        return data

    def serialize_to_string(self) -> str:
        """Return the text of the conda file."""
        from zaffre.sdk.yaml_text import dump

        text = dump(self.as_dict())
        # v1's layout: a comment on python, and a blank line before the pip block.
        text = text.replace(
            "dependencies:\n- python", f"dependencies:\n{_PYTHON_COMMENT}- python", 1
        )
        return _HEAD + text.replace("\n- pip:\n", "\n\n- pip:\n", 1)

    def save(self, path: str | None = None) -> None:
        """Write the conda file; path is the file or its folder, the present folder without one."""
        import os

        target = argument.path(path or os.getcwd(), "path")
        if os.path.isdir(target):
            target = os.path.join(target, "conda_dependencies.yml")
        _write(target, self.serialize_to_string())

    def save_to_file(self, base_directory: str, conda_file_path: str | None = None) -> str:
        """Write the conda file below `base_directory`, whose folder must be there; return its path.

        The path is relative to `base_directory`, as in v1.
        """
        import os

        relative = os.path.normpath(
            argument.path(conda_file_path or _DEFAULT_FILE, "conda_file_path")
        )
        folder = argument.path(base_directory, "base_directory")
        _write(os.path.join(folder, relative), self.serialize_to_string())
        return relative

    def _pip_block(self) -> list[str]:
        if self._pip is None:
            self._pip = []
            self._pip_position = len(self._packages)
        return self._pip


def _tensorflow(core_type: str) -> str:
    if core_type not in ("cpu", "gpu"):
        raise UserErrorException(f"core_type: {core_type!r} is neither 'cpu' nor 'gpu'.")
    return "tensorflow" if core_type == "cpu" else "tensorflow-gpu"


def _text(value: Any, field: str) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise UserErrorException(f"{field}: must be text such as 'numpy==1.24', not {value!r}.")


def _package_list(value: Any, field: str) -> list[str] | None:
    """Return a list of package texts; v1 took a plain text letter by letter."""
    if value is None:
        return None
    if isinstance(value, str):
        raise UserErrorException(f"{field}: must be a list such as [{value!r}], not text.")
    return [_text(item, field) for item in argument.items(value, field)]


def _texts(value: Any, field: str) -> list[str]:
    if value is None:
        return []
    if isinstance(value, (str, dict)):
        raise UserErrorException(f"{field}: must be a list, not {type(value).__name__}.")
    return ["" if item is None else str(item) for item in argument.items(value, field)]


def _spelled_name(requirement: str) -> str:
    """Return the name at the start of a requirement as it is spelled there."""
    end = 0
    while end < len(requirement) and (requirement[end].isalnum() or requirement[end] in "-_."):
        end += 1
    return requirement[:end]


def _name_of(requirement: str) -> str:
    """Return the name that tells packages apart; options and addresses are their own."""
    text = requirement.strip()
    if text.startswith(("-", "#")) or "://" in text.partition("@")[0]:
        return text
    # conda's `channel::package`
    return _spelled_name(text.rpartition("::")[2]).lower().replace("_", "-")


def _read_file(path: str) -> dict[str, Any]:
    from zaffre.sdk.yaml_text import parse

    with open(path, encoding="utf-8") as file:
        data = parse(file.read())
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UserErrorException(
            f"{path} is no conda file: it must have keys such as 'dependencies' at its top."
        )
    return as_dict(data)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
