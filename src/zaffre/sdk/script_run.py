"""The run of a submitted script."""

from __future__ import annotations

from zaffre.sdk.run import SCRIPT_RUN_TYPE, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.experiment import Experiment


class ScriptRun(Run):
    """An existing run of a submitted script.

    directory: the source directory, below which `get_all_logs()` puts logs by default.
    """

    RUN_TYPE = SCRIPT_RUN_TYPE

    def __init__(
        self,
        experiment: Experiment,
        run_id: str,
        directory: str | None = None,
        _run_config: object = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(experiment, run_id, **kwargs)
        self._directory = directory

    def cancel(self) -> None:
        """Ask the run to stop; it is Canceled when its processes have ended."""
        super().cancel()

    def _source_directory(self) -> str:
        return self._directory or super()._source_directory()
