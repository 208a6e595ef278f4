"""A logger's level for the length of a block: v1's `azureml.core.util`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging

_WARNING = 30


class NewLoggingLevel:
    """`with NewLoggingLevel(name, level):` sets a logger's level and puts the old one back."""

    def __init__(self, logger_name: str, level: int = _WARNING) -> None:
        import logging

        self.logger_name = logger_name
        self.logger = logging.getLogger(logger_name)
        self.old_level = self.logger.level
        self.new_level = level

    def __enter__(self) -> logging.Logger:
        """Set the level."""
        self.logger.setLevel(self.new_level)
        return self.logger

    def __exit__(self, *_: object) -> None:
        """Put the old level back."""
        self.logger.setLevel(self.old_level)
