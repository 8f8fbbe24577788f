"""What an answer used, as the upstream reports it. Pure."""

from typing import NamedTuple


class TokenUsage(NamedTuple):
    """The tokens of one answer. `input` and `output` are totals; the others are parts of them."""

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    """Input that the upstream wrote to its prompt cache."""
    audio_input: int = 0
    image_input: int = 0
    output: int = 0
    reasoning: int = 0
    audio_output: int = 0
    image_output: int = 0

    @property
    def total(self) -> int:
        """Input plus output, as the upstream bills them."""
        return self.input + self.output


NO_TOKENS = TokenUsage()


class BilledUnits(NamedTuple):
    """What an endpoint bills besides tokens."""

    images: int = 0
    audio_seconds: int = 0
    characters: int = 0


NO_UNITS = BilledUnits()
