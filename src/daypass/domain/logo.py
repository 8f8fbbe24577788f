"""A site's logo: an image that an operator uploads and everybody's browser shows."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from daypass.domain import png, svg

MAX_BYTES = 200 * 1024

LogoType = Literal["image/svg+xml", "image/png"]
LOGO_TYPES: tuple[LogoType, ...] = ("image/svg+xml", "image/png")


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo as it is stored and served: rewritten, never the uploaded bytes."""

    media_type: str
    content: bytes
    width: float
    """In pixels or, for SVG, in the units of its view box."""
    height: float

    @property
    def digest(self) -> str:
        """Return a short name of this very image, for its address and its ETag."""
        return hashlib.sha256(self.content).hexdigest()[:16]


def logo_type(media_type: str) -> LogoType | None:
    """Return a media type if logos may have it."""
    return next((x for x in LOGO_TYPES if x == media_type), None)


def read_logo(media_type: LogoType, file: bytes) -> Logo:
    """Check an uploaded file and rewrite it. Raises ValueError with a message for the operator."""
    if len(file) > MAX_BYTES:
        raise ValueError("A logo may have at most 200 kB.")
    rewrite = png.re_encode if media_type == "image/png" else svg.rewrite
    return Logo(media_type, *rewrite(file))
