"""Stored objects named in a form or query while `DAYPASS_STORED_OBJECTS` is off."""

import gzip
from collections.abc import Iterator

import httpx2 as httpx
import openai
import pytest
from starlette.responses import JSONResponse

from tests.conftest import Server
from tests.gateway.sdk_calls import PNG, everyday_calls
from tests.gateway.test_models import END, FORM, TRANSCRIPTION, part
from tests.support.upstream import FakeUpstream

EDITS = "/v1/images/edits"
PROMPT = part("prompt", b"x")
AUDIO = part("file", b"\x00\xff\r\n" * 9000, '; filename="a.wav"')
IMAGE = part("image", PNG, '; filename="a.png"')


@pytest.fixture
def api(relaying: Server, key: str, upstream: FakeUpstream) -> httpx.Client:
    return relaying.gateway(key)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("file_id", b"file-1"),
        ("FILE_IDS[]", b"file-1"),
        ("images[0][file_id]", b"file-1"),
        ("mask.file_id", b"file-1"),
        ("prompt[id]", b"pmpt_1"),
        ("images", b' [{"file_id": "file-1"}]'),
        ("images[]", b'{"File_ID": "file-1"}'),
        ("mask", b'{"file_id": "file-1"}'),
        ("extra_body", b'{"previous_response_id": "resp_1"}'),
    ],
)
def test_a_form_that_names_a_stored_object_is_refused(
    api: httpx.Client, upstream: FakeUpstream, name: str, value: bytes
) -> None:
    named = part(name, value)
    for form in (named + IMAGE + PROMPT + END, (PROMPT + named + END).replace(b"\r\n", b"\n")):
        response = api.post(EDITS, content=form, headers=FORM)
        assert response.status_code == 403
        error = response.json()["error"]
        assert error["code"] == "endpoint_turned_off"
        assert error["param"].startswith(name)
    assert upstream.seen == []
    # After the file, when the upload has begun: the upstream never gets the end.
    assert api.post(EDITS, content=IMAGE + named + END, headers=FORM).status_code == 403
    assert not any(seen.body.endswith(END) for seen in upstream.seen)
    assert api.get("/v1/key").json()["limits"][0]["used"] == 0


@pytest.mark.parametrize(
    "form",
    [
        gzip.compress(PROMPT + END, mtime=0),
        PROMPT + b"--b\r\n",
        # Two parsers would disagree about where the part ends.
        b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n\n--b\n'
        + part("file_id", b"f")
        + END,
        part("images", b'[{"file_id": "f"}, {"file_id": "g", "file_id": "h"}]') + END,
        b'--b\r\ncontent-disposition: form-data; name="file\xff_id"\r\n\r\nfile-1\r\n' + END,
    ],
    ids=["gzip", "no end", "boundary inside", "duplicate member", "field name"],
)
def test_a_form_with_unreadable_fields_is_refused(
    api: httpx.Client, upstream: FakeUpstream, form: bytes
) -> None:
    assert api.post(EDITS, content=form, headers=FORM).status_code == 400
    types = [("content-type", "application/json"), *FORM.items()]
    assert api.post(EDITS, content=PROMPT + END, headers=types).status_code == 400
    assert not any(seen.body.endswith(END) for seen in upstream.seen)


@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        # curl and others on Windows write the name in the system's encoding.
        (AUDIO.replace(b"a.wav", b"\xe9t\xe9.wav"), "multipart/form-data; boundary=b"),
        (
            part("file", b"x", "; filename=a.wav; filename*=utf-8''a.wav"),
            "multipart/form-data; boundary=b",
        ),
        (part("file", b"\x00\xff"), 'multipart/form-data;charset=UTF-8;boundary="b"'),  # Spring
        (AUDIO, "multipart/form-data; boundary=b; charset=utf-8"),
        (part("image", b"[" * 70_000, '; filename="a.json"'), "multipart/form-data; boundary=b"),
        (part("prompt", b'{"file_id": "a story of a file"}'), "multipart/form-data; boundary=b"),
        (part("image", b"data:image/png;base64,AAAA"), "multipart/form-data; boundary=b"),
        (part("file_id", b""), "multipart/form-data; boundary=b"),
    ],
)
def test_forms_of_common_clients_are_relayed(
    api: httpx.Client, upstream: FakeUpstream, form: bytes, content_type: str
) -> None:
    form = part("model", b"m") + form + END

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(form), 997):
            yield form[start : start + 997]

    bare_lf = form.replace(b"\r\n", b"\n")  # written by hand
    for content in (form, pieces(), bare_lf):
        headers = {"content-type": content_type}
        assert api.post(TRANSCRIPTION, content=content, headers=headers).status_code == 200
    assert [seen.body for seen in upstream.seen] == [form, form, bare_lf]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("previous_response_id=resp_1", "previous_response_id"),
        ("x=1&File%5FID=file-1", "File_ID"),
        ("x;conversation=conv_1", "conversation"),
        ("prompt[id]=pmpt_1", "prompt[id]"),
        ("tools[0][vector_store_ids][]=vs_1", "tools[0][vector_store_ids][]"),
        ("background=true", "background"),
        ("x=1&Back%67round=1", "background"),
    ],
)
def test_a_query_that_names_a_stored_object_is_refused(
    api: httpx.Client, upstream: FakeUpstream, query: str, param: str
) -> None:
    for body in ({"input": "hi"}, {}, None):
        response = api.post(f"/v1/responses?{query}", json=body)
        assert response.status_code == 403
        assert response.json()["error"]["param"] == param
    assert upstream.seen == []


def test_a_query_without_stored_objects_is_relayed(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    for query in ("api-version=1", "background=false", "background=", "file_id=", "user_id=1"):
        assert api.post(f"/v1/responses?{query}", json={"input": "hi"}).status_code == 200
    assert api.post("/v1/images/generations?background=opaque", json={}).status_code == 200
    assert len(upstream.seen) == 6


def test_sdk_calls_work_while_stored_objects_are_off(
    relaying: Server, key: str, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"text": "hello", "created": 1, "data": []})
    with openai.OpenAI(base_url=f"{relaying.url}/v1", api_key=key, max_retries=0) as client:
        assert everyday_calls(client, "m") == len(upstream.seen)
