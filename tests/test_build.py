"""The site is built from what is here: fonts, packages and the portal's document."""

import subprocess
import sys

import hatch_build
import pytest

ALONE = """
import errno, socket
with socket.create_server(("127.0.0.1", 0)) as own:
    socket.create_connection(own.getsockname(), 5).close()
try:
    socket.create_connection(("192.0.2.1", 443), 5)
except OSError as error:
    assert error.errno == errno.ENETUNREACH, error
else:
    raise SystemExit("it reached another machine")
"""


def test_the_build_has_no_network_but_its_own_loopback() -> None:
    alone = hatch_build.cut_off()
    if not alone:
        pytest.skip("this machine lets nobody have a network of his own")
    ended = subprocess.run(
        [*alone, sys.executable, "-c", ALONE], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
