"""`run.input_datasets`, `run.output_datasets` (empty in this release), and what details show."""

from __future__ import annotations

from zaffre.sdk.exceptions import NotBuiltYetException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.run import Run


class InputDatasets(dict):  # pyright: ignore[reportMissingTypeArgument] - v1's has a dict's methods
    """A run's inputs by name; a missing name is a KeyError."""

    def __init__(self, workspace: Any) -> None:
        super().__init__()
        self.workspace = workspace


class ShownInput(dict):  # pyright: ignore[reportMissingTypeArgument]
    """An input in a run's details: its dataset shows as its id and is one when it is used."""

    def __init__(self, workspace: Any, shown: dict[str, Any]) -> None:
        super().__init__(shown)
        self._workspace = workspace

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if key != "dataset" or not isinstance(value, dict):
            return value
        from zaffre.sdk.dataset import Dataset

        return Dataset.get_by_id(self._workspace, super().__getitem__(key)["id"])


class OutputDatasets(dict):  # pyright: ignore[reportMissingTypeArgument]
    """A run's outputs by name; a missing name is a KeyError."""

    def __init__(self, workspace: Any) -> None:
        super().__init__()
        self.workspace = workspace


class LinkOutput:
    """Links a dataset as a run's output."""

    def __init__(self, workspace: Any, name: str | None = None) -> None:
        self.workspace = workspace
        self.name = name

    def link(self, dataset: Any, run: Any = None) -> None:
        """Link a dataset."""
        raise NotBuiltYetException("LinkOutput.link")


def inputs_of(run: Run) -> InputDatasets:
    """Return a run's inputs: the dataset, or inside the script the path that stands for it."""
    import os

    from zaffre.sdk.dataset import Dataset

    workspace = run.experiment.workspace
    inside = os.environ.get("AZUREML_RUN_ID") == run.id
    found = InputDatasets(workspace)
    for one in dataset_inputs(run.refresh_record()):
        path = os.environ.get(one["variable"]) if inside and one["mode"] != "direct" else None
        found[one["name"]] = path or Dataset.get_by_id(workspace, one["dataset_id"])
    return found


def shown_inputs(workspace: Any, record: dict[str, Any]) -> list[ShownInput]:
    """Return `inputDatasets` of a run's details."""
    return [
        ShownInput(
            workspace,
            {
                "dataset": {"id": one["dataset_id"]},
                "consumptionDetails": {
                    "type": "RunInput",
                    "inputName": one["name"],
                    "mechanism": one["mode"].title(),
                },
            },
        )
        for one in dataset_inputs(record)
    ]


def dataset_inputs(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return those inputs of a run's record that are datasets."""
    inputs = (record.get("spec") or {}).get("inputs") or []
    return [one for one in inputs if one["kind"] == "dataset"]
