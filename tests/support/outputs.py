"""The output of every Daypass process of the suite, and the search for secrets in it."""

import itertools
import re
import tempfile
from pathlib import Path

# What must never be printed, by its looks. Prompts, answers, passwords and the like begin with
# `planted-` in tests, so that they are found whatever printed them.
SECRET = re.compile(
    r"dpa?_?[0-9A-Za-z]{38}"  # an API key or an admin token
    r"|\bsk-[\w-]{8,}"  # an upstream's key
    r"|planted-[\w-]+"
    r"|\$argon2"  # a password's hash
    r"|daypass_session=[\w-]+"
)

SETUP_LINE = re.compile(r"^No operator yet\. .* at http\S+/setup/#(\w+)$", re.MULTILINE)
TRACEBACK = "Traceback"
SHOWN = 4000
"""Number of characters of a traceback to show."""


class Outputs:
    """The outputs of a test run."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="daypass-outputs-")
        self._numbers = itertools.count(1)
        self._planted: set[str] = set()
        self._printed: list[tuple[str, str]] = []

    def file(self, name: str) -> Path:
        """Return a new file for a server's output."""
        return Path(self._directory.name) / f"{next(self._numbers)}-{name}"

    def add(self, origin: str, text: str) -> None:
        """Add output that was not printed to such a file."""
        if text:
            self._printed.append((origin, text))

    def plant(self, *secrets: str) -> None:
        """Search for these secrets too."""
        self._planted.update(secrets)

    def secrets(self) -> list[str]:
        """Every secret that was printed, and every traceback of a server's, with its origin.

        The line that a server prints to show its set-up link is left out, once; its token is
        searched for everywhere else.
        """
        files = sorted(Path(self._directory.name).iterdir())
        printed = [(path.name, path.read_text(errors="replace")) for path in files]
        for _, text in printed:
            self.plant(*SETUP_LINE.findall(text))
        logs = [(name, SETUP_LINE.sub("", text, count=1)) for name, text in printed]
        secrets = [
            f"{origin}: {found}"
            for origin, text in logs + self._printed
            for found in find_secrets(text, self._planted)
        ]
        return secrets + [
            f"{name}: {text[text.index(TRACEBACK) :][:SHOWN]}"
            for name, text in logs
            if TRACEBACK in text
        ]


def find_secrets(text: str, planted: set[str]) -> set[str]:
    """Return the secrets in a text."""
    return set(SECRET.findall(text)) | {secret for secret in planted if secret in text}


OUTPUTS = Outputs()
