"""Registered models: files under a name, in numbered versions."""

from __future__ import annotations

from zaffre.sdk import argument, model_files, model_request
from zaffre.sdk.exceptions import (
    ModelNotFoundException,
    NotBuiltYetException,
    ServiceException,
    UserErrorException,
    WebserviceException,
)
from zaffre.sdk.unbuilt import Unbuilt, method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, Callable, Sequence

    from zaffre.contract.model import Model as Record
    from zaffre.contract.model import ModelRequest
    from zaffre.contract.snapshot import FileEntry
    from zaffre.sdk.resource_configuration import ResourceConfiguration
    from zaffre.sdk.run import Run
    from zaffre.sdk.workspace import Workspace

_PAGE_MAX = 1000


class Model:
    """One version of a registered model, as it was when it was fetched.

    Its attributes can be changed without changing the registry; `update` and the tag methods
    change both.
    """

    class Framework:
        """Frameworks by v1's names; any other text is taken too."""

        CUSTOM = "Custom"
        TENSORFLOW = "TensorFlow"
        SCIKITLEARN = "ScikitLearn"
        ONNX = "Onnx"
        TFKERAS = "TfKeras"
        PYTORCH = "PyTorch"
        MULTI = "Multi"

    def __init__(
        self,
        workspace: Workspace,
        name: str | None = None,
        id: str | None = None,
        tags: Sequence[Any] | None = None,
        properties: Sequence[Any] | None = None,
        version: int | None = None,
        run_id: str | None = None,
        model_framework: str | None = None,
        expand: bool = True,
        **kwargs: object,
    ) -> None:
        """Fetch the newest version that matches; ModelNotFoundException if none does."""
        del expand
        if kwargs:
            raise TypeError(f"Model() got an unexpected keyword argument {next(iter(kwargs))!r}")
        if not name and not id:
            raise WebserviceException("One of name and id (NAME:VERSION) must be given.")
        wanted_version = None if version is None else model_request.version_number(version)
        if id:
            id_name, _, id_version = str(id).rpartition(":")
            if not id_name or not id_version.isdigit():
                raise WebserviceException(f"id: {id!r} is not of the form NAME:VERSION.")
            name, wanted_version = id_name, int(id_version)
        query = model_request.query(name, tags, properties, run_id, model_framework)
        for data in _pages(workspace, query):
            if wanted_version is None or data["version"] == wanted_version:
                self._take(workspace, _decode(data))
                return
        criteria: dict[str, Any] = {
            "name": name,
            "version": wanted_version,
            "tags": tags,
            "properties": properties,
            "run_id": run_id,
            "model_framework": model_framework,
        }
        shown = ", ".join(f"{key}={value!r}" for key, value in criteria.items() if value)
        raise ModelNotFoundException(
            f"ModelNotFound: No model with {shown} was found in workspace {workspace.name!r}.",
            status_code=404,
        )

    def _take(self, workspace: Workspace, record: Record) -> None:
        """Become what the record says."""
        from zaffre.sdk.resource_configuration import ResourceConfiguration

        self.workspace = workspace
        self.name: str = record.name
        self.id: str = record.model_id
        self.version: int = record.version
        self.tags: dict[str, str | None] = dict(record.tags)
        self.properties: dict[str, str] = dict(record.properties)
        self.created_time: datetime = record.created_at
        self.created_by: dict[str, Any] = {"userName": record.created_by}
        self.description: str | None = record.description
        self.model_framework: str | None = record.framework
        self.model_framework_version: str | None = record.framework_version
        self.run_id: str | None = record.run_id
        self.experiment_name: str | None = record.experiment_name
        self.sample_input_dataset: Any = None
        self.sample_output_dataset: Any = None
        self.resource_configuration: ResourceConfiguration | None = (
            ResourceConfiguration.deserialize(record.resource_configuration)
        )
        self.parent_id: str | None = None
        self.derived_model_ids: list[str] = []
        self.mime_type = "application/x-python"
        self.unpack = record.folder
        self.url = f"aml://asset/{record.model_id}"
        self._datasets: dict[str, list[Any]] | None = None
        self._dataset_ids: dict[str, list[str]] = record.datasets
        self._files: tuple[FileEntry, ...] = record.files
        self._sample_input_dataset_id = record.sample_input_dataset_id
        self._sample_output_dataset_id = record.sample_output_dataset_id

    @property
    def datasets(self) -> dict[str, list[Any]]:
        """What datasets were used for ('training') to the datasets, fetched at first use."""
        if self._datasets is None:
            from zaffre.sdk.dataset import Dataset

            self._datasets = {
                use: [Dataset.get_by_id(self.workspace, one) for one in ids]
                for use, ids in self._dataset_ids.items()
            }
        return self._datasets

    @property
    def run(self) -> Run | None:
        """The run whose files these are; None if there is none, or it was deleted."""
        if self.run_id is None:
            return None
        try:
            return self.workspace.get_run(self.run_id)
        except ServiceException as refusal:
            if refusal.status_code == 404:
                return None
            raise

    def __repr__(self) -> str:
        """Return v1's line."""
        return (
            f"Model(workspace={self.workspace!r}, name={self.name}, id={self.id}, "
            f"version={self.version}, tags={self.tags}, properties={self.properties})"
        )

    # Making and finding.

    @staticmethod
    def register(
        workspace: Workspace,
        model_path: str,
        model_name: str,
        tags: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
        description: str | None = None,
        datasets: Sequence[Any] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: Sequence[str] | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: ResourceConfiguration | None = None,
    ) -> Model:
        """Store a local file or folder as the next version of a model.

        child_paths: only these files of the folder. Raises FileNotFoundError for a path that is
        not there, WebserviceException for names, tags and properties that cannot be.
        """
        from zaffre.client import blobs
        from zaffre.contract.errors import ZaffreError
        from zaffre.sdk import progress, session
        from zaffre.sdk.exceptions import from_refusal

        # What is said of the model is checked before any of its bytes travel.
        request = model_request.request_of(
            name=model_name,
            tags=tags,
            properties=properties,
            description=description,
            framework=model_framework,
            framework_version=model_framework_version,
            sample_input_dataset=sample_input_dataset,
            sample_output_dataset=sample_output_dataset,
            resource_configuration=resource_configuration,
            dataset_ids=model_request.saved_datasets(workspace, datasets),
        )
        sources = model_files.find(model_path, child_paths)
        _say(f"Registering model {model_name}")
        try:
            with progress.shown(f"Uploading model {model_name}") as tell:
                entries = blobs.send(session.current().client, sources.files, on_progress=tell)
        except ZaffreError as refusal:
            raise from_refusal(refusal) from refusal
        return create(workspace, request, tuple(entries), folder=sources.folder)

    @staticmethod
    def list(
        workspace: Workspace,
        name: str | None = None,
        tags: Sequence[Any] | None = None,
        properties: Sequence[Any] | None = None,
        run_id: str | None = None,
        latest: bool = False,
        dataset_id: str | None = None,
        expand: bool = True,
        page_count: int = 255,
        model_framework: str | None = None,
    ) -> list[Model]:
        """Return all versions of all models that match, newest first.

        tags, properties: a list of 'key' or ['key', 'value'], all of which must be there.
        latest: only the highest version of each name.
        """
        del expand
        if dataset_id is not None:
            raise NotBuiltYetException("Model.list(dataset_id=...)")
        query = model_request.query(name, tags, properties, run_id, model_framework)
        if latest:
            query["latest"] = True
        query["limit"] = min(max(int(argument.number(page_count, "page_count")), 1), _PAGE_MAX)
        return [_of(workspace, data) for data in _pages(workspace, query)]

    @staticmethod
    def get_model_path(
        model_name: str, version: int | None = None, _workspace: Workspace | None = None
    ) -> str:
        """Return where the model's file or folder is on this machine.

        Looked for in `azureml-models/NAME/VERSION/`, then (without a version) in the present
        folder; inside a submitted run, and with _workspace, it is downloaded to the former.
        """
        return model_files.local_path(
            model_name,
            None if version is None else model_request.version_number(version),
            _workspace,
        )

    # Its files.

    def download(
        self, target_dir: str = ".", exist_ok: bool = False, exists_ok: bool | None = None
    ) -> str:
        """Write the model's file or folder into a folder; return its path there."""
        import os

        from zaffre.client import download
        from zaffre.contract.errors import ZaffreError
        from zaffre.sdk import progress, session
        from zaffre.sdk.exceptions import from_refusal

        argument.path(target_dir, "target_dir")
        target = os.path.join(target_dir, model_files.top_name(self._files))
        if os.path.exists(target) and not (exist_ok or exists_ok):
            raise WebserviceException(
                f"File already exists: {target}. Set exist_ok=True to write over it."
            )
        os.makedirs(target_dir, exist_ok=True)
        try:
            with progress.shown(f"Downloading model {self.name}") as tell:
                download.fetch(session.current().client, self._files, target_dir, on_progress=tell)
        except ZaffreError as refusal:
            raise from_refusal(refusal) from refusal
        return target

    def get_sas_urls(self) -> dict[str, str]:
        """Return the model's files with addresses that read them without a token, for an hour."""
        from zaffre.sdk import portal

        names = [entry.name for entry in self._files]
        urls = portal.file_urls([f"{self._where()}/files/{name}" for name in names])
        return dict(zip(names, urls))

    # Changing the registry.

    def update(
        self,
        tags: dict[str, Any] | None = None,
        description: str | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: ResourceConfiguration | None = None,
    ) -> None:
        """Replace what is given; tags replace all tags."""
        changes: dict[str, Any] = {}
        if tags is not None:
            changes["replace_tags"] = model_request.labels(tags, "tags")
        if description is not None:
            changes["description"] = description
        if sample_input_dataset is not None:
            changes["sample_input_dataset_id"] = model_request.dataset_id(sample_input_dataset)
        if sample_output_dataset is not None:
            changes["sample_output_dataset_id"] = model_request.dataset_id(sample_output_dataset)
        if resource_configuration is not None:
            changes["resource_configuration"] = model_request.resources(resource_configuration)
        self._change(changes)

    def update_tags_properties(
        self,
        add_tags: dict[str, Any] | None = None,
        remove_tags: Sequence[str] | None = None,
        add_properties: dict[str, Any] | None = None,
    ) -> None:
        """Add tags, remove tags and add properties in one step."""
        changes: dict[str, Any] = {}
        if add_tags:
            changes["set_tags"] = model_request.labels(add_tags, "add_tags")
        if remove_tags:
            changes["remove_tags"] = model_request.keys(remove_tags, "remove_tags")
        if add_properties:
            changes["add_properties"] = self._new_properties(add_properties)
        self._change(changes)

    def add_tags(self, tags: dict[str, Any]) -> None:
        """Add tags, in place of ones of the same key."""
        added = model_request.labels(tags, "tags")
        for key, value in added.items():
            if key in self.tags:
                _say(f"Replacing tag {key} -> {self.tags[key]} with {key} -> {value}")
        self._change({"set_tags": added})
        _say("Model tag add operation complete.")

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Remove tags by their keys; one that is not there is passed over."""
        removed = model_request.keys(tags, "tags")
        self._change({"remove_tags": removed})
        _say("Model tag remove operation complete.")

    def add_properties(self, properties: dict[str, Any]) -> None:
        """Add properties; one that is there already can never change."""
        self._change({"add_properties": self._new_properties(properties)})
        _say("Model properties add operation complete.")

    def add_dataset_references(self, datasets: Sequence[Any]) -> None:
        """Note which datasets the model was made with: [(Dataset.Scenario.TRAINING, dataset)]."""
        found = model_request.saved_datasets(self.workspace, datasets)
        self._change({"add_datasets": found} if found else {})

    def delete(self) -> None:
        """Remove this version; its bytes go at the next collection of garbage."""
        _ask("DELETE", self._where())

    # v1's JSON form.

    def serialize(self) -> dict[str, Any]:
        """Return the model as v1's JSON form."""
        run = None
        if self.run_id is not None:
            run = {"runId": self.run_id, "experimentName": self.experiment_name}
        return {
            "createdTime": str(self.created_time),
            "createdBy": self.created_by,
            "description": self.description,
            "id": self.id,
            "mimeType": self.mime_type,
            "name": self.name,
            "framework": self.model_framework,
            "frameworkVersion": self.model_framework_version,
            "tags": self.tags,
            "properties": self.properties,
            "unpack": self.unpack,
            "url": self.url,
            "version": self.version,
            "experimentName": self.experiment_name,
            "runId": self.run_id,
            "runDetails": run,
            "datasets": self._dataset_ids,
            "resourceConfiguration": self.resource_configuration.serialize()
            if self.resource_configuration is not None
            else None,
            "sampleInputDatasetId": self._sample_input_dataset_id,
            "sampleOutputDatasetId": self._sample_output_dataset_id,
        }

    @staticmethod
    def deserialize(workspace: Workspace, model_payload: dict[str, Any]) -> Model:
        """Return the model whose form `serialize` gave, as the registry has it now."""
        missing = [key for key in ("name", "version") if key not in model_payload]
        if missing:
            raise WebserviceException(
                f"model_payload: {' and '.join(missing)} missing; it is what serialize() gives."
            )
        return Model(workspace, model_payload["name"], version=int(model_payload["version"]))

    # Deployment.

    deploy: Callable[..., Any] = method("Model.deploy")
    package: Callable[..., Any] = method("Model.package")
    profile: Callable[..., Any] = method("Model.profile")
    print_configuration: Callable[..., Any] = method("Model.print_configuration")

    def _where(self) -> str:
        return f"{_models(self.workspace)}/{self.name}/versions/{self.version}"

    def _change(self, changes: dict[str, Any]) -> None:
        """Change the registry, and become what it says then."""
        if changes:
            self._take(self.workspace, _decode(_ask("PATCH", self._where(), changes)))

    def _new_properties(self, properties: Any) -> dict[str, str | None]:
        added = model_request.labels(properties, "properties")
        present = [key for key in added if key in self.properties]
        if present:
            raise WebserviceException(
                f"Properties are immutable; already there: {', '.join(present)}. "
                "Use a tag for what changes."
            )
        return added


class InferenceConfig(Unbuilt):
    """How a model answers requests."""


class ModelPackage(Unbuilt):
    """A model packed to be served elsewhere."""


def create(
    workspace: Workspace, request: ModelRequest, files: tuple[FileEntry, ...], *, folder: bool
) -> Model:
    """Register files that the server has as the next version of a model."""
    from dataclasses import replace

    from zaffre.contract import wire

    body = wire.encode(replace(request, files=files, folder=folder))
    return _of(workspace, _ask("POST", _models(workspace), body))


def _models(workspace: Workspace) -> str:
    return f"/workspaces/{workspace.workspace_id}/models"


def _ask(verb: str, path: str, body: Any = None) -> Any:
    """Ask the server; what it refuses of a model is v1's WebserviceException."""
    from zaffre.sdk import session

    try:
        return session.current().request(verb, path, json=body)
    except UserErrorException as refusal:
        raise WebserviceException(refusal.message) from refusal


def _pages(workspace: Workspace, query: dict[str, Any]) -> Any:
    from zaffre.sdk import session

    return session.current().pages(_models(workspace), query)


def _decode(data: dict[str, Any]) -> Record:
    from zaffre.contract import wire
    from zaffre.contract.model import Model as Record

    return wire.decode(Record, data)


def _of(workspace: Workspace, data: dict[str, Any]) -> Model:
    model = Model.__new__(Model)
    model._take(workspace, _decode(data))  # pyright: ignore[reportPrivateUsage]
    return model


def _say(text: str) -> None:
    """Print a line that v1 printed."""
    import sys

    sys.stdout.write(text + "\n")


__all__ = ["InferenceConfig", "Model", "ModelPackage", "create"]
