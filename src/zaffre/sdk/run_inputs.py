"""From what a configuration says of data to what the runner makes ready before the script."""

from __future__ import annotations

from zaffre.sdk.exceptions import NotBuiltYetException, UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.contract.run_input import RunInput
    from zaffre.sdk.run_configuration import RunConfiguration


def of_configuration(
    run_config: RunConfiguration, arguments: Any, inputs: list[Any]
) -> list[RunInput]:
    """Return a run's data, each name once.

    Data references are those of `run_config.data_references`, then those that stand in the
    arguments or in an estimator's inputs by themselves. Raises UserErrorException.
    """
    from zaffre.sdk.abstract_dataset import AbstractDataset
    from zaffre.sdk.data_reference import DataReference
    from zaffre.sdk.dataset_consumption_config import DatasetConsumptionConfig

    references: dict[str, Any] = dict(run_config.data_references or {})
    for value in inputs:
        if not isinstance(value, (DataReference, DatasetConsumptionConfig, AbstractDataset)):
            raise NotBuiltYetException(f"A run with an input of type {type(value).__name__}")
    for value in [*(arguments if isinstance(arguments, (list, tuple)) else ()), *inputs]:
        if isinstance(value, DataReference):
            references.setdefault(value.data_reference_name, value.to_config())
    return [_of_reference(name, reference) for name, reference in references.items()]


def _of_reference(name: str, reference: Any) -> RunInput:
    from zaffre.contract.run_input import InputKind, InputMode, RunInput
    from zaffre.sdk.data_reference import DataReference, checked_mode, placeholder
    from zaffre.sdk.run_configuration_sections import DataReferenceConfiguration

    if isinstance(reference, DataReference):
        reference = reference.to_config()
    if not isinstance(reference, DataReferenceConfiguration) or not reference.data_store_name:
        raise UserErrorException(
            f"data_references[{name!r}]: must be a DataReferenceConfiguration with a "
            "datastore_name; DataReference.to_config() makes one."
        )
    text = placeholder(name)
    return RunInput(
        name=name,
        kind=InputKind.DATA_REFERENCE,
        mode=InputMode(checked_mode(reference.mode)),
        placeholder=text,
        variable=text[1:],
        datastore=reference.data_store_name,
        path=reference.path_on_data_store or "",
        path_on_compute=reference.path_on_compute or None,
        overwrite=bool(reference.overwrite),
    )
