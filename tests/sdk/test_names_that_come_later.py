"""What SDK v1 has and this release has not: importable, and one clear sentence when used."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest

import azureml
from zaffre.contract.errors import NotBuiltYet
from zaffre.sdk.compute_target import ComputeTarget, LocalTarget
from zaffre.sdk.dataset import Dataset
from zaffre.sdk.exceptions import AzureMLException, ComputeTargetException, NotBuiltYetException
from zaffre.sdk.model import InferenceConfig
from zaffre.sdk.webservice import AciWebservice, Webservice
from zaffre.sdk.workspace import Workspace


def test_every_module_of_the_sdk_that_is_there_can_be_imported() -> None:
    names = [
        module.name
        for module in pkgutil.walk_packages(azureml.__path__, "azureml.")
        if not module.name.startswith("azureml._")
    ]
    assert len(names) > 60
    for name in names:
        module = importlib.import_module(name)
        for exported in getattr(module, "__all__", ()):
            assert hasattr(module, exported)


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda: Dataset.Tabular.from_sql_query("x"), "Dataset.Tabular.from_sql_query"),
        (lambda: Dataset.auto_read_files("x"), "Dataset.auto_read_files"),
        (lambda: Webservice(None, "x"), "Webservice"),
        (lambda: AciWebservice.deploy_configuration(cpu_cores=1), "AciWebservice"),
        (lambda: InferenceConfig(entry_script="x"), "InferenceConfig"),
        (lambda: ComputeTarget.create(None, "x", None), "ComputeTarget.create"),
    ],
)
def test_each_use_says_what_is_not_built_yet(use: Callable[[], Any], what: str) -> None:
    with pytest.raises(NotBuiltYetException, match=what) as raised:
        use()
    assert isinstance(raised.value, AzureMLException)
    assert isinstance(raised.value, NotBuiltYet)
    assert "not built yet" in raised.value.message


def test_no_compute_target_is_there_and_its_exception_is_the_one_that_notebooks_catch(
    ws: Workspace,
) -> None:
    with pytest.raises(ComputeTargetException, match="cpu-cluster not found"):
        ComputeTarget(workspace=ws, name="cpu-cluster")
    assert ComputeTarget.list(ws) == []
    assert ws.compute_targets == {}
    assert (LocalTarget().name, LocalTarget().type) == ("local", "local")
    from azureml.core.compute_target import ComputeTargetException as Caught

    assert Caught is ComputeTargetException


def test_the_data_package_has_the_version_of_the_sdk() -> None:
    import azureml.core
    import azureml.data

    assert azureml.data.__version__ == azureml.core.VERSION
