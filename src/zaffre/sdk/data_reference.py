"""Paths of datastores: for datasets, and for runs."""

from __future__ import annotations

from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.datastore_kinds import AbstractDatastore
    from zaffre.sdk.run_configuration_sections import DataReferenceConfiguration

_MODES = ("mount", "download", "upload")


class DataReference:
    """A folder or file of a datastore that a run reads or writes.

    data_reference_name: without one the datastore's name, or 32 hex digits if there is a path.
    mode: 'mount' (read-only, no copy), 'download' or 'upload'. path_on_compute: where the script
    finds it, absolute or below its working folder; the runner chooses without. overwrite: of
    files that are there. `str()` is what stands for the path in a run's arguments.
    """

    def __init__(
        self,
        datastore: AbstractDatastore,
        data_reference_name: str | None = None,
        path_on_datastore: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        self.datastore = datastore
        self.data_reference_name = data_reference_name or _new_name(datastore, path_on_datastore)
        self.path_on_datastore = path_on_datastore
        self.mode = checked_mode(mode)
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite

    @staticmethod
    def create(
        data_reference_name: str | None = None,
        datapath: DataPath | None = None,
        datapath_compute_binding: DataPathComputeBinding | None = None,
    ) -> DataReference:
        """Return the reference of a path that is used as a binding says."""
        if datapath is None:
            raise UserErrorException("datapath: give a DataPath, which names the datastore.")
        return datapath.create_data_reference(data_reference_name, datapath_compute_binding)

    def path(
        self, path: str | None = None, data_reference_name: str | None = None
    ) -> DataReference:
        """Return a reference to what is below this one's path."""
        joined = _joined(self.path_on_datastore, path)
        return self._changed(
            data_reference_name=data_reference_name or _new_name(self.datastore, joined),
            path_on_datastore=joined,
        )

    def as_download(
        self, path_on_compute: str | None = None, overwrite: bool = False
    ) -> DataReference:
        """Return a reference that the script gets as a copy."""
        return self._changed(mode="download", path_on_compute=path_on_compute, overwrite=overwrite)

    def as_upload(
        self, path_on_compute: str | None = None, overwrite: bool = False
    ) -> DataReference:
        """Return a reference that the script gets as an empty folder, uploaded after the run."""
        return self._changed(mode="upload", path_on_compute=path_on_compute, overwrite=overwrite)

    def as_mount(self) -> DataReference:
        """Return a reference that the script reads where the data is."""
        return self._changed(mode="mount", path_on_compute=None, overwrite=False)

    def to_config(self) -> DataReferenceConfiguration:
        """Return what `run_config.data_references[name]` takes."""
        from zaffre.sdk.run_configuration_sections import DataReferenceConfiguration

        return DataReferenceConfiguration(
            datastore_name=self.datastore.name,
            mode=self.mode,
            path_on_datastore=self.path_on_datastore,
            path_on_compute=self.path_on_compute,
            overwrite=self.overwrite,
        )

    def _changed(self, **changes: Any) -> DataReference:
        import copy

        changed = copy.copy(self)
        vars(changed).update(changes)
        return changed

    def __str__(self) -> str:
        return placeholder(self.data_reference_name)

    def __repr__(self) -> str:
        return str(self)


class SqlDataReference(DataReference):
    """What a DataTransferStep reads of a database: a table, a query or a stored procedure."""

    def __init__(
        self,
        datastore: AbstractDatastore,
        data_reference_name: str | None = None,
        sql_table: str | None = None,
        sql_query: str | None = None,
        sql_stored_procedure: str | None = None,
        sql_stored_procedure_params: list[Any] | None = None,
    ) -> None:
        super().__init__(datastore, data_reference_name)
        self.sql_table = sql_table
        self.sql_query = sql_query
        self.sql_stored_procedure = sql_stored_procedure
        self.sql_stored_procedure_params = sql_stored_procedure_params

    def path(
        self, path: str | None = None, data_reference_name: str | None = None
    ) -> DataReference:
        """Refuse: a database has no paths."""
        raise _no_files("path")

    def as_download(
        self, path_on_compute: str | None = None, overwrite: bool = False
    ) -> DataReference:
        """Refuse: a database has no files."""
        raise _no_files("as_download")

    def as_upload(
        self, path_on_compute: str | None = None, overwrite: bool = False
    ) -> DataReference:
        """Refuse: a database has no files."""
        raise _no_files("as_upload")

    def as_mount(self) -> DataReference:
        """Refuse: a database has no files."""
        raise _no_files("as_mount")

    def to_config(self) -> DataReferenceConfiguration:
        """Refuse: a script cannot be given rows as a path."""
        raise _no_files("to_config")


class DataPath:
    """A path of a datastore. Raises ValueError without a datastore."""

    def __init__(
        self,
        datastore: AbstractDatastore | None = None,
        path_on_datastore: str | None = None,
        name: str | None = None,
    ) -> None:
        if datastore is None:
            raise ValueError("datastore: a DataPath needs one.")
        self._datastore = datastore
        self._path_on_datastore = path_on_datastore
        self._name = name

    @property
    def datastore_name(self) -> str:
        """The datastore's name."""
        return self._datastore.name

    @property
    def path_on_datastore(self) -> str | None:
        """The path below the datastore's root."""
        return self._path_on_datastore

    @property
    def datastore(self) -> AbstractDatastore:
        """The datastore (not a name of v1's)."""
        return self._datastore

    def create_data_reference(
        self,
        data_reference_name: str | None = None,
        datapath_compute_binding: DataPathComputeBinding | None = None,
    ) -> DataReference:
        """Return a reference to the path that is used as a binding says, without one mounted."""
        binding = datapath_compute_binding or DataPathComputeBinding()
        return binding.create_data_reference(data_reference_name, self)

    @staticmethod
    def create_from_data_reference(data_reference: DataReference) -> DataPath:
        """Return the path of a reference."""
        return DataPath(
            data_reference.datastore,
            data_reference.path_on_datastore,
            data_reference.data_reference_name,
        )

    @property
    def name(self) -> str | None:
        """What a reference to it is called if nothing else is said (not a name of v1's)."""
        return self._name


class DataPathComputeBinding:
    """How a path of a datastore reaches a run: the arguments are those of DataReference."""

    def __init__(
        self, mode: str = "mount", path_on_compute: str | None = None, overwrite: bool = False
    ) -> None:
        self._mode = mode
        self._path_on_compute = path_on_compute
        self._overwrite = overwrite

    def create_data_reference(
        self, data_reference_name: str | None = None, datapath: DataPath | None = None
    ) -> DataReference:
        """Return a reference to a path that is used so."""
        if datapath is None:
            raise UserErrorException("datapath: give a DataPath, which names the datastore.")
        return DataReference(
            datapath.datastore,
            data_reference_name or datapath.name,
            datapath.path_on_datastore,
            self._mode,
            self._path_on_compute,
            self._overwrite,
        )

    @staticmethod
    def create_from_data_reference(data_reference: DataReference) -> DataPathComputeBinding:
        """Return how a reference is used."""
        return DataPathComputeBinding(
            data_reference.mode, data_reference.path_on_compute, data_reference.overwrite
        )


def placeholder(name: str) -> str:
    """Return what stands for a reference's path in a run's arguments."""
    return f"$AZUREML_DATAREFERENCE_{name}"


def checked_mode(mode: Any) -> str:
    """Return a mode in lower case. Raises UserErrorException for one that there is not."""
    text = mode.lower() if isinstance(mode, str) else mode
    if text not in _MODES:
        raise UserErrorException(
            f"Invalid mode {mode!r}. Only mount, download, upload are supported."
        )
    return text


def _new_name(datastore: AbstractDatastore, path: str | None) -> str:
    import uuid

    return uuid.uuid4().hex if path else datastore.name


def _joined(path: str | None, below: str | None) -> str | None:
    parts = [part for part in (path, below) if part]
    return "/".join(part.strip("/") for part in parts) or None


def _no_files(what: str) -> UserErrorException:
    return UserErrorException(f"SqlDataReference.{what}: a database has no files.")
