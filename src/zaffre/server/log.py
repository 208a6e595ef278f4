"""The server's log: one event a line with its fields, to standard error (server.log).

structlog is imported at the first line, because its import costs more than the server's start
may (229 ms), and most starts log nothing.
"""

from __future__ import annotations

import functools
import logging
import sys
import traceback
from typing import Any


@functools.cache
def _logger() -> Any:
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return structlog.get_logger()


def info(event: str, **fields: object) -> None:
    """Log what happened."""
    _logger().info(event, **fields)


def warning(event: str, **fields: object) -> None:
    """Log what somebody should look at."""
    _logger().warning(event, **fields)


def error(event: str, **fields: object) -> None:
    """Log that a promise broke."""
    _logger().error(event, **fields)


def exception(event: str, problem: BaseException, **fields: object) -> None:
    """Log an exception that nobody foresaw, with its stack."""
    stack = "".join(traceback.format_exception(problem))
    _logger().error(event, problem=str(problem), stack=stack, **fields)
