"""v1's switches of its telemetry. Zaffre collects nothing, so they change nothing."""

from __future__ import annotations

from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any

__all__ = [
    "UserErrorException",
    "add_diagnostics_properties",
    "get_diagnostics_collection_info",
    "get_event_logger",
    "get_telemetry_log_handler",
    "is_diagnostics_collection_info_available",
    "set_diagnostics_collection",
    "set_diagnostics_properties",
]

_INFO_LEVEL = 20


def set_diagnostics_collection(
    send_diagnostics: bool = True,
    verbosity: int = _INFO_LEVEL,
    reason: str = "",
    path: str | None = None,
) -> None:
    """Print v1's line; nothing is ever sent."""
    import sys

    del verbosity, reason, path
    switch = "on" if send_diagnostics else "off"
    sys.stdout.write(f"Turning diagnostics collection {switch}. (Zaffre collects nothing.)\n")


def get_diagnostics_collection_info(
    component_name: str | None = None,
    path: str | None = None,
    proceed_in_hbi_mode: bool = False,
) -> tuple[bool, int | None]:
    """Return (False, None): nothing is collected."""
    del component_name, path, proceed_in_hbi_mode
    return False, None


def is_diagnostics_collection_info_available() -> bool:
    """Return True, so that nobody is asked."""
    return True


def add_diagnostics_properties(properties: dict[str, Any]) -> None:
    """Do nothing."""
    del properties


def set_diagnostics_properties(properties: dict[str, Any]) -> None:
    """Do nothing."""
    del properties


def get_event_logger(*args: object, **kwargs: object) -> logging.Logger:
    """Return a logger that drops everything."""
    import logging

    del args, kwargs
    logger = logging.getLogger("azureml.telemetry.nothing")
    logger.disabled = True
    return logger


def get_telemetry_log_handler(
    instrumentation_key: str | None = None,
    component_name: str | None = None,
    path: str | None = None,
    proceed_in_hbi_mode: bool = False,
) -> logging.Handler:
    """Return a handler that drops everything."""
    import logging

    del instrumentation_key, component_name, path, proceed_in_hbi_mode
    return logging.NullHandler()
