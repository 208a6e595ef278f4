"""How an estimator's script is distributed: `distributed_training=` of the estimators."""

from __future__ import annotations


class DistributedTraining:
    """A way of distributing; `framework` and `communicator` are the run configuration's words."""

    framework = "Python"
    communicator = "None"
    #: Estimators that can be distributed this way; empty: all.
    _estimators: tuple[str, ...] = ()

    def validate(self, estimator_name: str) -> None:
        """Raise TrainingException if the estimator cannot be distributed this way."""
        if not self._estimators or estimator_name in self._estimators:
            return
        from zaffre.sdk.exceptions import TrainingException

        raise TrainingException(
            f"{estimator_name} cannot be distributed by {self}; {', '.join(self._estimators)} can."
        )

    def __str__(self) -> str:
        """Return the name of the way."""
        return type(self).__name__


class Mpi(DistributedTraining):
    """Processes under MPI, some on each node."""

    communicator = "IntelMpi"

    def __init__(self, process_count_per_node: int = 1) -> None:
        self.process_count_per_node = process_count_per_node


class ParameterServer(DistributedTraining):
    """Workers and parameter servers of TensorFlow."""

    framework = "TensorFlow"
    communicator = "ParameterServer"
    _estimators = ("TensorFlow",)

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        self.worker_count = worker_count
        self.parameter_server_count = parameter_server_count


class Nccl(DistributedTraining):
    """torch.distributed on GPUs."""

    framework = "PyTorch"
    communicator = "Nccl"
    _estimators = ("PyTorch",)


class Gloo(DistributedTraining):
    """torch.distributed on CPUs."""

    framework = "PyTorch"
    communicator = "Gloo"
    _estimators = ("PyTorch",)
