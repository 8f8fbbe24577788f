"""The bound covers all text, wherever a request hides it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daypass.gateway.bound import (
    DEFAULT_OUTPUT,
    FILE_TOKENS,
    HOSTED_TOKENS,
    IMAGE_TOKENS,
    MADE_IMAGE_TOKENS,
    MOST_OUTPUT,
    VIDEO_TOKENS,
    Bound,
    bound_of_document,
)
from daypass.gateway.errors import GatewayError

LONG = "word " * 20_000
PDF = "data:application/pdf;base64," + "JVBE" * 20_000
IMAGE = "data:image/png;base64," + "iVBORw0K" * 10_000
PARTS = [
    "image_url", "input_image", "image", "input_audio", "audio", "file", "input_file", "document",
    "computer_screenshot", "text", "IMAGE_URL", "tool_result", "", None, 7,
]  # fmt: skip
HIDING_PLACES = ["text", "image_url", "input_audio", "file", "source", "file_data", "content"]


def bound(document: dict[str, Any], path: str = "/v1/chat/completions", **more: Any) -> Bound:
    body = json.dumps(document, ensure_ascii=False).encode()
    options = {"models": ["m"], "most_output": None, "is_limited": True} | more
    return bound_of_document(path, body, document, **options)


def chat(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]} | more


@given(st.lists(st.text(max_size=200), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_the_bound_covers_one_token_per_byte_of_text(texts: list[str]) -> None:
    tokens = sum(len(x.encode()) for x in texts)
    assert bound(chat(*({"type": "text", "text": x} for x in texts))).input_tokens >= tokens


@given(st.sampled_from(PARTS), st.sampled_from(HIDING_PLACES), st.data())
@settings(max_examples=300, deadline=None)
def test_text_inside_a_media_part_is_counted(kind: Any, place: str, data: st.DataObject) -> None:
    prefix = data.draw(
        st.sampled_from(
            [
                "",
                "data:text/plain,",
                "DATA:Text/Plain;base64,",
                "data:application/json,",
                "data:,",
                "data:;base64,",
                " data:text/plain,",
                "https://example.org/",
                "data:x/y,",
            ]
        )
    )
    text = prefix + LONG
    types = st.sampled_from(["text", "base64", "url", "BASE64", None])
    media = st.sampled_from(["text/plain", "TEXT/plain", "application/json", "text/html", None])
    wrapped = data.draw(
        st.sampled_from(
            [
                text,
                {"url": text},
                {"data": text, "format": "wav"},
                {"file_data": text},
                {"text": text, "url": IMAGE},
                {"type": data.draw(types), "media_type": data.draw(media), "data": text},
                [{"type": kind, "text": text}],
            ]
        )
    )
    part = {"type": kind, place: wrapped}
    assert bound(chat(part)).input_tokens >= len(LONG), part
    nested = {"type": "document", "source": {"type": "content", "content": [part]}}
    assert bound(chat(nested)).input_tokens >= len(LONG), part


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"image_url": {"url": "https://example.org/a.png"}},
        {"type": "own_image", "image_url": "https://example.org/a.png"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "computer_screenshot", "image_url": "https://example.org/a.png"},
    ],
)
def test_images_count_wherever_they_are_in_the_request(part: dict[str, Any]) -> None:
    found = bound(chat(*[part] * 20)).input_tokens
    assert 20 * IMAGE_TOKENS < found < 20 * IMAGE_TOKENS + 4000
    inside = {"type": "document", "source": {"type": "content", "content": [part] * 20}}
    assert bound(chat(inside)).input_tokens > FILE_TOKENS + 20 * IMAGE_TOKENS


@pytest.mark.parametrize(
    ("part", "most"),
    [
        ({"type": "image_url", "image_url": {"url": IMAGE}}, IMAGE_TOKENS + 200),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "iVBO" * 20_000},
            },
            IMAGE_TOKENS + 200,
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "UklG" * 20_000, "format": "wav"}},
            1_600 + 200,
        ),
        (
            {"type": "file", "file": {"file_data": PDF}},
            FILE_TOKENS + 200,
        ),
    ],
)  # fmt: skip
def test_media_bytes_are_not_counted_as_text(part: dict[str, Any], most: int) -> None:
    assert most - 400 < bound(chat(part)).input_tokens < most


@pytest.mark.parametrize(
    ("part", "least"),
    [
        ({"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}, VIDEO_TOKENS),
        ({"type": "input_video", "video_url": "https://example.org/a.mp4"}, VIDEO_TOKENS),
        ({"type": "audio_url", "audio_url": {"url": "https://example.org/a"}}, HOSTED_TOKENS),
        ({"type": "input_audio", "input_audio": "https://example.org/a"}, HOSTED_TOKENS),
        ({"type": "input_audio", "input_audio": {"file_id": "file-1"}}, HOSTED_TOKENS),
        ({"role": "assistant", "audio": {"id": "audio_1"}}, HOSTED_TOKENS),
        ({"type": "document_url", "document_url": "https://example.org/a"}, FILE_TOKENS),
        ({"type": "file_url", "file_url": {"url": "https://example.org/a"}}, FILE_TOKENS),
        ({"type": "image_file", "image_file": {"file_id": "file-1"}}, IMAGE_TOKENS),
        ({"type": "item_reference", "id": "msg_1"}, HOSTED_TOKENS),
        ({"Type": "image_url", "Image_URL": {"url": "https://example.org/a"}}, IMAGE_TOKENS),
        ({"Type": "Text", "Video_Url": "https://example.org/a"}, VIDEO_TOKENS),
    ],
)
def test_inputs_that_are_only_named_count(part: dict[str, Any], least: int) -> None:
    found = bound(chat(*[part] * 3)).input_tokens
    assert 3 * least < found < 3 * least + 600


@pytest.mark.parametrize(
    "options",
    [
        {"web_search_options": {"search_context_size": "high"}},
        {"search_parameters": {"mode": "on"}},
        {"plugins": [{"id": "web"}]},
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"tools": [{"type": "web_search"}]},
    ],
)
def test_searches_and_stored_conversations_count_as_input(options: dict[str, Any]) -> None:
    assert bound(chat("a", **options)).input_tokens > HOSTED_TOKENS


@pytest.mark.parametrize("name", ["n_predict", "max_new_tokens", "num_predict", "N_Predict"])
def test_an_output_cap_by_another_name_is_lowered(name: str) -> None:
    found = bound(chat("a", **{name: 90_000}), most_output=500)
    assert (found.cap, found.is_edited) == (500, True)
    assert set(found.cap_members) == {name, "max_completion_tokens"}
    # An upstream that does not know the name must not use its own default.
    assert bound(chat("a", **{name: 300})).is_edited
    assert bound(chat("a", **{name: -1})).cap == DEFAULT_OUTPUT


def test_rejected_prediction_tokens_are_bounded_beyond_the_cap() -> None:
    predicted = {"type": "content", "content": LONG}
    found = bound(chat("a", max_tokens=10, prediction=predicted))
    assert found.amounts.tokens - found.input_tokens > len(LONG)


@pytest.mark.parametrize("name", ["previous_response_id", "Previous_Response_Id", "Conversation"])
def test_inputs_that_are_named_in_any_case_count(name: str) -> None:
    assert bound(chat("a", **{name: "x"})).input_tokens > HOSTED_TOKENS


def test_options_in_any_case_count() -> None:
    predicted = bound(chat("a", max_tokens=10, Prediction={"content": LONG}))
    assert predicted.amounts.tokens - predicted.input_tokens > len(LONG)
    assert bound(chat("a", Tools=[{"type": "web_search"}])).input_tokens > HOSTED_TOKENS
    made = [
        bound({"prompt": "a", name: 3}, "/v1/images/generations").amounts.tokens
        for name in ("partial_images", "Partial_Images")
    ]
    assert made[0] == made[1] > MADE_IMAGE_TOKENS + 3 * 100


def test_all_text_to_speak_is_billed() -> None:
    speech = "/v1/audio/speech"
    assert bound({"input": "abc", "voice": "v"}, speech).units.characters == 3
    for name in ("Input", "text"):
        assert bound({"input": "a", name: LONG}, speech).units.characters > len(LONG)


@pytest.mark.parametrize("name", ["max_tokens", "N", "best_of", "n_predict", "max_output_tokens"])
def test_extra_body_replaces_nothing_that_was_bounded(name: str) -> None:
    with pytest.raises(GatewayError) as refused:
        bound(chat("a", max_tokens=10, Extra_Body={name: 9}))
    assert (refused.value.status, refused.value.param) == (400, f"extra_body.{name}")
    assert bound(chat("a", max_tokens=10, extra_body={"top_k": 9})).cap == 10


def test_a_huge_cap_can_be_written_into_the_body() -> None:
    document = chat("a", max_tokens=10**30, max_completion_tokens=None)
    found = bound(document)
    assert (found.cap, found.is_edited) == (MOST_OUTPUT, True)


def test_images_are_edited_by_json_too() -> None:
    document = {"images": [{"file_id": "file-1"}] * 16, "prompt": "a", "n": 3}
    found = bound(document, "/v1/images/edits")
    assert found.input_tokens > 16 * IMAGE_TOKENS
    assert found.amounts.tokens - found.input_tokens == 3 * MADE_IMAGE_TOKENS
    assert found.units.images == 3


def test_deeply_nested_documents_are_bounded() -> None:
    deep: Any = []
    for _ in range(150):
        deep = [{"x": deep}]
    assert bound({"messages": deep}).input_tokens > 150


@pytest.mark.parametrize("name", ["n", "best_of", "N", "Best_Of", "n_cmpl"])
def test_answers_and_prompts_multiply_the_cap(name: str) -> None:
    for prompt in ("prompt", "Prompt"):
        document = {prompt: [1, "a", "b"], "max_tokens": 10, name: 7}
        found = bound(document, "/v1/completions")
        assert found.amounts.tokens - found.input_tokens == 7 * 3 * 10
    tokens = bound({"prompt": [1, 2, 3], "max_tokens": 10}, "/v1/completions")
    assert tokens.amounts.tokens - tokens.input_tokens == 10


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/images/generations"])
@pytest.mark.parametrize("name", ["n", "max_tokens", "partial_images"])
def test_huge_numbers_stay_within_64_bits_when_summed(path: str, name: str) -> None:
    for value in (2**63, 10**30, -(10**30)):
        found = bound({name: 10**3, "n": 10**3} | {name: value}, path, most_output=None)
        assert 0 <= found.amounts.tokens <= MOST_OUTPUT + 10**4
        assert found.units.images <= 10**6


@given(st.integers(0, 5000), st.integers(-2, 9000), st.integers(1, 4), st.integers(1, 5000))
@settings(max_examples=60, deadline=None)
def test_the_plan_caps_the_bound_of_the_output(text: int, cap: int, n: int, most: int) -> None:
    found = bound(chat("a" * text, max_tokens=cap, n=n), most_output=most)
    sent = min(cap, most) if cap > 0 else most
    assert (found.cap, found.answers) == (sent, n)
    assert found.amounts.tokens == found.input_tokens + sent * n
    assert bound(chat("a"), most_output=None).cap == DEFAULT_OUTPUT
