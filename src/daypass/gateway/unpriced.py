"""Finds what a request would be billed for at a price that Daypass does not know.

Prices are per token or unit of a model. Upstreams bill some options apart: a fee for each search of
their own tools, a factor for faster service, and audio tokens at many times the price of text.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from daypass.domain.prices import Price
from daypass.gateway.media_parts import media_in
from daypass.gateway.request import StreamedBody

_USUAL_PRICE = {
    "service_tier": frozenset(
        {"auto", "default", "flex", "on_demand", "scale", "standard", "standard_only"}
    ),
    "speed": frozenset({"standard", "normal"}),
    "inference_geo": frozenset({"global"}),
}
"""Values of options that cost no more than the model's price."""

_FEES = frozenset({"plugins", "search_parameters", "web_search_options"})
"""Members that turn on searches."""

_FREE_TOOLS = (
    "apply_patch", "bash", "computer", "custom", "function", "local_shell", "mcp", "memory",
    "namespace", "str_replace", "text_editor", "tool_search",
)  # fmt: skip
"""The beginnings of the types of tools that are billed by their tokens only."""


class Unpriced(NamedTuple):
    """A member of a request, and what it stands for in a sentence."""

    param: str
    what: str


def unpriced_in(
    pattern: str, body: bytes | StreamedBody, document: Mapping[str, Any], price: Price
) -> Unpriced | None:
    """Return what has no known price in a request to the endpoint with this pattern, if any.

    `document` is the parsed JSON body; empty for others.
    """
    if price.unpriced and (found := _unpriced_audio(pattern, body, document, price)) is not None:
        return found
    return next(_unpriced_options(document), None)


def _unpriced_options(document: Mapping[str, Any]) -> Iterator[Unpriced]:
    for name, value in document.items():
        folded = name.casefold()
        usual = _USUAL_PRICE.get(folded)
        if usual is not None and isinstance(value, str) and value not in usual:
            yield Unpriced(name, f"{name} {value[:40]!r}")
        elif folded in _FEES and value:
            yield Unpriced(name, f"searches ({name})")
        elif folded == "extra_body" and isinstance(value, dict):
            yield from _unpriced_options(value)
        elif folded == "tools" and isinstance(value, list):
            for kind in (x.get("type") for x in value if isinstance(x, dict)):
                if isinstance(kind, str) and not kind.startswith(_FREE_TOOLS):
                    yield Unpriced(name, f"the tool {kind[:40]}")


def _unpriced_audio(
    pattern: str, body: bytes | StreamedBody, document: Mapping[str, Any], price: Price
) -> Unpriced | None:
    if "audio_input" in price.unpriced:
        if pattern.endswith(("/audio/transcriptions", "/audio/translations")):
            return Unpriced("model", "audio for this model")
        may_have_audio = isinstance(body, bytes) and b"audio" in body.lower()
        if may_have_audio and any(kind == "audio" for kind, _ in media_in(document)):
            return Unpriced("messages", "audio for this model")
    modalities = document.get("modalities")
    if "audio_output" in price.unpriced and isinstance(modalities, list) and "audio" in modalities:
        return Unpriced("modalities", "audio from this model")
    return None
