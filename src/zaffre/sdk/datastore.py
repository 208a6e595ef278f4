"""Datastores: their names only, until the data part is built."""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt, method


class Datastore(Unbuilt):
    """A place for data: a blob container, a file share, a database."""

    get = method("Datastore.get")
    get_default = method("Datastore.get_default")
    register_azure_blob_container = method("Datastore.register_azure_blob_container")
    register_azure_data_lake = method("Datastore.register_azure_data_lake")
    register_azure_data_lake_gen2 = method("Datastore.register_azure_data_lake_gen2")
    register_azure_file_share = method("Datastore.register_azure_file_share")
    register_azure_my_sql = method("Datastore.register_azure_my_sql")
    register_azure_postgre_sql = method("Datastore.register_azure_postgre_sql")
    register_azure_sql_database = method("Datastore.register_azure_sql_database")
    register_dbfs = method("Datastore.register_dbfs")
    register_hdfs = method("Datastore.register_hdfs")


class DataReference(Unbuilt):
    """A folder of a datastore that a run reads or writes."""

    create = method("DataReference.create")


class DataPath(Unbuilt):
    """A path of a datastore."""

    create_from_data_reference = method("DataPath.create_from_data_reference")


class DataPathComputeBinding(Unbuilt):
    """How a path of a datastore reaches a run."""

    create_from_data_reference = method("DataPathComputeBinding.create_from_data_reference")
