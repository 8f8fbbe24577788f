"""Event streams as OpenAI-compatible APIs send them, with the token counts they report."""

from typing import NamedTuple


class Recorded(NamedTuple):
    """A stream, and its input and output tokens."""

    stream: bytes
    tokens: tuple[int, int]


def _events(*events: str, end: str = "\n") -> bytes:
    return "".join(event.replace("\n", end) + end + end for event in events).encode()


_CHUNK = (
    'data: {"id":"chatcmpl-Bx1","object":"chat.completion.chunk","created":1795608000,'
    '"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_1",'
    '"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"usage":null}'
)
_USAGE = (
    'data: {"id":"chatcmpl-Bx1","object":"chat.completion.chunk","created":1795608000,'
    '"model":"gpt-4o-mini-2024-07-18","choices":[],"usage":{"prompt_tokens":19,'
    '"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,'
    '"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}'
)
_DONE = "data: [DONE]"
_CHAT = (
    _CHUNK % ('{"role":"assistant","content":"","refusal":null}', "null"),
    _CHUNK % ('{"content":"Grüße 🙂 \\n\\n"}', "null"),
    _CHUNK % ('{"content":"data: [DONE] \\"usage\\": {\\"prompt_tokens\\": 999}"}', "null"),
    _CHUNK % ("{}", '"stop"'),
)
_RESPONSE = (
    '{"id":"resp_1","object":"response","status":"%s","model":"gpt-4o-mini","output":%s,'
    '"usage":%s,"user":null,"metadata":{"note":"\\"usage\\":{"}}'
)
_RESPONSES = (
    'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":'
    + _RESPONSE % ("in_progress", "[]", "null")
    + "}",
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
    '"sequence_number":1,"item_id":"msg_1","delta":"Grüße","obfuscation":"aB3"}',
    'event: response.completed\ndata: {"type":"response.completed","sequence_number":2,"response":'
    + _RESPONSE
    % (
        "completed",
        '[{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"Grüße"}]}]',
        '{"input_tokens":36,"input_tokens_details":{"cached_tokens":0},"output_tokens":87,'
        '"output_tokens_details":{"reasoning_tokens":0},"total_tokens":123}',
    )
    + "}",
)
_OTHERS = (
    ": OPENROUTER PROCESSING",
    'data: {"choices":[{"delta":{"content":"x"}}]}',
    'data: { "choices": [], "usage": { "prompt_tokens": 5, "completion_tokens": 2 } }',
    _DONE,
)

RECORDED = {
    "chat": Recorded(_events(*_CHAT, _DONE), (0, 0)),
    "chat with usage": Recorded(_events(*_CHAT, _USAGE, _DONE), (19, 10)),
    "chat with usage, CRLF": Recorded(_events(*_CHAT, _USAGE, _DONE, end="\r\n"), (19, 10)),
    "responses": Recorded(_events(*_RESPONSES), (36, 87)),
    "comments and spaces": Recorded(_events(*_OTHERS), (5, 2)),
    "a long one": Recorded(_events(*_CHAT * 18, _USAGE, _DONE), (19, 10)),
}
