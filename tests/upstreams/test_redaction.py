"""The operator's key in an upstream's error."""

import gzip

from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from daypass.upstreams.redaction import Redacted
from tests.conftest import StartServer
from tests.support.upstream import FakeUpstream

SECRET = b"sk-sk-secret-sk"
BLOT = b"*" * len(SECRET)


class Pieces:
    """A response that arrives in these pieces."""

    status = 500

    def __init__(self, pieces: list[bytes]) -> None:
        self.headers = [(b"x-echo", b"Bearer " + SECRET), (b"x-other", b"kept")]
        self._pieces = pieces

    @property
    def ended(self) -> bool:
        return not self._pieces

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def close(self) -> None:
        pass


async def relayed(pieces: list[bytes]) -> bytes:
    answer = Redacted(Pieces(list(pieces)), SECRET)
    body = b""
    while not answer.ended:
        body += await answer.read()
    return body


async def test_the_key_is_redacted_wherever_it_is_split() -> None:
    whole = b"a sk- " + SECRET + SECRET[:-1] + b"! " + SECRET + SECRET + SECRET[:5]
    expected = whole.replace(SECRET, BLOT)
    for first in range(len(whole) + 1):
        for second in range(first, len(whole) + 1, 7):
            pieces = [whole[:first], whole[first:second], whole[second:]]
            assert await relayed(pieces) == expected


@given(st.lists(st.sampled_from([b"sk-", b"s", b"k", b"-secret-", SECRET, b"x", b"", b"sk"])))
async def test_redaction_changes_nothing_else(pieces: list[bytes]) -> None:
    body = await relayed(pieces)
    whole = b"".join(pieces)
    assert SECRET not in body
    assert len(body) == len(whole)
    assert body == whole.replace(SECRET, BLOT)


def test_the_key_is_redacted_in_headers() -> None:
    answer = Redacted(Pieces([]), SECRET)
    assert answer.headers == [(b"x-echo", b"Bearer " + BLOT), (b"x-other", b"kept")]


def test_a_compressed_error_is_withheld(start: StartServer, upstream: FakeUpstream) -> None:
    own = "sk-the-operators-own"
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, DAYPASS_UPSTREAM_API_KEY=own)
    api = server.gateway(server.set_up().create_key()["key"])
    quoting = gzip.compress(b'{"error": {"message": "sk-the-operators-own"}}')
    upstream.reply = lambda _seen: Response(quoting, 400, {"content-encoding": "gzip"})
    response = api.post("/v1/chat/completions", json={"model": "m"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "upstream_unreadable"
    assert own not in response.text
