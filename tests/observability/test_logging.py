"""What Daypass and libraries log."""

import subprocess
import sys

PROGRAM = """
import logging
from daypass.observability.logging import configure_logging
configure_logging()
try:
    raise ValueError("the words of an error may hold anything")
except ValueError:
    logging.getLogger("some.library").exception("connection to anything\\nfailed")
"""


def test_a_library_error_is_logged_by_its_location() -> None:
    command = [sys.executable, "-c", PROGRAM]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "ValueError at <string>:6" in printed
    assert "some.library" in printed
    assert "anything" not in printed
    assert "Traceback" not in printed
