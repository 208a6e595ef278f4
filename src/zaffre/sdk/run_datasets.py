"""`run.input_datasets` and `run.output_datasets`: empty until runs can have data."""

from __future__ import annotations

from zaffre.sdk.exceptions import NotBuiltYetException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class InputDatasets(dict):  # pyright: ignore[reportMissingTypeArgument] - v1's has a dict's methods
    """A run's inputs by name; a missing name is a KeyError."""

    def __init__(self, workspace: Any) -> None:
        super().__init__()
        self.workspace = workspace


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
