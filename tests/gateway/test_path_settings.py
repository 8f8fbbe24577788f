"""Path settings without effect are refused."""

import pytest

from daypass.config.settings import Settings, SettingsError
from daypass.gateway.path_settings import check_path_settings


@pytest.mark.parametrize(
    ("denied", "extra", "said"),
    [
        ("image", "", "DAYPASS_DENIED_PATHS: 'image' is no endpoint"),
        ("files,chat/completion", "", "'chat/completion' is no endpoint"),
        ("embeddings/all", "", "'embeddings/all' is no endpoint"),
        ("tokenize", "", "'tokenize' is no endpoint"),
    ],
)
def test_path_settings_without_effect_are_refused(denied: str, extra: str, said: str) -> None:
    settings = Settings(denied_paths=denied, extra_paths=extra)  # type: ignore[arg-type]
    with pytest.raises(SettingsError) as error:
        check_path_settings(settings)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("denied", "extra"),
    [
        ("images,Audio/Speech", ""),
        ("files,models/meta-llama/Llama-3", ""),
        ("chat,deployments,realtime/sessions", ""),
        ("tokenize/batch", "tokenize"),
        ("tokenize", "tokenize/batch,chat/completions,responses/search"),
    ],
)
def test_path_settings_with_effect_are_accepted(denied: str, extra: str) -> None:
    check_path_settings(Settings(denied_paths=denied, extra_paths=extra))  # type: ignore[arg-type]
