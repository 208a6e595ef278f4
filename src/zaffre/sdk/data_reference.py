"""Paths of datastores: for datasets, and for runs."""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt, method


class DataReference(Unbuilt):
    """A folder of a datastore that a run reads or writes."""

    create = method("DataReference.create")


class DataPath(Unbuilt):
    """A path of a datastore."""

    create_from_data_reference = method("DataPath.create_from_data_reference")


class DataPathComputeBinding(Unbuilt):
    """How a path of a datastore reaches a run."""

    create_from_data_reference = method("DataPathComputeBinding.create_from_data_reference")
