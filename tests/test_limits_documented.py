"""`docs/plans.md` and `docs/counting.md` match the code."""

import re
from pathlib import Path

import pytest

from daypass.config.file import ENV_PREFIX
from daypass.config.plans import PlanSettings
from daypass.config.prices import PriceSettings
from daypass.config.settings import load_settings
from daypass.config.site_settings import CEILINGS
from daypass.gateway import bound

DOCS = Path(__file__).parents[1] / "docs"
PLANS = (DOCS / "plans.md").read_text()
COUNTING = (DOCS / "counting.md").read_text()
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", PLANS, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_a_valid_settings_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "daypass.toml").write_text(example)
    assert load_settings()


def test_each_option_is_documented_with_an_example() -> None:
    examples = "".join(EXAMPLES)
    for name in PlanSettings.model_fields:
        assert f"`{name}`" in PLANS, name
    windows = {x for x in PlanSettings.model_fields if "_per_" in x}
    for name in (PlanSettings.model_fields.keys() - windows) | PriceSettings.model_fields.keys():
        assert re.search(rf"^{name} = ", examples, re.MULTILINE), name
    for name in CEILINGS:
        assert f"`{ENV_PREFIX}{name.upper()}`" in PLANS, name


def test_the_documented_bound_constants_match_the_code() -> None:
    rows = re.findall(r"\| ([\d,]+) (?:tokens|bytes|answers|images) \| `([A-Z_]+)` \|", COUNTING)
    documented = {name: int(amount.replace(",", "")) for amount, name in rows}
    ((pattern, tokens),) = bound.IMAGE_TOKENS_OF
    assert f"`{pattern}` | {tokens:,} tokens | `IMAGE_TOKENS_OF`" in COUNTING
    documented.pop("IMAGE_TOKENS_OF")
    constants = {
        name: value
        for name, value in vars(bound).items()
        if name.isupper() and not name.startswith("_") and type(value) is int
    }
    assert documented == constants
