"""The most that a multipart form can use, and the fields with which it might use more.

A form is relayed while it is read, so its bound is fixed before all of its fields are known.
"""

from daypass.domain.usage import BilledUnits
from daypass.gateway.bound import (
    AUDIO_BYTES_PER_SECOND,
    AUDIO_BYTES_PER_TOKEN,
    EDITED_IMAGES,
    IMAGE_TOKENS,
    MADE_IMAGE_TOKENS,
    Bound,
)
from daypass.gateway.endpoint_policy import turned_off
from daypass.gateway.errors import GatewayError
from daypass.gateway.forms import Field
from daypass.gateway.named_models import SEPARATORS

FORM_IMAGES = 10
"""The most images that a form makes."""

_IMAGES = frozenset({"n", "extra_body"})
_AUDIO = frozenset({"file", "url", "file_url", "audio_url", "extra_body"})
"""Fields by which an upstream may fetch audio from an address, unless they are files."""


def bound_of_form(pattern: str, length: int) -> Bound:
    """Return the bound of a multipart request of `length` bytes."""
    if "/audio/" in pattern:
        tokens = -(-length // AUDIO_BYTES_PER_TOKEN)
        seconds = -(-length // AUDIO_BYTES_PER_SECOND)
        units = BilledUnits(audio_seconds=seconds)
        return Bound(tokens, fixed_output=tokens, units=units)
    if "/images/" in pattern:
        most = FORM_IMAGES
        input_tokens = EDITED_IMAGES * IMAGE_TOKENS + 32_000
        units = BilledUnits(images=most)
        return Bound(input_tokens, fixed_output=most * MADE_IMAGE_TOKENS, units=units)
    return Bound(length)


def is_transcription(pattern: str) -> bool:
    """Return whether an endpoint turns recorded audio into text."""
    return pattern.endswith(("/audio/transcriptions", "/audio/translations"))


def sets_bound(name: str, is_file: bool) -> bool:
    """Return whether `check_bound` needs to see a field."""
    names = _names_in(name)
    return "n" in names or (not is_file and not _AUDIO.isdisjoint(names))


def check_bound(pattern: str, field: Field) -> None:
    """Raise GatewayError for a field with which a limited form may exceed its bound.

    400 for more images than are reserved, 403 for audio that the upstream fetches.
    """
    names = _names_in(field.name)
    if is_transcription(pattern):
        if not _AUDIO.isdisjoint(names):
            raise unknown_length(field.name[:100])
    elif "/images/" in pattern and not _IMAGES.isdisjoint(names):
        count = field.value.strip()
        if not (
            count.isascii() and count.isdigit() and len(count) <= 2 and int(count) <= FORM_IMAGES
        ):
            message = f"{field.name[:100]} must be a whole number up to {FORM_IMAGES} in a form."
            raise GatewayError(
                400, "invalid_request", message, param=field.name[:100], uncounted=True
            )


def unknown_length(param: str | None = None) -> GatewayError:
    """Return the 403 for audio that is not a file in a form: nothing bounds its length."""
    return turned_off(
        "Under a limit on tokens or cost, audio is transcribed from a file in a multipart form "
        "only: nothing bounds what other audio uses.",
        param,
    )


def _names_in(name: str) -> frozenset[str]:
    return frozenset(x.strip() for x in SEPARATORS.split(name.casefold()))
