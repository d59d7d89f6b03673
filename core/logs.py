"""Logs: JSON lines with a constant event name and values as fields; never e-mail, SDP, token, IP or card data."""

import logging
import sys

import structlog


def configure(process: str, *, level: str = "INFO", pretty: bool | None = None) -> None:
    """Set up structured logging for one process; ``pretty`` for a terminal, JSON otherwise."""
    human = sys.stderr.isatty() if pretty is None else pretty
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    for noisy in (
        "aioice",
        "aiortc",
        "aiohttp.access",
        "procrastinate",
        "apscheduler",
        "socketio",
        "engineio",
        "stripe",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if human
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
