"""Accent colours: whatever an operator chooses can be read in both themes."""

import re
from pathlib import Path

import pytest

from daypass.domain.colours import (
    DARK,
    LIGHT,
    MIN_CONTRAST,
    Theme,
    accent_for,
    contrast,
    mix,
    parse_colour,
)

STYLES = Path(__file__).parents[2] / "web" / "src" / "app" / "globals.css"


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    # From the examples of WCAG 2.2 and the contrast checker of WebAIM.
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#000000", 2.44),
    ],
)
def test_contrast_follows_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_colour_becomes_legible(theme: Theme) -> None:
    steps = ("00", "40", "80", "bf", "ff")
    for colour in (f"#{r}{g}{b}" for r in steps for g in steps for b in steps):
        accent = accent_for(theme, colour)
        for background in (*theme.backgrounds, accent.soft):
            assert contrast(accent.colour, background) >= MIN_CONTRAST, colour
        assert accent.contrast >= MIN_CONTRAST


def test_a_legible_colour_is_unchanged() -> None:
    assert accent_for(LIGHT, "#047857").colour == "#047857"
    assert accent_for(DARK, "#34d399").colour == "#34d399"
    assert accent_for(DARK, "#047857").colour != "#047857"


def test_a_colour_is_adjusted_no_more_than_needed() -> None:
    accent = accent_for(LIGHT, "#ffcc00")
    assert MIN_CONTRAST <= accent.contrast < MIN_CONTRAST + 0.2


@pytest.mark.parametrize(
    "value", ["", "red", "#fff", "#12345", "#1234567", "#12345g", "#047857;}", "rgb(1,2,3)"]
)
def test_colours_require_six_hex_digits(value: str) -> None:
    with pytest.raises(ValueError, match="six hexadecimal digits"):
        parse_colour(value)


def test_a_colour_is_normalised() -> None:
    assert parse_colour(" #0A7857 ") == "#0a7857"
    assert mix("#ffffff", "#000000", 0.5) == "#808080"


def test_contrast_backgrounds_match_the_style_sheet() -> None:
    styles = STYLES.read_text()
    for theme, selector in ((LIGHT, ":root"), (DARK, ".dark")):
        block = re.search(rf"^{re.escape(selector)} {{(.*?)^}}", styles, re.MULTILINE | re.DOTALL)
        assert block is not None
        values = dict(re.findall(r"--([\w-]+): (#\w{6});", block[1]))
        used = {values["background"], values["surface"], values["raised"]}
        assert used == set(theme.backgrounds)
