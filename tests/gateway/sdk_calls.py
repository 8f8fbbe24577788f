"""Common calls with the official SDK."""

from typing import Any

import openai

PNG = b"\x89PNG\r\n\x1a\n" * 1000

TOOL: dict[str, Any] = {
    "name": "find_file",
    "description": "Finds a file.",
    "parameters": {
        "type": "object",
        "properties": {
            "file_id": {"type": "string"},
            "model": {"type": "string", "enum": ["T"]},
            "engine": {"type": "object", "properties": {"id": {"type": "string"}}},
        },
        "required": ["file_id"],
    },
}
REPLAYED: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "hello", "annotations": []}],
    },
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "find_file",
        "arguments": '{"file_id": "x", "model": "T"}',
    },
    {"type": "function_call_output", "call_id": "call_1", "output": '{"file_id": "x"}'},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
    {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "iVBORw0K"},
    {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA"}]},
    {
        "role": "user",
        "content": [{"type": "input_file", "filename": "a.pdf", "file_data": "data:;base64,AA"}],
    },
]


def everyday_calls(sdk: openai.OpenAI, model: str) -> int:
    """Make one call of each kind and return how many there were."""
    client: Any = sdk  # The SDK accepts plain dictionaries, but its types do not.
    messages: list[Any] = [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "find_file", "arguments": '{"file_id": "x"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "file_id: x"},
    ]
    client.chat.completions.create(
        model=model,
        messages=messages,
        tools=[{"type": "function", "function": TOOL}],
    )
    client.responses.create(
        model=model,
        input=REPLAYED,
        tools=[
            {"type": "function", "strict": False} | TOOL,
            {"type": "image_generation", "background": "opaque"},
            {"type": "code_interpreter", "container": {"type": "auto"}},
        ],
        store=False,
    )
    client.embeddings.create(model=model, input=["file_id"], encoding_format="float")
    client.moderations.create(model=model, input=[{"type": "text", "text": "x"}])
    client.images.generate(model=model, prompt="x", background="transparent")
    image = [PNG, ("b.png", PNG)]
    client.images.edit(model=model, image=image, mask=PNG, prompt="[x", background="auto")
    client.audio.transcriptions.create(
        model=model,
        file=("été.wav", PNG),
        chunking_strategy={"type": "server_vad"},
        timestamp_granularities=["word"],
        prompt='{"model": "T"}',
    )
    return 7
