"""Structured logs. They contain no keys, prompts, responses or e-mail addresses.

Only two events contain a client address: `sign_in_failed`, and `request` in the access log.
"""

import logging
import sys
from typing import Literal

import structlog

from daypass.observability.safe_errors import error_location

log = structlog.get_logger()

LogFormat = Literal["auto", "json", "text"]


def configure_logging(form: LogFormat = "auto") -> None:
    """Log to standard error, one line per event, as JSON or human-readable text.

    `auto` means text on a terminal and JSON elsewhere.
    """
    is_terminal = sys.stderr.isatty()
    is_text = is_terminal if form == "auto" else form == "text"
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=is_terminal)
        if is_text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[LibraryLog()], force=True)


class LibraryLog(logging.Handler):
    """Handler for log records of libraries: for an error, its type and location, not its text."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record as one line."""
        error = record.exc_info[1] if record.exc_info else None
        reason = error_location(error) if error else record.getMessage().partition("\n")[0]
        log.warning("library", logger=record.name, reason=reason)
