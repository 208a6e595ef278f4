"""The names of azureml: what is there, what it costs, on every Python at hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tools.programs import find_python

SOURCE = Path(__file__).resolve().parents[2] / "src"
NAMES = "Workspace, Run, Experiment, Environment, ScriptRunConfig, Dataset, Model"
HEAVY = ("http.client", "logging", "typing", "inspect", "dataclasses", "uuid", "datetime", "json")
MEASURE = f"""
import resource, sys
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from azureml.core import {NAMES}
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
modules = sorted(sys.modules)
import json
print(json.dumps({{"modules": modules, "kilobytes": after - before}}))
"""


def _run_in_empty_environment(python: str, folder: Path, code: str) -> Any:
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    done = subprocess.run(
        [str(folder / "bin" / "python"), "-W", "error", "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


#: 3.8 is needed; of the newer ones those that this machine has.
NEWER = [version for version in ("3.9", *(f"3.{n}" for n in range(10, 20))) if find_python(version)]


@pytest.mark.parametrize("version", [pytest.param("3.8", marks=pytest.mark.python38), *NEWER])
def test_the_import_is_small_and_needs_the_standard_library_alone(
    version: str, tmp_path: Path
) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    measured = _run_in_empty_environment(python, tmp_path / "v", MEASURE)
    assert len(measured["modules"]) <= 120, measured["modules"]
    assert measured["kilobytes"] <= 6 * 1024
    assert not set(HEAVY) & set(measured["modules"])


@pytest.mark.python38
def test_an_interactive_run_works_on_python_3_8(server: Any, tmp_path: Path) -> None:
    python = find_python("3.8")
    if python is None:
        pytest.skip("Python 3.8 is not installed")
    script = tmp_path / "notebook.py"
    script.write_text(
        "import json, os, tempfile\n"
        "os.chdir(tempfile.mkdtemp())\n"
        f"os.environ['ZAFFRE_HOME'] = {str(server.home)!r}\n"
        "import azureml.core\n"
        "from azureml.core import Workspace, Experiment, Run\n"
        "ws = Workspace.create('ws-of-38', exist_ok=True, show_output=False)\n"
        "with Experiment(ws, 'e').start_logging() as run:\n"
        "    run.log('a', 0.5); run.log_list('l', range(3)); run.log_row('r', x=1)\n"
        "    open('f', 'w').write('x'); run.upload_file('outputs/f', 'f')\n"
        "run.download_file('outputs/f', 'g')\n"
        "details = run.get_details()\n"
        "print(json.dumps([run.get_metrics(), run.get_file_names(), details['status']]))\n"
    )
    found = _run_in_empty_environment(python, tmp_path / "v", f"exec(open({str(script)!r}).read())")
    assert found == [{"a": 0.5, "l": [0, 1, 2], "r": {"x": 1}}, ["outputs/f"], "Completed"]


def _evaluate(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_azureml_core_makes_its_submodules_reachable() -> None:
    names = [
        "authentication",
        "compute",
        "compute_target",
        "conda_dependencies",
        "container_registry",
        "databricks",
        "dataset",
        "datastore",
        "environment",
        "experiment",
        "image",
        "keyvault",
        "linked_service",
        "model",
        "private_endpoint",
        "profile",
        "resource_configuration",
        "run",
        "runconfig",
        "script_run",
        "script_run_config",
        "util",
        "webservice",
        "workspace",
    ]
    code = f"import azureml.core\nfor n in {names!r}: getattr(azureml.core, n).__name__\n"
    code += "print(azureml.data.__version__, azureml.core.VERSION, azureml.core.__version__)"
    assert _evaluate(code) == "1.61.0 1.61.0 1.61.0"


def test_every_public_name_is_there_and_the_same_object_everywhere() -> None:
    code = (
        "import azureml.core\n"
        "missing = [n for n in azureml.core.__all__ if not hasattr(azureml.core, n)]\n"
        "assert not missing, missing\n"
        "assert set(azureml.core.__all__) <= set(dir(azureml.core))\n"
        "assert azureml.core.Run is azureml.core.run.Run\n"
        "from azureml.exceptions import ComputeTargetException as a\n"
        "from azureml.core.compute_target import ComputeTargetException as b\n"
        "assert a is b\n"
        "from azureml.core.run import _OfflineRun, get_run\n"
        "from azureml._common.exceptions import AzureMLException\n"
        "from azureml._restclient.exceptions import ServiceException\n"
        "from azureml._restclient.constants import SNAPSHOT_MAX_SIZE_BYTES\n"
        "print(issubclass(ServiceException, AzureMLException), SNAPSHOT_MAX_SIZE_BYTES)"
    )
    assert _evaluate(code) == "True 314572800"


def test_a_name_that_v1_has_not_is_an_attribute_error() -> None:
    code = (
        "import azureml, azureml.core\n"
        "for module in (azureml, azureml.core):\n"
        "    try: module.no_such_name\n"
        "    except AttributeError as e: print(e)\n"
    )
    assert _evaluate(code).count("has no attribute 'no_such_name'") == 2


def test_the_snapshot_limit_is_raised_by_assigning_to_v1s_variable() -> None:
    code = (
        "import azureml._restclient.snapshots_client\n"
        "azureml._restclient.snapshots_client.SNAPSHOT_MAX_SIZE_BYTES = 10**9\n"
        "from zaffre.sdk import snapshot\n"
        "print(snapshot.limit_bytes())"
    )
    assert _evaluate(code) == str(10**9)
