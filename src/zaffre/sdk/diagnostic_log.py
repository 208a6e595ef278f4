"""`azureml.core.diagnostic_log`: debug messages of a block, in a file."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from logging import Handler


class diagnostic_log:
    """Writes what Zaffre and the named loggers log inside the block to a file.

    log_path: default a file in the current folder. namespaces: names of loggers.
    """

    def __init__(
        self,
        log_path: str | None = None,
        namespaces: list[str] | None = None,
        context_name: str | None = None,
    ) -> None:
        self._path = log_path or f"{context_name or 'azureml'}_debug.log"
        self._namespaces = namespaces or ["azureml", "zaffre"]
        self._handler: Handler | None = None

    def start_capture(self) -> None:
        """Begin to write."""
        import logging

        if self._handler is not None:
            return
        self._handler = logging.FileHandler(self._path)
        self._handler.setFormatter(
            logging.Formatter("%(asctime)s|%(name)s|%(levelname)s|%(message)s")
        )
        for name in self._namespaces:
            logging.getLogger(name).addHandler(self._handler)

    def stop_capture(self) -> None:
        """Stop writing and close the file."""
        import logging

        handler, self._handler = self._handler, None
        if handler is None:
            return
        for name in self._namespaces:
            logging.getLogger(name).removeHandler(handler)
        handler.close()

    def __enter__(self) -> diagnostic_log:
        self.start_capture()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_capture()
