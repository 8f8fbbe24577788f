"""Descriptions of internal errors that are safe to log."""

import traceback
from pathlib import Path


def error_location(error: BaseException) -> str:
    """Return an error's type and location. Its message may contain data that must not be logged."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
