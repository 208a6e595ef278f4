"""What tabular and file datasets share: a definition, and what the server knows of it."""

from __future__ import annotations

from zaffre.sdk import argument, session
from zaffre.sdk.dataset_errors import checking, reading
from zaffre.sdk.exceptions import ServiceException, UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, Callable, Sequence, TypeVar

    from zaffre.contract.dataset import Dataset as Record
    from zaffre.contract.dataset import Definition
    from zaffre.sdk.dataset_consumption_config import DatasetConsumptionConfig
    from zaffre.sdk.workspace import Workspace

    Self = TypeVar("Self", bound="AbstractDataset")

#: v1's names of the steps that `str()` shows.
_STEP_NAMES = {
    "read_delimited": "ParseDelimited",
    "read_parquet": "ReadParquetFile",
    "read_json_lines": "ParseJsonLines",
    "convert_column_types": "SetColumnTypes",
    "extract_partitions": "AddColumnsFromPartitionFormat",
}


class AbstractDataset:
    """A dataset: where its data is and what is done to it. Nothing is read until it is needed.

    Each change returns a new dataset, which is not registered.
    """

    def __init__(
        self, definition: Definition, workspace: Workspace | None, record: Record | None = None
    ) -> None:
        self._definition = definition
        self._workspace = workspace
        self._record = record

    @property
    def id(self) -> str | None:
        """Its id; None until it is registered or a run that uses it is submitted."""
        return None if self._record is None else self._record.dataset_id

    @property
    def name(self) -> str | None:
        """The name that it is registered under."""
        return None if self._record is None else self._record.name

    @property
    def version(self) -> int | None:
        """Its version among those of its name."""
        return None if self._record is None else self._record.version

    @property
    def description(self) -> str | None:
        """What was said of it when it was registered."""
        return None if self._record is None else self._record.description

    @property
    def tags(self) -> dict[str, str | None] | None:
        """Its tags; None until it is registered."""
        return None if self._record is None else dict(self._record.tags)

    @property
    def data_changed_time(self) -> datetime | None:
        """When the newest of its files was written; None without files."""
        return max((file.entry.modified_at for file in self._files()), default=None)

    @property
    def partition_keys(self) -> list[str]:
        """The columns that come from the files' paths, in order."""
        from zaffre.contract import dataset as contract

        return contract.partition_keys(self._definition)

    @property
    def definition(self) -> Definition:
        """Where its data is and what is done to it (not a name of v1's)."""
        return self._definition

    # Registering.

    def register(
        self: Self,
        workspace: Workspace,
        name: str,
        description: str | None = None,
        tags: dict[str, Any] | None = None,
        create_new_version: bool = False,
    ) -> Self:
        """Register it under a name; return it as it is registered, with id and version.

        With create_new_version each call makes a version, also of the same definition. Raises
        UserErrorException if the name is there and create_new_version is not set.
        """
        if self._workspace is not None and self._workspace.workspace_id != workspace.workspace_id:
            raise UserErrorException(
                f"The dataset's datastores are in workspace {self._workspace.name!r}; it cannot be "
                f"registered in workspace {workspace.name!r}."
            )
        argument.text(name, "name")
        try:
            record = self._save(workspace, name, description, tags, new_version=create_new_version)
        except ServiceException as refusal:
            if refusal.code != "dataset.exists":
                raise
            raise UserErrorException(
                f'There is already a dataset registered under name "{name}". Specify '
                "`create_new_version=True` to register the dataset as a new version. Use `update`, "
                "`add_tags`, or `remove_tags` to change only description or tags."
            ) from refusal
        return type(self)(record.definition, workspace, record)

    def save_for(self, workspace: Workspace) -> str:
        """Save it in a workspace unless it is saved already; return its id (no name of v1's)."""
        if self._record is None:
            self._record = self._save(workspace, None, None, None, new_version=False)
            self._workspace = workspace
        return self._record.dataset_id

    def _save(
        self,
        workspace: Workspace,
        name: str | None,
        description: str | None,
        tags: dict[str, Any] | None,
        *,
        new_version: bool,
    ) -> Record:
        import uuid

        from zaffre.contract import wire
        from zaffre.contract.dataset import DatasetRequest

        request = DatasetRequest(
            self._definition, name, description, _labels(tags or {}, "tags"), new_version
        )
        path = f"/workspaces/{workspace.workspace_id}/datasets/{uuid.uuid4()}"
        return decode(session.current().request("PUT", path, json=wire.encode(request)))

    def update(self: Self, description: str | None = None, tags: Any = None) -> Self:
        """Replace the description and the tags that are given; return itself."""
        changes: dict[str, Any] = {}
        if description is not None:
            changes["description"] = argument.optional_text(description, "description")
        if tags is not None:
            changes["replace_tags"] = _labels(tags, "tags")
        return self._change(changes)

    def add_tags(self: Self, tags: Any = None) -> Self:
        """Add tags, in place of ones of the same key; return itself."""
        return self._change({"set_tags": _labels(tags or {}, "tags")})

    def remove_tags(self: Self, tags: Any = None) -> Self:
        """Remove tags by their keys; one that is not there is passed over. Return itself."""
        keys = [str(key) for key in argument.items(tags or [], "tags")]
        return self._change({"remove_tags": keys})

    def _change(self: Self, changes: dict[str, Any]) -> Self:
        workspace, record = self._registered("changed")
        path = f"/workspaces/{workspace.workspace_id}/datasets/{record.dataset_id}"
        self._record = decode(session.current().request("PATCH", path, json=changes))
        return self

    def unregister_all_versions(self) -> None:
        """Forget the name and all its versions; the data stays, and so do runs' records."""
        workspace, record = self._registered("unregistered")
        session.current().request(
            "DELETE",
            f"/workspaces/{workspace.workspace_id}/registered_dataset",
            query={"name": record.name or ""},
        )
        self._record = None

    def _registered(self, what: str) -> tuple[Workspace, Record]:
        if self._workspace is None or self._record is None or self._record.name is None:
            raise UserErrorException(
                f"A dataset that is not registered cannot be {what}. Call register first."
            )
        return self._workspace, self._record

    # Using.

    def as_named_input(self, name: str) -> DatasetConsumptionConfig:
        """Return it as a run's input of this name."""
        from zaffre.sdk.dataset_consumption_config import DatasetConsumptionConfig

        return DatasetConsumptionConfig(name, self)

    def take(self: Self, count: int) -> Self:
        """Return the first `count` rows or files. Raises ValueError for a negative count."""
        return self._stepped("take", count)

    def skip(self: Self, count: int) -> Self:
        """Return all but the first `count` rows or files. Raises ValueError."""
        return self._stepped("skip", count)

    def take_sample(self: Self, probability: float, seed: int | None = None) -> Self:
        """Return each row or file with this probability; a seed makes it repeatable."""
        return self._stepped("take_sample", probability, seed=_seed(seed))

    def random_split(self: Self, percentage: float, seed: int | None = None) -> tuple[Self, Self]:
        """Return about `percentage` (0 to 1) of the rows or files, and all others."""
        from zaffre.contract import dataset as contract

        with checking(ValueError):
            parts = contract.random_split(self._definition, percentage, seed=_seed(seed))
        return self._with(parts[0]), self._with(parts[1])

    def _stepped(self: Self, name: str, *values: Any, **options: Any) -> Self:
        from zaffre.contract import dataset as contract

        step: Callable[..., Definition] = getattr(contract, name)
        with checking(ValueError):
            return self._with(step(self._definition, *values, **options))

    def _with(self: Self, definition: Definition) -> Self:
        return type(self)(definition, self._workspace)

    def _files(self) -> Sequence[Any]:
        from zaffre.data import dataset as engine

        with reading():
            return engine.files(self._definition, stores_of(self._workspace))

    def __repr__(self) -> str:
        """Return v1's JSON of sources, steps and registration, after the class's name."""
        import json

        sources = self._definition.sources
        is_web = all(source.url is not None for source in sources)
        shown: dict[str, Any] = {
            "source": [
                source.url or source.local or f"('{source.datastore}', '{source.path}')"
                for source in sources
            ],
            "definition": [
                "GetFiles" if is_web else "GetDatastoreFiles",
                *(_step_name(step.name) for step in self._definition.steps),
            ],
        }
        if self._record is not None:
            workspace = self._workspace
            shown["registration"] = {
                "id": self.id,
                "name": self.name,
                "version": self.version,
                "description": self.description,
                "tags": self.tags,
                "workspace": None if workspace is None else repr(workspace),
            }
        return f"{type(self).__name__}\n{json.dumps(shown, indent=2)}"


def stores_of(workspace: Workspace | None) -> Any:
    """Return how the engine finds the files of a workspace's datastore."""
    if workspace is None:
        return _no_store
    from zaffre.sdk import datastore

    return datastore.stores(workspace)


def decode(data: dict[str, Any]) -> Record:
    """Return the record of a dataset as the server answers it."""
    from zaffre.contract import wire
    from zaffre.contract.dataset import Dataset

    return wire.decode(Dataset, data)


def _step_name(name: str) -> str:
    return _STEP_NAMES.get(name) or name.title().replace("_", "")


def _labels(tags: Any, field: str) -> dict[str, str | None]:
    from zaffre.contract import names

    with checking():
        return names.label(tags, field)


def _seed(seed: int | None) -> int:
    if seed is not None:
        return seed
    import random

    return random.SystemRandom().randrange(2**31)


def _no_store(name: str) -> Any:
    raise UserErrorException(f"Datastore {name!r} is of no known workspace.")
