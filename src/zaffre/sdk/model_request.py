"""What users say of a model, checked and turned into what the server is asked."""

from __future__ import annotations

from zaffre.sdk import argument
from zaffre.sdk.exceptions import UserErrorException, WebserviceException
from zaffre.sdk.section import as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.contract.model import ModelRequest
    from zaffre.sdk.resource_configuration import ResourceConfiguration
    from zaffre.sdk.workspace import Workspace


def request_of(
    name: str,
    tags: Any = None,
    properties: Any = None,
    description: str | None = None,
    framework: str | None = None,
    framework_version: str | None = None,
    sample_input_dataset: Any = None,
    sample_output_dataset: Any = None,
    resource_configuration: ResourceConfiguration | None = None,
    run_id: str | None = None,
    dataset_ids: dict[str, list[str]] | None = None,
) -> ModelRequest:
    """Return the request for a model, less its files, with everything in it checked."""
    import os

    from zaffre.contract import names
    from zaffre.contract.errors import Invalid
    from zaffre.contract.model import ModelRequest

    try:
        names.model_name(name)
    except Invalid as problem:
        raise WebserviceException(problem.message) from problem
    return ModelRequest(
        name=name,
        idempotency_key=os.urandom(16).hex(),
        files=(),
        tags=labels(tags, "tags") if tags is not None else {},
        properties={
            key: "" if value is None else value
            for key, value in labels(properties, "properties").items()
        }
        if properties is not None
        else {},
        description=description,
        framework=framework,
        framework_version=None if framework_version is None else str(framework_version),
        run_id=run_id,
        sample_input_dataset_id=dataset_id(sample_input_dataset),
        sample_output_dataset_id=dataset_id(sample_output_dataset),
        resource_configuration=resources(resource_configuration),
        datasets=dataset_ids or {},
    )


def query(
    name: str | None, tags: Any, properties: Any, run_id: str | None, framework: str | None
) -> dict[str, Any]:
    """Return the query of a list of models."""
    asked: dict[str, Any] = {}
    argument.optional_text(name, "name")
    argument.optional_text(run_id, "run_id")
    argument.optional_text(framework, "model_framework")
    if name:
        asked["name"] = name
    if tags:
        asked["tag"] = filters(tags, "tags")
    if properties:
        asked["property"] = filters(properties, "properties")
    if run_id:
        asked["run_id"] = run_id
    if framework:
        asked["framework"] = framework
    return asked


def filters(given: Any, field: str) -> list[str]:
    """Return ['key', ['key', 'value']] as ['key', 'key=value']."""
    filters: list[str] = []
    if not isinstance(given, (list, tuple)):
        raise UserErrorException(
            f"{field}: must be a list such as ['key', ['key', 'value']], "
            f"not {type(given).__name__}."
        )
    for one in as_list(given):
        if isinstance(one, str):
            filters.append(one)
        elif isinstance(one, (list, tuple)) and len(as_list(one)) == 2:
            key, value = as_list(one)
            filters.append(f"{key}={value}")
        else:
            raise UserErrorException(
                f"{field}: {one!r} is neither 'key' nor ['key', 'value'].",
            )
    return filters


def labels(given: Any, field: str) -> dict[str, str | None]:
    """Return tags or properties as text; WebserviceException for what cannot be."""
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return names.label(given, field)
    except Invalid as problem:
        raise WebserviceException(problem.message) from problem


def keys(given: Any, field: str) -> list[str]:
    """Return the keys of tags to remove."""
    kind = type(given).__name__
    if isinstance(given, (str, dict)) or not hasattr(given, "__iter__"):
        raise WebserviceException(f"{field}: must be a list of keys such as ['key'], not {kind}.")
    return [str(key) for key in as_list(given)]


def version_number(version: Any) -> int:
    """Return a version, which must be an int."""
    if isinstance(version, int) and not isinstance(version, bool):
        return version
    raise WebserviceException(f"version: must be an int, not {version!r}.")


def resources(given: Any) -> dict[str, Any] | None:
    """Return v1's JSON form of a ResourceConfiguration, None for None."""
    if given is None:
        return None
    from zaffre.sdk.resource_configuration import ResourceConfiguration

    if not isinstance(given, ResourceConfiguration):
        raise WebserviceException(
            f"resource_configuration: must be a ResourceConfiguration, not {given!r}."
        )
    return given.serialize()


def saved_datasets(workspace: Workspace, datasets: Any) -> dict[str, list[str]]:
    """Return [(use, dataset)] as use to ids; datasets that are not saved yet are saved.

    Raises WebserviceException for what is no such list.
    """
    from zaffre.sdk.abstract_dataset import AbstractDataset

    found: dict[str, list[str]] = {}
    for one in argument.items(datasets or [], "datasets"):
        pair = as_list(one) if isinstance(one, (list, tuple)) else []
        if len(pair) != 2 or not isinstance(pair[0], str):
            raise WebserviceException(
                f"datasets: {one!r} is no pair such as (Dataset.Scenario.TRAINING, dataset)."
            )
        if not isinstance(pair[1], AbstractDataset):
            raise WebserviceException(f"datasets: {pair[1]!r} is no dataset.")
        found.setdefault(pair[0], []).append(pair[1].save_for(workspace))
    return found


def dataset_id(dataset: Any) -> str | None:
    """Return the id of a sample dataset, which may be given as one."""
    if dataset is None or isinstance(dataset, str):
        return dataset
    found = getattr(dataset, "id", None)
    if isinstance(found, str):
        return found
    raise WebserviceException(f"{dataset!r} is no dataset.")
