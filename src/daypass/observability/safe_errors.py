"""What may be said in a log about a fault of our own."""

import traceback
from pathlib import Path


def error_location(error: BaseException) -> str:
    """Type and place of a fault; its message may hold what must not be logged."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
