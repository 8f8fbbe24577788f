"""Prints the portal's OpenAPI document: `python -m daypass.cli.openapi`."""

import json

from daypass.app.factory import Daypass
from daypass.config.settings import Settings

if __name__ == "__main__":
    print(json.dumps(Daypass(Settings()).openapi(), indent=2))
