"""Structured logs. No key, prompt, answer or address goes into them."""

import logging
import sys

import structlog

from daypass.faults import place_of

log = structlog.get_logger()


def configure_logging() -> None:
    """One line a fact on standard error: readable on a terminal, JSON elsewhere."""
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
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
    """What libraries log, by the same rules: of an error its type and place, not its words."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        error = record.exc_info[1] if record.exc_info else None
        reason = place_of(error) if error else record.getMessage().partition("\n")[0]
        log.warning("library", logger=record.name, reason=reason)
