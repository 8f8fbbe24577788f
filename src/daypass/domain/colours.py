"""Accent colours that are legible in both themes.

Contrast is that of the Web Content Accessibility Guidelines 2.2 (W3C), success criterion 1.4.3:
text needs a ratio of at least 4.5 to its background.
"""

import re
from typing import NamedTuple

MIN_CONTRAST = 4.5

_HEX = re.compile(r"#[0-9a-f]{6}")

Rgb = tuple[int, int, int]


class Theme(NamedTuple):
    """The colours of a theme, as in `globals.css`, that accent-coloured text is read on."""

    backgrounds: tuple[str, ...]
    """The first one is that of the page."""
    soft_share: float
    """How much of the accent is mixed into the page's background for highlighted areas."""
    contrary: str
    """The colour towards which an accent with too little contrast is shifted."""


LIGHT = Theme(("#ffffff", "#fafafa"), 0.08, "#000000")
DARK = Theme(("#0b0b0d", "#111114", "#161619"), 0.15, "#ffffff")


class Accent(NamedTuple):
    """An accent colour as one theme shows it."""

    colour: str
    soft: str
    """The background of highlighted areas."""
    contrast: float
    """The lowest contrast of text in this colour with any background of the theme."""


def parse_colour(value: str) -> str:
    """Return a colour in the form `#rrggbb`, in lower case. Raises ValueError for other forms."""
    colour = value.strip().lower()
    if not _HEX.fullmatch(colour):
        raise ValueError("must be a colour such as #047857: # and six hexadecimal digits")
    return colour


def accent_for(theme: Theme, colour: str) -> Accent:
    """Return `colour` as a theme shows it, shifted only as far as legible text needs.

    A shift towards black or white always suffices, because either has a contrast of more than 18
    with every background of the theme.
    """
    for percent in range(101):
        shifted = mix(theme.contrary, colour, percent / 100)
        soft = mix(shifted, theme.backgrounds[0], theme.soft_share)
        lowest = min(contrast(shifted, x) for x in (*theme.backgrounds, soft))
        if lowest >= MIN_CONTRAST:
            return Accent(shifted, soft, lowest)
    raise AssertionError(f"no shade of {colour} is legible")


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(top: str, bottom: str, share: float) -> str:
    """Return `share` of one colour (0 to 1) over another."""
    pairs = zip(_rgb(top), _rgb(bottom), strict=True)
    return "#" + "".join(f"{round(x * share + y * (1 - share)):02x}" for x, y in pairs)


def _rgb(colour: str) -> Rgb:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _luminance(colour: str) -> float:
    """Return the relative luminance, from 0 for black to 1 for white."""
    red, green, blue = (_linear(x / 255) for x in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
