"""v1's package of telemetry; nothing is collected."""

from __future__ import annotations

from zaffre.sdk.telemetry import (
    UserErrorException,
    add_diagnostics_properties,
    get_diagnostics_collection_info,
    get_event_logger,
    get_telemetry_log_handler,
    is_diagnostics_collection_info_available,
    set_diagnostics_collection,
    set_diagnostics_properties,
)

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
