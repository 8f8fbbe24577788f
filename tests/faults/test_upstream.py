"""Failures of the upstream or its network: the client's response and what is counted."""

import asyncio
import json
import socket
import time
import zlib

import httpx2 as httpx
import pytest

from tests.faults.conftest import CALL_S, SILENCE_S, Scene
from tests.faults.upstream import CHUNKED, EVENTS, JSON, Exchange, Script, answer, chunk, says
from tests.faults.wire import Fault
from tests.support.waiting import BUSY_S, until

MEGABYTE = 1_000_000
FIRST = b'data: {"n": 1}\n\n'


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("refuse", (502, "upstream_unreachable")),
        ("reset", (502, "upstream_unreachable")),
        ("truncate", (502, "upstream_unreachable")),
        ("corrupt", (502, "upstream_unreachable")),
        ("half-close", (502, "upstream_unreachable")),
    ],
)
def test_a_network_failure_before_the_response_gives_the_unit_back(
    scene: Scene, fault: Fault, expected: tuple[int, str]
) -> None:
    scene.wire.fault = fault
    response = scene.post()
    assert code(response) == expected
    assert "Nothing was counted." in response.json()["error"]["message"]
    assert response.headers["x-ratelimit-remaining-requests"] == str(1_000_000 - scene.used())
    assert str(scene.wire.port) not in response.text


def test_a_network_stall_after_the_request_was_sent_counts(scene: Scene) -> None:
    scene.wire.fault = "stall"
    response = scene.post()
    assert code(response) == (504, "upstream_timeout")
    error = response.json()["error"]
    assert "This request was counted: the upstream had received" in error["message"]
    assert error["counted"] is True
    assert response.headers.get_list("x-should-retry") == ["false"]
    assert response.headers["x-ratelimit-remaining-requests"] == str(1_000_000 - scene.used())
    scene.counted = 1


def test_requests_are_served_over_a_slow_network(scene: Scene) -> None:
    scene.wire.fault = "delay"
    assert scene.post().content == JSON
    scene.counted = 1


async def interim_for_ever(exchange: Exchange) -> None:
    while True:
        await exchange.say(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (says(), 502),
        (says(resets=True), 502),
        (says(b"HTTP/1.1 200 OK\r\ncontent-le"), 502),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), 502),
        (says(CHUNKED + b"content-length: 2\r\n\r\nok"), 502),
        (says(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\nok"), 502),
        (says(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 400_000), 502),
    ],
)
def test_an_invalid_response_gives_the_unit_back(scene: Scene, script: Script, status: int) -> None:
    scene.upstream.script = script
    assert scene.post().status_code == status


def test_endless_interim_responses_time_out_and_count(scene: Scene) -> None:
    scene.upstream.script = interim_for_ever
    assert scene.post().status_code == 504
    scene.counted = 1


def test_an_upstream_that_does_not_read_the_request_gives_the_unit_back(scene: Scene) -> None:
    given_up = asyncio.Event()

    async def script(_exchange: Exchange) -> None:
        await given_up.wait()

    async def give_up() -> None:
        given_up.set()

    scene.upstream.script = script
    body = b'{"model": "m", "prompt": "' + b"x" * 24_000_000 + b'"}'
    response = scene.post(content=body, headers={"content-type": "application/json"})
    assert code(response) == (504, "upstream_timeout")
    assert "Nothing was counted." in response.json()["error"]["message"]
    scene.upstream.run(give_up())


async def events_for_ever(exchange: Exchange) -> None:
    await exchange.say(EVENTS, chunk(FIRST))
    while True:
        await exchange.say(chunk(b": still here\n\n"))
        await asyncio.sleep(0.2)


async def silent_in_mid_stream(exchange: Exchange) -> None:
    await exchange.say(EVENTS, chunk(FIRST))
    await exchange.until_left()


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(says(EVENTS, chunk(FIRST)), id="closes"),
        pytest.param(says(EVENTS, chunk(FIRST), resets=True), id="resets"),
        pytest.param(says(EVENTS, chunk(FIRST), b"zz\r\n"), id="no chunk"),
        pytest.param(says(EVENTS, chunk(FIRST), b"2\r\nokay\r\n"), id="chunk too long"),
        pytest.param(says(EVENTS, chunk(FIRST), b"ff\r\ndata"), id="chunk too short"),
        pytest.param(says(EVENTS, chunk(FIRST), chunk(b'data: {"n"')), id="within an event"),
        pytest.param(
            says(EVENTS, chunk(FIRST), chunk(b'data: {"n": "\xe2\x82')), id="within UTF-8"
        ),
        pytest.param(silent_in_mid_stream, id="falls silent"),
        pytest.param(events_for_ever, id="never ends"),
    ],
)
def test_a_broken_stream_ends_with_an_error_and_without_done(scene: Scene, script: Script) -> None:
    scene.upstream.script = script
    began = time.monotonic()
    response = scene.post()
    assert time.monotonic() - began < CALL_S + BUSY_S
    assert response.status_code == 200
    assert response.content.startswith(FIRST)
    last = response.content.removesuffix(b"\n\n").rpartition(b"\n\n")[2]
    assert last.startswith(b'data: {"error":')
    assert b'"code":"upstream_broke_off"' in last
    assert b"[DONE]" not in response.content
    scene.counted = 1


@pytest.mark.parametrize(
    "script",
    [
        says(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
        says(CHUNKED + b"\r\n" + chunk(b"half")),
        says(CHUNKED + b"\r\n" + chunk(b"half"), resets=True),
        says(CHUNKED + b"\r\n" + chunk(b"half"), b"no chunk\r\n"),
        says(CHUNKED + b"\r\n" + chunk(b"half") + b"no chunk\r\n"),
        says(EVENTS.replace(b"transfer-encoding: chunked", b"content-length: 1000"), FIRST),
    ],
)
def test_a_truncated_response_is_never_presented_as_complete(scene: Scene, script: Script) -> None:
    scene.upstream.script = script
    try:
        response = scene.post()
    except httpx.TransportError:
        scene.counted = 1
    else:  # On a busy machine all of it may arrive at once, before anything was relayed.
        assert response.status_code == 502
        assert response.json()["error"]["code"] == "upstream_unreachable"


def test_a_response_split_at_every_byte_is_relayed_unchanged(scene: Scene) -> None:
    body = 'data: {"text": "🙂 é"}\r\n\r\ndata: [DONE]\r\n\r\n'.encode()
    scene.upstream.script = says(EVENTS, *(chunk(bytes([x])) for x in body), b"0\r\n\r\n")
    assert scene.post().content == body
    scene.counted = 1


def test_an_endless_line_is_not_buffered(scene: Scene) -> None:
    piece = chunk(b"x" * 200_000)

    async def script(exchange: Exchange) -> None:
        await exchange.say(EVENTS, b"6\r\ndata: \r\n")
        for _ in range(320):
            exchange.writer.write(piece)
            await exchange.writer.drain()

    scene.upstream.script = script
    before = scene.resident_bytes()
    size = most = 0
    with (
        scene.server.gateway(scene.key) as api,
        api.stream("POST", "/v1/chat/completions", json={"model": "m"}) as response,
    ):
        for received in response.iter_raw():
            size += len(received)
            most = max(most, scene.resident_bytes())
    assert size > 64 * MEGABYTE
    assert most - before < 16 * MEGABYTE
    scene.counted = 1


def test_a_client_that_does_not_read_slows_the_upstream(scene: Scene) -> None:
    sent = last = 0

    async def script(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.say(EVENTS)
        for _ in range(640):
            exchange.writer.write(chunk(b"x" * 100_000))
            await exchange.writer.drain()
            sent += 100_000

    def stalled() -> bool:
        nonlocal last
        last, previous = sent, last
        return 0 < sent == previous

    scene.upstream.script = script
    before = scene.resident_bytes()
    with socket.create_connection(("127.0.0.1", scene.port)) as caller:
        caller.sendall(scene.request())
        until(stalled, every_s=0.5)
        assert sent < 40 * MEGABYTE  # what sockets and buffers hold
        assert scene.resident_bytes() - before < 16 * MEGABYTE
    scene.counted = 1


def test_compressed_responses_are_never_decompressed(scene: Scene) -> None:
    bomb = zlib.compress(bytes(64 * MEGABYTE), 1, wbits=31)
    scene.upstream.script = says(answer(bomb, b"200 OK", b"content-encoding: gzip"))
    before = scene.resident_bytes()
    with (
        scene.server.gateway(scene.key) as api,
        api.stream("POST", "/v1/embeddings", json={}) as response,
    ):
        assert response.headers["content-encoding"] == "gzip"
        assert b"".join(response.iter_raw()) == bomb
    assert scene.resident_bytes() - before < 16 * MEGABYTE
    assert b"accept-encoding: identity\r\n" in scene.upstream.heads[-1]
    scene.counted = 1


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"403 Forbidden", b"307 Temporary"])
def test_an_upstream_refusal_of_the_operator_is_hidden_from_the_client(
    scene: Scene, status: bytes
) -> None:
    body = b'{"error": {"message": "Incorrect API key: sk-the-operators-own"}}' * 100_000
    elsewhere = b"location: http://127.0.0.1:%d/v1/elsewhere" % scene.upstream.port
    scene.upstream.script = says(answer(body, status, elsewhere, b"www-authenticate: Bearer"))
    response = scene.post()
    assert code(response) == (502, "upstream_misconfigured")
    assert "sk-the" not in response.text
    assert not {"location", "www-authenticate"} & set(response.headers)
    assert len(scene.upstream.heads) == 1
    number = status.partition(b" ")[0].decode()
    lines = [json.loads(x) for x in scene.server.log().splitlines() if x.startswith("{")]
    refused = [x["status"] for x in lines if x["event"] == "upstream_misconfigured"]
    assert refused[-1] == int(number)
    with scene.server.client() as client:
        metrics = client.get("/metrics").text
    assert f'daypass_upstream_failures_total{{reason="upstream_{number}"}}' in metrics


def test_an_upstream_429_is_not_presented_as_our_own_limit(scene: Scene) -> None:
    body = b'{"error": {"code": "insufficient_quota", "type": "insufficient_quota"}}'
    headers = (
        b"x-ratelimit-limit-requests: 3",
        b"x-ratelimit-remaining-requests: 0",
        b'ratelimit: "day";r=0;t=9',
        b"retry-after: 9",
    )
    scene.upstream.script = says(answer(body, b"429 Too Many Requests", *headers))
    response = scene.post()
    assert response.status_code == 429
    assert response.content == body  # without `limit`, `used` and the plan, which our own 429 has
    left = [str(1_000_000 - scene.used())]
    assert response.headers.get_list("x-ratelimit-remaining-requests") == left
    assert response.headers.get_list("x-ratelimit-limit-requests") == ["1000000"]
    assert len(response.headers.get_list("ratelimit")) == 1


@pytest.mark.parametrize("body", [b"<h1>oh no</h1>" * 100_000, bytes(range(256)) * 10, b"\0", b""])
def test_an_upstream_error_is_relayed_unchanged_and_given_back(scene: Scene, body: bytes) -> None:
    scene.upstream.script = says(answer(body, b"500 Internal Server Error", b"content-type: x/y"))
    response = scene.post()
    assert (response.status_code, response.content) == (500, body)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((), id="before its answer"),
        pytest.param((EVENTS, chunk(FIRST)), id="in mid-stream"),
        pytest.param((b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",), id="in mid-answer"),
    ],
)
def test_a_client_disconnect_closes_the_upstream_request_within_a_second(
    scene: Scene, pieces: tuple[bytes, ...]
) -> None:
    scene.upstream.script = scene.upstream.waits(*pieces)
    with socket.create_connection(("127.0.0.1", scene.port)) as caller:
        caller.sendall(scene.request())
        while not scene.upstream.heads:
            time.sleep(0.01)
        if pieces:
            assert caller.recv(1000)
    left = time.monotonic()
    while not scene.upstream.left_at and time.monotonic() < left + 2:
        time.sleep(0.01)
    assert scene.upstream.left_at[0] - left < 1
    scene.counted = 1


def test_a_silent_upstream_times_out(scene: Scene) -> None:
    scene.upstream.script = scene.upstream.waits()
    began = time.monotonic()
    assert code(scene.post()) == (504, "upstream_timeout")
    assert SILENCE_S < time.monotonic() - began < SILENCE_S + BUSY_S
    scene.counted = 1
