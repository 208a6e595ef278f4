"""Whether and how a run's script is to run in a container."""

from __future__ import annotations

from zaffre.sdk.section import Section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence


class DockerConfiguration(Section):
    """The container of a run: `ScriptRunConfig(docker_runtime_config=...)`."""

    __slots__ = ("arguments", "shared_volumes", "shm_size", "use_docker")
    _order = ("use_docker", "shared_volumes", "arguments", "shm_size")

    def __init__(
        self,
        use_docker: bool = False,
        shared_volumes: bool = True,
        arguments: Sequence[str] = (),
        shm_size: str | None = "2g",
    ) -> None:
        self.use_docker = use_docker
        self.shared_volumes = shared_volumes
        self.arguments = list(arguments)
        self.shm_size = shm_size
