"""Compute targets: in this release there is `local`, this machine."""

from __future__ import annotations

from zaffre.sdk.exceptions import ComputeTargetException, NotBuiltYetException

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


class _UnbuiltConfiguration:
    """A description of compute to make, attach or change, which nothing here can use yet."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise NotBuiltYetException(type(self).__name__)


class ComputeTargetProvisioningConfiguration(_UnbuiltConfiguration):
    """What a new target is to be like."""


class ComputeTargetAttachConfiguration(_UnbuiltConfiguration):
    """Which machines are to be attached."""


class ComputeTargetUpdateConfiguration(_UnbuiltConfiguration):
    """What is to change on a target."""


class _ProvisionedTarget(ComputeTarget):
    @staticmethod
    def provisioning_configuration(*args: object, **kwargs: object) -> NoReturn:
        """Describe a target to make."""
        raise NotBuiltYetException("provisioning_configuration")


class _AttachedTarget(ComputeTarget):
    @staticmethod
    def attach_configuration(*args: object, **kwargs: object) -> NoReturn:
        """Describe machines to attach."""
        raise NotBuiltYetException("attach_configuration")


class AmlCompute(_ProvisionedTarget):
    """A cluster of machines."""


class ComputeInstance(_ProvisionedTarget):
    """One machine of one person."""


class AksCompute(_ProvisionedTarget):
    """A Kubernetes cluster for services."""

    attach_configuration = staticmethod(_AttachedTarget.attach_configuration)


class DsvmCompute(_ProvisionedTarget):
    """A data science virtual machine."""


class DataFactoryCompute(_ProvisionedTarget):
    """A data factory."""

    attach_configuration = staticmethod(_AttachedTarget.attach_configuration)


class AdlaCompute(_AttachedTarget):
    """A data lake analytics account."""


class BatchCompute(_AttachedTarget):
    """A batch account."""


class DatabricksCompute(_AttachedTarget):
    """A Databricks workspace."""


class HDInsightCompute(_AttachedTarget):
    """An HDInsight cluster."""


class KubernetesCompute(_AttachedTarget):
    """A Kubernetes cluster."""


class KustoCompute(_AttachedTarget):
    """A Kusto cluster."""


class RemoteCompute(_AttachedTarget):
    """A machine by SSH."""


class SynapseCompute(_AttachedTarget):
    """A Synapse Spark pool."""


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
