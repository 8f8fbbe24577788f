"""An upstream over TLS, like those on the internet."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam
from starlette.responses import Response, StreamingResponse

from tests.conftest import Server, StartServer, start_server
from tests.support.tls import Authority
from tests.support.upstream import FakeUpstream, Seen

MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def serve(certificate: Path) -> FakeUpstream:
    upstream = FakeUpstream(certificate=certificate)
    upstream.start()
    return upstream


@pytest.fixture(scope="module")
def secure(authority: Authority) -> Iterator[FakeUpstream]:
    upstream = serve(authority.certify("localhost"))
    yield upstream
    upstream.stop()


@pytest.fixture(scope="module")
def site(
    secure: FakeUpstream, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("site")
    url = secure.base_url
    server = start_server(directory, DAYPASS_UPSTREAM_BASE_URL=url, **authority.trusted)
    yield server
    server.stop()


def test_the_sdk_works_over_tls_streamed_or_not(site: Server, secure: FakeUpstream) -> None:
    key = site.sign_up().create_key()["key"]
    with OpenAI(base_url=f"{site.url}/v1", api_key=key) as client:
        for _ in range(3):
            answer = client.chat.completions.create(model="m", messages=MESSAGES)
            assert answer.choices[0].message.content == "Hello."
            stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
            words = [x.choices[0].delta.content or "" for x in stream if x.choices]
            assert "".join(words) == "Hello."
    assert len(secure.seen) == 6
    assert site.used(key) == 6


def test_large_bodies_pass_over_tls_unchanged_both_ways(site: Server, secure: FakeUpstream) -> None:
    head = b'--boundary\r\ncontent-disposition: form-data; name="file"\r\n\r\n'
    sent = head + os.urandom(3 * 2**20) + b"\r\n--boundary--\r\n"

    def echo(seen: Seen) -> Response:
        pieces = (seen.body[i : i + 70_000] for i in range(0, len(seen.body), 70_000))
        return StreamingResponse(pieces, media_type="application/octet-stream")

    usual, secure.reply = secure.reply, echo
    try:
        with site.gateway(site.sign_up().create_key()["key"]) as api:
            answer = api.post(
                "/v1/audio/transcriptions",
                content=sent,
                headers={"content-type": "multipart/form-data; boundary=boundary"},
            )
    finally:
        secure.reply = usual
    assert answer.content == sent


@pytest.mark.parametrize(
    ("flaw", "told"),
    [
        ("unknown authority", "unable to get local issuer certificate"),
        ("another name", "Hostname mismatch"),
        ("expired", "certificate has expired"),
    ],
)
def test_an_invalid_certificate_gets_no_request_and_no_key(
    start: StartServer, authority: Authority, tmp_path: Path, flaw: str, told: str
) -> None:
    if flaw == "unknown authority":
        certificate = Authority(tmp_path).certify("localhost")
    elif flaw == "another name":
        certificate = authority.certify("api.example.org")
    else:
        certificate = authority.certify("localhost", expired=True)
    upstream = serve(certificate)
    server = start(
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
        DAYPASS_UPSTREAM_API_KEY="sk-the-operators-own",
        **authority.trusted,
    )
    key = server.sign_up().create_key()["key"]
    with server.gateway(key) as api:
        answer = api.post("/v1/chat/completions", json={"model": "m", "messages": MESSAGES})
    upstream.stop()
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "upstream_unreachable"
    assert upstream.seen == []
    assert server.used(key) == 0
    assert f"its certificate was rejected: {told}" in server.log()
    assert told not in answer.text
