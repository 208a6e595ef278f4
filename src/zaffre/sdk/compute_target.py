"""Compute targets: in this release there is `local`, this machine."""

from __future__ import annotations

from zaffre.sdk.exceptions import ComputeTargetException, NotBuiltYetException
from zaffre.sdk.unbuilt import Unbuilt, method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from zaffre.sdk.workspace import Workspace

__all__ = [
    "AbstractComputeTarget",
    "ComputeTarget",
    "ComputeTargetException",
    "LocalTarget",
    "attach_legacy_compute_target",
    "is_compute_target_prepared",
    "prepare_compute_target",
    "remove_legacy_compute_target",
]


class AbstractComputeTarget:
    """A place where runs run."""

    def __init__(self, compute_target_type: str, name: str) -> None:
        self._type = compute_target_type
        self._name = name

    @property
    def type(self) -> str:
        """The kind of target."""
        return self._type

    @property
    def name(self) -> str:
        """The name that run configurations use."""
        return self._name

    @staticmethod
    def deserialize_from_dict(
        compute_target_name: str, compute_target_dict: dict[str, Any]
    ) -> AbstractComputeTarget:
        """Return the target that an old project file described; only `local` is known."""
        if compute_target_dict.get("type") == "local":
            return LocalTarget()
        raise NotBuiltYetException(f"Compute target {compute_target_name!r}")


class LocalTarget(AbstractComputeTarget):
    """The machine that submits."""

    def __init__(self) -> None:
        super().__init__("local", "local")


class ComputeTarget:
    """A cluster or machine of a workspace.

    There is none yet, so every name raises ComputeTargetException, which notebooks answer by
    creating the target.
    """

    _compute_type: str | None = None

    def __init__(self, workspace: Workspace, name: str) -> None:
        del workspace
        raise ComputeTargetException(
            f"ComputeTargetNotFound: Compute Target with name {name} not found in provided "
            "workspace"
        )

    @staticmethod
    def create(workspace: Workspace, name: str, provisioning_configuration: object) -> NoReturn:
        """Make a target."""
        raise NotBuiltYetException("ComputeTarget.create")

    @staticmethod
    def attach(workspace: Workspace, name: str, attach_configuration: object) -> NoReturn:
        """Attach machines that are there."""
        raise NotBuiltYetException("ComputeTarget.attach")

    @staticmethod
    def list(workspace: Workspace) -> list[ComputeTarget]:
        """Return the targets of the workspace: none yet."""
        del workspace
        return []

    @staticmethod
    def deserialize(workspace: Workspace, object_dict: dict[str, Any]) -> NoReturn:
        """Return a target of its JSON form."""
        raise NotBuiltYetException("ComputeTarget.deserialize")


class ComputeTargetProvisioningConfiguration(Unbuilt):
    """What a new target is to be like."""


class ComputeTargetAttachConfiguration(Unbuilt):
    """Which machines are to be attached."""


class ComputeTargetUpdateConfiguration(Unbuilt):
    """What is to change on a target."""


class AmlCompute(ComputeTarget):
    """A cluster of machines."""

    provisioning_configuration = method("AmlCompute.provisioning_configuration")


class ComputeInstance(ComputeTarget):
    """One machine of one person."""

    provisioning_configuration = method("ComputeInstance.provisioning_configuration")


class AksCompute(ComputeTarget):
    """A Kubernetes cluster for services."""

    provisioning_configuration = method("AksCompute.provisioning_configuration")
    attach_configuration = method("AksCompute.attach_configuration")


class DsvmCompute(ComputeTarget):
    """A data science virtual machine."""

    provisioning_configuration = method("DsvmCompute.provisioning_configuration")


class DataFactoryCompute(ComputeTarget):
    """A data factory."""

    provisioning_configuration = method("DataFactoryCompute.provisioning_configuration")
    attach_configuration = method("DataFactoryCompute.attach_configuration")


class AdlaCompute(ComputeTarget):
    """A data lake analytics account."""

    attach_configuration = method("AdlaCompute.attach_configuration")


class BatchCompute(ComputeTarget):
    """A batch account."""

    attach_configuration = method("BatchCompute.attach_configuration")


class DatabricksCompute(ComputeTarget):
    """A Databricks workspace."""

    attach_configuration = method("DatabricksCompute.attach_configuration")


class HDInsightCompute(ComputeTarget):
    """An HDInsight cluster."""

    attach_configuration = method("HDInsightCompute.attach_configuration")


class KubernetesCompute(ComputeTarget):
    """A Kubernetes cluster."""

    attach_configuration = method("KubernetesCompute.attach_configuration")


class KustoCompute(ComputeTarget):
    """A Kusto cluster."""

    attach_configuration = method("KustoCompute.attach_configuration")


class RemoteCompute(ComputeTarget):
    """A machine by SSH."""

    attach_configuration = method("RemoteCompute.attach_configuration")


class SynapseCompute(ComputeTarget):
    """A Synapse Spark pool."""

    attach_configuration = method("SynapseCompute.attach_configuration")


def attach_legacy_compute_target(
    experiment: object, source_directory: str, compute_target: object
) -> NoReturn:
    """Attach a target of an old project folder."""
    raise NotBuiltYetException("attach_legacy_compute_target")


def remove_legacy_compute_target(
    experiment: object, source_directory: str, compute_target_name: str
) -> NoReturn:
    """Remove a target of an old project folder."""
    raise NotBuiltYetException("remove_legacy_compute_target")


def prepare_compute_target(
    experiment: object, source_directory: str, run_config: object
) -> NoReturn:
    """Prepare the environment of a run in advance."""
    raise NotBuiltYetException("prepare_compute_target")


def is_compute_target_prepared(
    experiment: object, source_directory: str, run_config: object
) -> bool:
    """Say whether a run's environment is ready: on `local` it always is."""
    del experiment, source_directory, run_config
    return True
