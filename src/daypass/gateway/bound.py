"""The most that a request can use, known before it is sent.

Input: a token is at least one byte of text (special tokens are covered by the JSON around each
message), so the body's bytes bound its tokens; images, audio and files count a constant instead
of their bytes. Output: the request's cap times the number of answers. `docs/counting.md` lists
the constants.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from daypass.domain.plans import Amounts, Measure
from daypass.domain.prices import FREE, HighestPrice, Price
from daypass.domain.usage import NO_UNITS, BilledUnits
from daypass.gateway.errors import GatewayError
from daypass.gateway.media_parts import media_in
from daypass.quota.ledger import Refusal

MIN_OUTPUT = 256
"""The cap of a request is not lowered below this many output tokens."""
DEFAULT_OUTPUT = 4_096
"""The cap of a request that has none, under a token or cost limit."""

IMAGE_TOKENS = 5_000
IMAGE_TOKENS_OF = (("gpt-4o-mini*", 50_000),)
"""Models that count more tokens for an image."""
FILE_TOKENS = 50_000
VIDEO_TOKENS = 500_000
HOSTED_TOKENS = 20_000
"""For input that a request only names: a stored conversation, audio, a tool of the upstream's."""
AUDIO_BYTES_PER_TOKEN = 50
AUDIO_BYTES_PER_SECOND = 500
SPEECH_TOKENS_PER_BYTE = 10
MADE_IMAGE_TOKENS = 8_000
MOST_OUTPUT = 10**10
"""No upstream returns more tokens for one request. Keeps sums of bounds within 64 bits."""
MOST_ANSWERS = 10**6
"""No upstream returns more answers or images for one request."""
PARTIAL_IMAGE_TOKENS = 100
EDITED_IMAGES = 16
"""The most images that a request to edit images sends."""

_CAPS = {
    "/chat/completions": ("max_completion_tokens", "max_tokens"),
    "/completions": ("max_tokens",),
    "/responses": ("max_output_tokens",),
    "/messages": ("max_tokens",),
}
"""Members that cap the output, by the end of the path. The first is set if there is none."""

_OTHER_CAPS = frozenset({"max_new_tokens", "n_predict", "num_predict"})
"""Names that some upstreams prefer to those above (llama.cpp, Ollama)."""

_ANSWERS = frozenset({"n", "best_of", "n_cmpl"})
"""Members that ask for several answers. The last is llama.cpp's."""

_NAMED_INPUTS = (
    "previous_response_id", "conversation", "web_search_options", "search_parameters", "plugins",
)  # fmt: skip
"""Members that name a stored conversation, or turn on searches whose results are input."""

_NOT_NESTED = _OTHER_CAPS | _ANSWERS | {name for names in _CAPS.values() for name in names}
_PLAIN_TOOLS = frozenset({"function", "custom"})


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that one request uses."""

    input_tokens: int
    cap: int | None = None
    """Output tokens of one answer; None if the endpoint takes no cap."""
    answers: int = 1
    fixed_output: int = 0
    """Output tokens that no cap limits."""
    cap_members: tuple[str, ...] = ()
    """The members of the body to set to the cap."""
    is_edited: bool = False
    """Whether the cap differs from what the request says."""
    units: BilledUnits = NO_UNITS
    price: Price | HighestPrice = FREE

    @property
    def amounts(self) -> Amounts:
        """What to reserve."""
        return self._amounts(self.cap or 0)

    def lowered_to(self, cap: int) -> "Bound":
        """Return the bound with a lower cap."""
        return replace(self, cap=cap, is_edited=True)

    def lowered_to_fit(self, refusal: Refusal) -> "Bound | None":
        """Return the bound with the highest cap that fits, if that is worth an answer."""
        if self.cap is None:
            return None
        cap = self.cap
        for state in refusal.full:
            measure = state.claim.limit.measure
            if measure is Measure.REQUESTS:
                return None
            cap = min(cap, self._cap_within(state.claim.measure, state.remaining, cap))
        return self.lowered_to(cap) if MIN_OUTPUT <= cap < self.cap else None

    def _cap_within(self, measure: int, remaining: int, most: int) -> int:
        """Return the highest cap whose amount in a measure is at most `remaining`."""
        low, high = 0, most
        while low < high:
            middle = (low + high + 1) // 2
            if self._amounts(middle)[measure] <= remaining:
                low = middle
            else:
                high = middle - 1
        return low

    def _amounts(self, cap: int) -> Amounts:
        output = min(MOST_OUTPUT, cap * self.answers + self.fixed_output)
        cost = self.price.bound(self.input_tokens, output, self.units)
        return Amounts(1, self.input_tokens + output, cost)


def bound_of_document(
    pattern: str,
    body: bytes,
    document: Mapping[str, Any],
    models: Iterable[str],
    most_output: int | None,
    *,
    is_limited: bool,
) -> Bound:
    """Return the bound of a request with a JSON body.

    `models` are the names of its model at the upstreams that may serve it, and `most_output` is
    the plan's `max_output_tokens`. `is_limited` tells whether tokens or cost are limited: then a
    request without a cap gets one. Raises GatewayError 400 for a cap that is not a number.
    """
    _refuse_nested_options(document)
    text, media = _input_of(body, document, models)
    # Predicted output that turns out wrong is billed as output, beyond the cap.
    predicted = len(body) if any(_values_of(document, ("prediction",))) else 0
    bound = Bound(text + media, fixed_output=predicted)
    for end, names in _CAPS.items():
        if pattern.endswith(end):
            return _with_cap(bound, document, names, most_output, is_limited=is_limited)
    if "/images/" in pattern and not pattern.endswith("/images/generations"):
        bound = replace(bound, input_tokens=bound.input_tokens + EDITED_IMAGES * IMAGE_TOKENS)
    return replace(bound, **_fixed_output(pattern, len(body), document))


def _with_cap(
    bound: Bound,
    document: Mapping[str, Any],
    names: tuple[str, ...],
    most_output: int | None,
    *,
    is_limited: bool,
) -> Bound:
    # Some upstreams match names without regard to case.
    present = {
        x: document[x] for x in document if x.casefold() in names or x.casefold() in _OTHER_CAPS
    }
    asked = [_cap_of(name, value) for name, value in present.items()]
    caps = [cap for cap in asked if cap is not None]
    most = max(caps, default=None)
    cap = most
    if most is None and is_limited:
        cap = DEFAULT_OUTPUT if most_output is None else most_output
    if most_output is not None:
        cap = most_output if cap is None else min(cap, most_output)
    if cap is None:
        return bound
    is_named = any(x.casefold() in names for x in present)
    is_edited = most is None or cap < most or len(caps) < len(asked) or not is_named
    return replace(
        bound,
        cap=cap,
        answers=_answers(document),
        cap_members=tuple(present) if is_named else (*present, names[0]),
        is_edited=is_edited,
    )


def _cap_of(name: str, value: Any) -> int | None:
    """Return a cap; None for `null` and for numbers that mean no cap to some upstreams."""
    if value is None:
        return None
    cap = _whole_number(name, value)
    return min(cap, MOST_OUTPUT) if cap > 0 else None


def _whole_number(name: str, value: Any) -> int:
    if type(value) is not int:
        message = f"{name} must be a whole number."
        raise GatewayError(400, "invalid_request", message, param=name, uncounted=True)
    return value


def _answers(document: Mapping[str, Any]) -> int:
    """Return how many answers a request may get: `n`, or `best_of`, for each prompt."""
    count = prompts = 1
    for name, value in document.items():
        folded = name.casefold()
        if folded in _ANSWERS and value is not None:
            count = max(count, _whole_number(name, value))
        elif folded == "prompt" and isinstance(value, list):
            is_tokens = all(type(x) is int for x in value)
            prompts = max(prompts, 1 if is_tokens else len(value))
    return min(count * prompts, MOST_ANSWERS)


def _fixed_output(pattern: str, length: int, document: Mapping[str, Any]) -> dict[str, Any]:
    if "/images/" in pattern:
        images = _answers(document)
        counts = [x for x in _values_of(document, ("partial_images",)) if type(x) is int]
        more = max([0, *counts]) * PARTIAL_IMAGE_TOKENS
        return {
            "fixed_output": images * (MADE_IMAGE_TOKENS + more),
            "units": BilledUnits(images=images),
        }
    if pattern.endswith("/audio/speech"):
        texts = list(_values_of(document, ("input", "text")))
        is_plain = texts and all(isinstance(x, str) for x in texts)
        characters = sum(map(len, texts)) if is_plain else length
        return {
            "fixed_output": length * SPEECH_TOKENS_PER_BYTE,
            "units": BilledUnits(characters=characters),
        }
    if pattern.endswith("/responses/compact"):
        return {"fixed_output": length}
    return {}


def _input_of(body: bytes, document: Mapping[str, Any], models: Iterable[str]) -> tuple[int, int]:
    """Return the bytes of text, and the tokens of everything else."""
    image_tokens = max(map(_image_tokens, models))
    text, tokens = len(body), 0
    for kind, data in media_in(document):
        text -= len(data)
        if kind == "image":
            tokens += image_tokens
        elif kind == "audio":
            tokens += -(-len(data) // AUDIO_BYTES_PER_TOKEN) if data else HOSTED_TOKENS
        elif kind == "video":
            tokens += VIDEO_TOKENS
        elif kind == "reference":
            tokens += HOSTED_TOKENS
        else:
            tokens += FILE_TOKENS
    tokens += HOSTED_TOKENS * _hosted_inputs(document)
    return max(0, text), tokens


def _image_tokens(model: str) -> int:
    found = (tokens for pattern, tokens in IMAGE_TOKENS_OF if fnmatchcase(model, pattern))
    return next(found, IMAGE_TOKENS)


def _hosted_inputs(document: Mapping[str, Any]) -> int:
    """Count the inputs that the request names but does not contain."""
    count = sum(1 for x in _values_of(document, _NAMED_INPUTS) if x)
    count += sum(1 for x in _values_of(document, ("prompt",)) if isinstance(x, dict))
    for tools in _values_of(document, ("tools",)):
        kinds = [x.get("type") for x in tools if isinstance(x, dict)] if type(tools) is list else []
        count += sum(1 for x in kinds if isinstance(x, str) and x not in _PLAIN_TOOLS)
    return count


def _values_of(document: Mapping[str, Any], names: Collection[str]) -> Iterator[Any]:
    """Yield the values of members by their names, which some upstreams match in any case."""
    return (value for name, value in document.items() if name.casefold() in names)


def _refuse_nested_options(document: Mapping[str, Any]) -> None:
    """Raise GatewayError 400 for a cap or a number of answers that `extra_body` repeats.

    Some upstreams (LiteLLM) use the members of `extra_body` in place of those beside it.
    """
    for nested in _values_of(document, ("extra_body",)):
        for name in nested if isinstance(nested, dict) else ():
            if name.casefold() in _NOT_NESTED:
                message = f"Send {name} beside extra_body, and not inside it."
                param = f"extra_body.{name}"
                raise GatewayError(400, "invalid_request", message, param=param, uncounted=True)
