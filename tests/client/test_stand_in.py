"""`pip install azureml-sdk` beside Zaffre, with real pips and uv, and an index on disk."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tools.programs import find_python

from zaffre.client import stand_in
from zaffre.client.interpreter import has_our_azureml, survey
from zaffre.contract.errors import Invalid

SOURCE = Path(__file__).resolve().parents[2] / "src"
OWN = "own"
VERSIONS = ["3.8", "3.10", "3.12"]
#: A virtual environment's Python has no pip of its own.
interpreters = {
    OWN: os.path.realpath(sys.executable),
    **{version: find_python(version) for version in VERSIONS},
}
REAL = "1.62.0"
#: What notebooks ask for, all that can be had without taking another release.
UNPINNED = [
    "--upgrade",
    "azureml-sdk[notebooks,automl,explain]",
    "azureml-widgets",
    "azureml-train-automl-client",
    "azureml-core>=1.12.0",
    "azureml-pipeline-core~=1.0",
    "azureml-dataprep<6",
]


def write_wheel(folder: Path, name: str, version: str, requires: str = "") -> None:
    """Write a wheel with a module `azureml.core` of its own, as the real one has."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    if name == "azureml-core":
        files |= {"azureml/__init__.py": "", "azureml/core/__init__.py": "REAL = True\n"}
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with a release of the real SDK, and a package that has nothing to do with it."""
    folder = tmp_path_factory.mktemp("index")
    for name in stand_in.PACKAGES:
        needs = f"Requires-Dist: azureml-core~={REAL}\n" if name == "azureml-sdk" else ""
        write_wheel(folder, name, REAL, needs)
    for name in ("mlflow-skinny", "unrelated"):
        write_wheel(folder, name, "1.0")
    return folder


class Environment:
    """A virtual environment that imports Zaffre from its sources."""

    def __init__(self, folder: Path, index: Path) -> None:
        self.folder = folder
        self.python = str(folder / "bin" / "python")
        self.index = index
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_", "PYTHON"))}
        self.variables = {
            **kept,
            "HOME": str(folder.parent),
            "XDG_CONFIG_DIRS": str(folder.parent),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        self.site_packages = next(folder.glob("lib/python*/site-packages"))
        (self.site_packages / "zaffre.pth").write_text(f"{SOURCE}\n")

    def pip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._call([self.python, "-m", "pip", *arguments])

    def install(self, *requirements: str) -> subprocess.CompletedProcess[str]:
        return self.pip("install", "--no-index", "--find-links", str(self.index), *requirements)

    def uv_install(self, *requirements: str) -> subprocess.CompletedProcess[str]:
        options = ["--offline", "--no-index", "--find-links", str(self.index), "--no-cache"]
        uv = shutil.which("uv")
        assert uv is not None
        return self._call([uv, "pip", "install", "-p", self.python, *options, *requirements])

    def version(self, name: str) -> str:
        (found,) = self.site_packages.glob(f"{name.replace('-', '_')}-[0-9]*.dist-info")
        return found.name.rpartition(".")[0].partition("-")[2]

    def files(self) -> set[str]:
        left_out = {"__pycache__", ".lock"}  # of Python, of uv
        return {str(p) for p in self.folder.rglob("*") if left_out.isdisjoint(p.parts)}

    def _call(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.variables, cwd="/", capture_output=True, text=True, check=False
        )


@functools.cache
def pip_of(python: str) -> str | None:
    """Return the folder of an interpreter's own pip."""
    code = "import pip; print(pip.__path__[0])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


@pytest.fixture
def new_environment(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Environment]:
    """Make an environment of a test's own: `new_environment("3.8")`, or this Python's."""
    for key in list(os.environ):
        if key.startswith(("PIP_", "PYTHON")):
            monkeypatch.delenv(key)
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    def make(version: str = OWN) -> Environment:
        python = interpreters.get(version)
        if python is None:
            pytest.skip(f"Python {version} is not installed")
        pip = pip_of(python)
        if pip is None:
            pytest.skip(f"Python {version} has no pip")
        folder = tmp_path / "environment"
        subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
        environment = Environment(folder, index)
        (environment.site_packages / "pip").symlink_to(pip)
        return environment

    return make


@pytest.mark.processes
def test_without_stand_ins_pip_writes_over_zaffre(
    new_environment: Callable[..., Environment],
) -> None:
    environment = new_environment()
    assert has_our_azureml(survey(environment.python))
    assert environment.install("azureml-sdk").returncode == 0
    assert not has_our_azureml(survey(environment.python))


@pytest.mark.processes
@pytest.mark.parametrize("version", VERSIONS)
def test_pip_leaves_zaffre_alone(new_environment: Callable[..., Environment], version: str) -> None:
    environment = new_environment(version)
    placed = stand_in.place(survey(environment.python))
    assert placed.pins_uncovered is None
    before = environment.files()
    done = environment.install(*UNPINNED)
    assert done.returncode == 0, done.stderr
    assert "Requirement already satisfied" in done.stdout
    for pinned in (["azureml-sdk[notebooks]==1.62.0"], ["--force-reinstall", "azureml-core"]):
        done = environment.install(*pinned)
        assert done.returncode == 1
        assert "(constraint) azureml-" in done.stdout or "No matching distribution" in done.stderr
    assert environment.files() == before
    assert environment.install("unrelated").returncode == 0


@pytest.mark.processes
def test_a_pin_that_was_named_is_satisfied(new_environment: Callable[..., Environment]) -> None:
    environment = new_environment()
    stand_in.place(survey(environment.python), version=REAL)
    done = environment.install("--upgrade", f"azureml-sdk[notebooks]=={REAL}", "azureml-core")
    assert done.returncode == 0, done.stderr
    assert environment.version("azureml-sdk") == f"{REAL}+zaffre"
    assert has_our_azureml(survey(environment.python))


@pytest.mark.processes
@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_uv_leaves_zaffre_alone(new_environment: Callable[..., Environment]) -> None:
    environment = new_environment()
    stand_in.place(survey(environment.python))
    before = environment.files()
    done = environment.uv_install(*UNPINNED)
    assert done.returncode == 0, done.stderr
    assert environment.files() == before


@pytest.mark.processes
def test_what_a_package_brought_is_still_brought(
    new_environment: Callable[..., Environment],
) -> None:
    environment = new_environment()
    stand_in.place(survey(environment.python))
    assert environment.install("azureml-mlflow").returncode == 0
    assert environment.version("mlflow-skinny") == "1.0"
    assert has_our_azureml(survey(environment.python))


@pytest.mark.processes
def test_placing_twice_is_placing_once_and_removing_leaves_nothing(
    new_environment: Callable[..., Environment],
) -> None:
    environment = new_environment()
    interpreter = survey(environment.python)
    before = environment.files()
    stand_in.place(interpreter, version="1.48.0")
    stand_in.place(interpreter)
    assert environment.version("azureml-core") == "1.999.0+zaffre"
    assert environment.version("azureml-dataprep") == "5.999.0+zaffre"
    removed = stand_in.remove(interpreter)
    assert set(removed.names) == set(stand_in.PACKAGES)
    assert removed.kept == []
    assert environment.files() == before
    assert stand_in.remove(interpreter).names == []


@pytest.mark.processes
def test_pip_can_remove_a_stand_in_and_works_on(
    new_environment: Callable[..., Environment],
) -> None:
    environment = new_environment()
    before = environment.files()
    stand_in.place(survey(environment.python))
    for name in stand_in.PACKAGES:
        if name != "azureml-core":
            shutil.rmtree(next(environment.site_packages.glob(f"{name.replace('-', '_')}-[0-9]*")))
    done = environment.pip("uninstall", "-y", "azureml-core")
    assert done.returncode == 0, done.stderr
    assert environment.files() == before
    assert environment.install("unrelated").returncode == 0


@pytest.mark.processes
def test_what_was_changed_since_stays_and_is_named(
    new_environment: Callable[..., Environment],
) -> None:
    environment = new_environment()
    interpreter = survey(environment.python)
    stand_in.place(interpreter)
    pip_conf = environment.folder / "pip.conf"
    pip_conf.write_text(f"{pip_conf.read_text()}no-deps = true\n")
    note = next(environment.site_packages.glob("azureml_sdk-*")) / "NOTE"
    note.write_text("mine")
    assert stand_in.remove(interpreter).kept == [str(pip_conf), str(note)]
    assert "no-deps = true" in pip_conf.read_text()
    assert environment.install("unrelated").returncode == 0, "pip misses the constraints"


@pytest.mark.processes
@pytest.mark.parametrize("whose", ["pip.conf", "variable"])
def test_constraints_of_the_user_are_left_and_said(
    new_environment: Callable[..., Environment], whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = new_environment()
    pip_conf = environment.folder / "pip.conf"
    if whose == "pip.conf":
        pip_conf.write_text("[global]\ntimeout = 9\n")
    else:
        monkeypatch.setenv("PIP_CONSTRAINT", "/somewhere")
    placed = stand_in.place(survey(environment.python))
    assert placed.pins_uncovered is not None
    assert "azureml-core==1.999.0+zaffre" in placed.pins_uncovered
    assert "A pin to another version may install" in stand_in.placed_words(placed)
    chosen = stand_in.place(survey(environment.python), version="1.48.0")
    assert "Another pin, and --upgrade, may install" in stand_in.placed_words(chosen)
    assert not (environment.folder / "zaffre-constraints.txt").exists()
    assert pip_conf.exists() == (whose == "pip.conf")


@pytest.mark.processes
def test_beside_the_real_packages_nothing_is_placed_and_the_way_out_is_named(
    new_environment: Callable[..., Environment],
) -> None:
    environment = new_environment()
    assert environment.install("azureml-sdk").returncode == 0
    interpreter = survey(environment.python)
    before = environment.files()
    with pytest.raises(stand_in.RealPackagesInstalled) as refusal:
        stand_in.place(interpreter)
    command = f"{environment.python} -m pip uninstall -y azureml-core azureml-sdk"
    assert f"Remove: {command};" in refusal.value.message
    assert environment.files() == before
    assert not has_our_azureml(interpreter)
    done = subprocess.run(command.split(), env=environment.variables, capture_output=True)
    assert done.returncode == 0
    assert len(stand_in.place(survey(environment.python)).names) == len(stand_in.PACKAGES)
    assert has_our_azureml(survey(environment.python))


@pytest.mark.processes
def test_a_folder_that_may_not_be_written_is_one_sentence(
    new_environment: Callable[..., Environment],
) -> None:
    interpreter = survey(new_environment().python)
    with pytest.raises(stand_in.NotWritable, match=r"/proc/site cannot be written to"):
        stand_in.place(replace(interpreter, site_packages="/proc/site"))


@pytest.mark.processes
def test_an_interpreter_without_zaffre_gets_no_stand_ins(
    new_environment: Callable[..., Environment],
) -> None:
    environment = new_environment()
    (environment.site_packages / "zaffre.pth").unlink()
    with pytest.raises(stand_in.NoZaffre, match="has no Zaffre"):
        stand_in.place(survey(environment.python))


@pytest.mark.processes
def test_what_is_no_interpreter_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no-python is no Python that starts"):
        survey(str(tmp_path / "no-python"))
    with pytest.raises(Invalid, match="ended with an error"):
        survey("false")


@pytest.mark.processes
def test_it_works_without_the_extras_and_in_json(
    new_environment: Callable[..., Environment],
) -> None:
    environment = new_environment("3.8")

    def doctor(*arguments: str) -> Any:
        command = [environment.python, "-m", "zaffre.client", "doctor", "--json", *arguments]
        done = subprocess.run(command, env=environment.variables, capture_output=True, cwd="/")
        return json.loads(done.stdout)

    assert doctor()["stand_ins"] == 0
    assert doctor("--fix")["names"] == list(stand_in.PACKAGES)
    assert doctor()["stand_ins"] == len(stand_in.PACKAGES)
    assert doctor()["azureml_is_ours"] is True
    assert len(doctor("--undo")["names"]) == len(stand_in.PACKAGES)


def _first_start(environment: Environment, before: str = "") -> str:
    """Return what the SDK says on stderr when it first looks for its server."""
    code = f"import sys\n{before}\nfrom zaffre.sdk import session\n"
    code += "session.current().client, session.current().client"
    done = subprocess.run(
        [environment.python, "-c", code],
        env=environment.variables,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


@pytest.mark.processes
def test_a_kernel_says_once_what_pip_would_do(
    new_environment: Callable[..., Environment],
) -> None:
    environment = new_environment()
    in_kernel = "sys.modules['ipykernel'] = sys"
    assert _first_start(environment) == ""
    said = _first_start(environment, in_kernel)
    assert said.count("\n") == 1
    assert f"{environment.python} -m zaffre.client doctor --fix" in said
    stand_in.place(survey(environment.python))
    assert _first_start(environment, in_kernel) == ""
    stand_in.remove(survey(environment.python))
    environment.install("azureml-telemetry")
    assert "azureml-telemetry" in _first_start(environment, in_kernel)
