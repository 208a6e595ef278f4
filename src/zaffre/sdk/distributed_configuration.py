"""How a distributed run is laid out, as records: `ScriptRunConfig(distributed_job_config=...)`."""

from __future__ import annotations

from zaffre.sdk.section import Section


class MpiConfiguration(Section):
    """Processes under MPI, some on each node."""

    __slots__ = ("node_count", "process_count_per_node")
    _order = ("process_count_per_node", "node_count")

    def __init__(self, process_count_per_node: int = 1, node_count: int = 1) -> None:
        self.process_count_per_node = process_count_per_node
        self.node_count = node_count


class PyTorchConfiguration(Section):
    """Ranks of torch.distributed; process_count is the total over all nodes, None one a node."""

    __slots__ = ("communication_backend", "node_count", "process_count")
    _order = ("communication_backend", "process_count", "node_count")

    def __init__(
        self,
        communication_backend: str | None = "Nccl",
        process_count: int | None = None,
        node_count: int = 1,
    ) -> None:
        self.communication_backend = communication_backend
        self.process_count = process_count
        self.node_count = node_count


class TensorflowConfiguration(Section):
    """Workers and parameter servers of TensorFlow; no servers with MultiWorkerMirrored."""

    __slots__ = ("parameter_server_count", "worker_count")
    _order = ("worker_count", "parameter_server_count")

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        self.worker_count = worker_count
        self.parameter_server_count = parameter_server_count
