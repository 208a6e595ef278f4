"""How much of a machine a model asks for when it is served."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ResourceConfiguration:
    """CPU cores, memory in GB and GPUs; as in v1 the values are not checked."""

    def __init__(
        self,
        cpu: float | None = None,
        memory_in_gb: float | None = None,
        gpu: int | None = None,
    ) -> None:
        self.cpu = cpu
        self.memory_in_gb = memory_in_gb
        self.gpu = gpu

    def serialize(self) -> dict[str, Any]:
        """Return v1's JSON form."""
        return {"cpu": self.cpu, "memoryInGB": self.memory_in_gb, "gpu": self.gpu}

    @staticmethod
    def deserialize(payload_obj: dict[str, Any] | None) -> ResourceConfiguration | None:
        """Return what `serialize` gave as an object again."""
        if payload_obj is None:
            return None
        if not isinstance(payload_obj, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            from zaffre.sdk.exceptions import WebserviceException

            raise WebserviceException(f"payload_obj: must be a dict, not {payload_obj!r}.")
        return ResourceConfiguration(
            payload_obj.get("cpu"), payload_obj.get("memoryInGB"), payload_obj.get("gpu")
        )
