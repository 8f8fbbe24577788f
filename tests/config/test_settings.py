import asyncio
import re
from pathlib import Path

import pytest

from daypass.app.startup import prepare
from daypass.config.file import CONFIG_VARIABLE, ENV_PREFIX
from daypass.config.plans import PlanSettings
from daypass.config.prices import PriceSettings
from daypass.config.settings import Settings, SettingsError, load_settings
from daypass.config.site_settings import CEILINGS
from daypass.domain.plans import DEFAULT_PLANS
from daypass.upstreams.proxy_environment import check_proxies
from tests.conftest import daypass

PLANS = """
site_requests_per_day = 500
[[plans]]
id = "class"
name = "For the class"
requests_per_day = 5
requests_per_minute = 2
models = ["gpt-4o-mini"]
"""


@pytest.fixture(autouse=True)
def newcomer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_the_demo_model_is_used_without_any_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYPASS_CONFIG", "")
    settings = load_settings()
    assert settings.uses_demo_model
    assert settings.usage_plans == DEFAULT_PLANS
    assert settings.configured_plans == ()
    assert settings.upstream_base_url == "https://api.openai.com/v1"


def test_openai_api_key_is_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fallback")
    settings = load_settings()
    assert settings.upstream_api_key is not None
    assert settings.upstream_api_key.get_secret_value() == "sk-fallback"
    assert not settings.uses_demo_model
    assert "sk-fallback" not in repr(settings)
    monkeypatch.setenv("DAYPASS_UPSTREAM_API_KEY", "sk-own")
    own = load_settings().upstream_api_key
    assert own is not None
    assert own.get_secret_value() == "sk-own"
    monkeypatch.setenv("DAYPASS_DEMO", "1")
    assert load_settings().uses_demo_model


def test_an_upstream_without_a_key_does_not_select_the_demo_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAYPASS_UPSTREAM_BASE_URL", "http://127.0.0.1:11434/v1/")
    settings = load_settings()
    assert not settings.uses_demo_model
    assert settings.upstream_base_url == "http://127.0.0.1:11434/v1"


def test_private_upstreams_can_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYPASS_UPSTREAM_BASE_URL", "http://10.0.0.1/v1")
    assert load_settings().upstream_private_addresses == "allow"
    monkeypatch.setenv("DAYPASS_UPSTREAM_PRIVATE_ADDRESSES", "refuse")
    with pytest.raises(SettingsError, match="DAYPASS_UPSTREAM_PRIVATE_ADDRESSES=refuse private"):
        load_settings()


def test_the_environment_overrides_the_settings_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "daypass.toml").write_text(PLANS)
    settings = load_settings()
    (plan,) = settings.usage_plans
    assert {str(limit) for limit in plan.limits} == {"5 requests per day", "2 requests per minute"}
    assert plan.models == {"gpt-4o-mini"}
    assert settings.site_requests_per_day == 500
    monkeypatch.setenv("DAYPASS_SITE_REQUESTS_PER_DAY", "7")
    assert load_settings().site_requests_per_day == 7


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DAYPASS_NO_SUCH", "1", "DAYPASS_NO_SUCH: there is no such setting"),
        ("DAYPASS_MAX_KEYS_PER_ACCOUNT", "many", "DAYPASS_MAX_KEYS_PER_ACCOUNT: "),
        ("DAYPASS_UPSTREAM_BASE_URL", "api.openai.com", "must be an http(s) URL"),
        ("DAYPASS_CORS_ORIGINS", "https://a.example/path", "is not an origin"),
        ("DAYPASS_CLOCK_OFFSET_S", "60", "it needs DAYPASS_TESTING=1"),
        ("DAYPASS_UPSTREAM_BASE_URL", "http://169.254.169.254/v1", "link-local addresses and"),
        ("DAYPASS_UPSTREAM_BASE_URL", "http://metadata.google.internal/v1", "link-local addresses"),
        ("DAYPASS_ALLOWED_HOSTS", "a.example, https://b.example", "is not a host name"),
        ("DAYPASS_CONFIG", "missing.toml", "there is no file at missing.toml"),
        ("DAYPASS_ALLOWED_EMAIL_DOMAINS", "a.example, @b.example", "'@b.example' is not a domain"),
        ("DAYPASS_ALLOWED_EMAIL_DOMAINS", "*.school.example", "is not a domain"),
        ("DAYPASS_ALLOWED_EMAIL_DOMAINS", "ada@school.example", "is not a domain"),
        ("DAYPASS_ALLOWED_EMAIL_DOMAINS", "a.example;b.example", "is not a domain"),
        ("DAYPASS_ALLOWED_EMAIL_DOMAINS", ",", "holds commas only"),
        ("DAYPASS_EXTRA_PATHS", "/v1/tokenize", "leave out v1: write tokenize"),
        ("DAYPASS_EXTRA_PATHS", "tokenize,/", "'/' is not a path below /v1"),
        ("DAYPASS_DENIED_PATHS", "images/*", "'images/*' is not a path below /v1"),
        ("DAYPASS_DENIED_PATHS", "https://api.openai.com/v1/files", "is not a path below /v1"),
        ("DAYPASS_DENIED_PATHS", "%66iles", "is not a path below /v1"),
        ("DAYPASS_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "DAYPASS_TRUSTED_PROXIES: "),
        ("DAYPASS_TRUSTED_PROXIES", "10.0.0.5/8", "DAYPASS_TRUSTED_PROXIES: "),
        ("DAYPASS_OIDC_ISSUER", "http://idp.example", "must be an https URL"),
        ("DAYPASS_OIDC_ISSUER", "https://idp.example", "need DAYPASS_PUBLIC_URL"),
        ("DAYPASS_OIDC_CLIENT_ID", "x", "DAYPASS_OIDC_ISSUER"),
        ("DAYPASS_SMTP_URL", "https://mail.example", "must be smtps://"),
        ("DAYPASS_SMTP_URL", "smtp://a:b@mail.example", "unencrypted"),
        ("DAYPASS_SMTP_URL", "smtps://mail.example", "DAYPASS_MAIL_FROM"),
        ("DAYPASS_SMTP_URL", "smtps://me:pa/ss@mail.example", "must be smtps://"),
        ("DAYPASS_SMTP_URL", "smtps://me:pa@ss@mail.example", "must be smtps://"),
        ("DAYPASS_SMTP_URL", "smtps://mail.example:x", "DAYPASS_SMTP_URL: "),
        ("DAYPASS_MAIL_FROM", "not an address", "DAYPASS_MAIL_FROM: "),
        ("DAYPASS_UPSTREAM_BASE_URL", "https://api.openai.com", "write https://api.openai.com/v1"),
        (
            "DAYPASS_UPSTREAM_BASE_URL",
            "https://api.groq.com/openai/v1/chat/completions/",
            "leave out /chat/completions, which clients append: write https://api.groq.com/openai/v1",
        ),
        ("DAYPASS_UPSTREAM_BASE_URL", "https://x.example/v1#x", "must be an http(s) URL"),
        ("DAYPASS_UPSTREAM_API_KEY", "sk-a sk-b", "paste only the key"),
        ("DAYPASS_UPSTREAM_API_KEY", "\u201csk-a\u201d", "paste only the key"),
        ("DAYPASS_UPSTREAM_API_KEY", " ", "is empty"),
        ("DAYPASS_UPSTREAM_API_KEY", '"sk-a"', "is in quotation marks"),
        ("DAYPASS_UPSTREAM_BASE_URL", " ", "is empty"),
        ("DAYPASS_UPSTREAM_BASE_URL", "https://exa mple.org/v1", "must be an http(s) URL"),
        ("DAYPASS_TRUSTED_PROXIES", "10.0.0.5/8", "has host bits set: write addresses"),
        ("DAYPASS_TRUSTED_PROXIES", "::1, proxy", "'proxy' does not appear to be"),
        ("DAYPASS_UPSTREAM_BASE_URL", "https://b\u00fccher.example/v1", "xn--bcher-kva.example"),
        ("DAYPASS_UPSTREAM_BASE_URL", "\u201chttps://x.example/v1\u201d", "use plain ASCII"),
        ("DAYPASS_UPSTREAM_BASE_URL", "https://x.example:99999/v1", "Port out of range"),
        ("DAYPASS_PUBLIC_URL", "https://b\u00fccher.example", "xn--bcher-kva.example"),
        ("DAYPASS_PUBLIC_URL", "https://example.org/keys", "must have no path"),
        ("DAYPASS_ALLOWED_HOSTS", "b\u00fccher.example", "xn--bcher-kva.example"),
        ("DAYPASS_CORS_ORIGINS", "https://b\u00fccher.example", "xn--bcher-kva.example"),
        ("DAYPASS_REDIS_URL", "redis://b\u00fccher.example", "xn--bcher-kva.example"),
        ("DAYPASS_DATABASE_URL", "postgresql://b\u00fccher.example/x", "xn--bcher-kva.example"),
        ("DAYPASS_DATABASE_URL", "postgresql://h:99999/x", "Port out of range"),
        ("DAYPASS_DATABASE_URL", "postgresql://h:/x", "the port is missing"),
        ("DAYPASS_DATABASE_URL", "postgresql://h/x?port=abc", "port option must be"),
        ("DAYPASS_DATABASE_URL", "postgresql://h/x?prepare_threshold=x", "not a PostgreSQL"),
        ("DAYPASS_DATABASE_URL", "sqlite:///a?b/daypass.db", "write ? as %3F"),
        ("DAYPASS_SMTP_URL", "smtp://b\u00fccher.example", "xn--bcher-kva.example"),
        ("DAYPASS_OIDC_ISSUER", "https://b\u00fccher.example", "xn--bcher-kva.example"),
        ("DAYPASS_METRICS_TOKEN", "\u201c0123456789abcdef\u201d", "use plain ASCII"),
        ("DAYPASS_DATA_DIR", "\udcff", "must be UTF-8"),
        ("DAYPASS_OIDC_NAME", "\udcff", "must be UTF-8"),
        ("DAYPASS_EXTRA_PATHS", "\udcff", "must be UTF-8"),
        ("DAYPASS_CONFIG", "x" * 5000, "File name too long"),
        ("DAYPASS_SITE_REQUESTS_PER_DAY", "9" * 20, "DAYPASS_SITE_REQUESTS_PER_DAY: "),
        ("DAYPASS_ACCOUNT_REQUESTS_PER_DAY", "9" * 20, "DAYPASS_ACCOUNT_REQUESTS_PER_DAY: "),
        ("DAYPASS_OIDC_ISSUER", "redis://localhost", "must be an http(s) URL"),
        ("DAYPASS_KEEP_ALIVE_S", "nan", "DAYPASS_KEEP_ALIVE_S"),
        ("DAYPASS_SHUTDOWN_GRACE_S", "nan", "DAYPASS_SHUTDOWN_GRACE_S"),
    ],
)
def test_an_invalid_setting_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "no_such = 1",
        "[[plans]]\nid = 'a b'\nname = 'x'",
        "[[plans]",
        "[[plans]]\nid='a'\nname='a'\ncost=1",
        "[[plans]]\nid='a'\nname='a'\nburst=5",
    ],
)
def test_an_invalid_settings_file_is_reported_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "daypass.toml").write_text(text)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nno_such = 1\n", "line 2: no_such: there is no such setting"),
        ("sign_up = 'maybe'\n[other]\n", "line 1: sign_up: "),
        ("[other]\nsign_up = 'open'\n", "line 1: other: there is no such setting"),
        (PLANS + "requests_per_dya = 5\n", "line 9: plans.0.requests_per_dya: there is no such"),
        (PLANS + "[[plans]]\nid = 'b'\nname = 'B'\n", "line 9: plans.1: has no limit"),
        (PLANS + "[[plans]]\n'id' = 'b'\n\"name\" = ''\n", "line 11: plans.1.name: "),
        ("plans = [{id = 'a', name = 'A', cost = 1}]", "line 1: plans.0.cost: there is no such"),
    ],
)
def test_errors_in_the_settings_file_name_the_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "daypass.toml").write_text(text)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert said in str(error.value)
    assert str(error.value).startswith("daypass.toml line ")


def test_a_plan_without_a_limit_must_be_explicit(tmp_path: Path) -> None:
    plan = "[[plans]]\nid='a'\nname='a'\nunlimited = true\n"
    (tmp_path / "daypass.toml").write_text(plan)
    assert load_settings().usage_plans[0].limits == ()
    (tmp_path / "daypass.toml").write_text(plan + "requests_per_day = 1\n")
    with pytest.raises(SettingsError, match="unlimited = true contradicts"):
        load_settings()


def test_dollars_from_the_environment_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """If `Dollars` were a strict type, pydantic-settings would convert them twice."""
    monkeypatch.setenv("DAYPASS_SITE_COST_PER_MONTH", "250")
    monkeypatch.setenv("DAYPASS_ACCOUNT_COST_PER_DAY", "0.000001")
    settings = load_settings().site_settings({})
    assert [x.amount for x in settings.site_limits] == [250_000_000]
    assert [x.amount for x in settings.account_limits] == [1]


@pytest.mark.parametrize("name", CEILINGS)
def test_api_gateway_has_no_ceilings(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    variable = ENV_PREFIX + name.upper()
    monkeypatch.setenv(variable, "5")
    assert load_settings()
    monkeypatch.setenv("DAYPASS_ENFORCER", "aws")
    monkeypatch.setenv("DAYPASS_AWS_REST_API_ID", "a1")
    with pytest.raises(SettingsError, match=f"{variable} needs DAYPASS_ENFORCER=embedded"):
        load_settings()


def test_the_readme_lists_every_setting() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    table = readme.split("\n## Settings\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `DAYPASS_")]
    listed = [name for row in rows for name in re.findall(r"DAYPASS_\w+", row)]
    settings = {ENV_PREFIX + name.upper() for name in Settings.model_fields}
    # Plans, prices and upstreams are described below the table; the others are for Daypass's own
    # tests.
    elsewhere = {"DAYPASS_PLANS", "DAYPASS_PRICES", "DAYPASS_UPSTREAMS", "DAYPASS_TESTING"}
    elsewhere.add("DAYPASS_CLOCK_OFFSET_S")
    assert sorted(listed) == sorted((settings - elsewhere) | {CONFIG_VARIABLE})
    for name in (*PlanSettings.model_fields, *PriceSettings.model_fields):
        assert re.search(rf"\b{name}\b", table), name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbfdemo = true\n", "without a byte order mark"),
        ("demo = true\n".encode("utf-16"), "without a byte order mark"),
        (b'public_url = "\xff"', "save it as UTF-8"),
        ("demo = \u201ctrue\u201d".encode(), "line 1"),
        (b"a = " + b"[" * 100_000, "recursion"),
    ],
)
def test_an_unreadable_settings_file_is_reported_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "daypass.toml").write_bytes(content)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value).startswith("daypass.toml: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_directory_is_rejected_as_a_settings_file(tmp_path: Path) -> None:
    (tmp_path / "daypass.toml").mkdir()
    with pytest.raises(SettingsError, match="not a file"):
        load_settings()


@pytest.mark.parametrize("name", ["50%", "a%41", "what?", "a#b", "a b", "b\u00fccher"])
def test_special_characters_in_the_data_directory_name_are_supported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("DAYPASS_DATA_DIR", str(tmp_path / name))
    asyncio.run(prepare(load_settings()))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "daypass.db").stat().st_size > 0


def test_burst_is_applied_to_the_limit_per_minute(tmp_path: Path) -> None:
    (tmp_path / "daypass.toml").write_text(
        "[[plans]]\nid='a'\nname='a'\nrequests_per_minute=60\nburst=5\nrequests_per_day=100"
    )
    (plan,) = load_settings().usage_plans
    assert [str(limit) for limit in plan.limits] == [
        "60 requests per minute, 5 at once",
        "100 requests per day",
    ]


def test_the_command_prints_a_settings_error_in_one_line() -> None:
    ended = daypass("serve", DAYPASS_NO_SUCH="1")
    assert ended.returncode == 2
    assert ended.stderr == "daypass: DAYPASS_NO_SUCH: there is no such setting\n"


@pytest.mark.parametrize(
    ("issuer", "name", "said"),
    [
        ("https://accounts.google.com", None, "Google"),
        ("https://github.com/", None, "GitHub"),
        ("https://login.school.example/realms/a", None, "login.school.example"),
        ("https://accounts.google.com", "School account", "School account"),
    ],
)
def test_the_identity_provider_has_a_display_name(
    monkeypatch: pytest.MonkeyPatch, issuer: str, name: str | None, said: str
) -> None:
    assert load_settings().sign_in_with is None
    monkeypatch.setenv("DAYPASS_PUBLIC_URL", "https://keys.example.org")
    monkeypatch.setenv("DAYPASS_OIDC_ISSUER", issuer)
    monkeypatch.setenv("DAYPASS_OIDC_CLIENT_ID", "x")
    monkeypatch.setenv("DAYPASS_OIDC_CLIENT_SECRET", "a-secret")
    if name:
        monkeypatch.setenv("DAYPASS_OIDC_NAME", name)
    settings = load_settings()
    assert settings.sign_in_with == said
    assert "a-secret" not in repr(settings)


def test_surrounding_white_space_is_stripped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYPASS_UPSTREAM_API_KEY", " sk-a\r\n")
    monkeypatch.setenv("DAYPASS_UPSTREAM_BASE_URL", " https://llm.example/v1/ \n")
    monkeypatch.setenv("DAYPASS_METRICS_TOKEN", "0123456789abcdef\n")
    settings = load_settings()
    assert settings.upstream_api_key is not None
    assert settings.upstream_api_key.get_secret_value() == "sk-a"
    assert settings.upstream_base_url == "https://llm.example/v1"
    assert settings.metrics_token is not None
    assert settings.metrics_token.get_secret_value() == "0123456789abcdef"


@pytest.mark.parametrize(
    ("environment", "refused"),
    [
        ({"HTTPS_PROXY": "http://proxy:1"}, True),
        ({"https_proxy": "http://proxy:1"}, True),
        ({"ALL_PROXY": "http://proxy:1"}, True),
        ({"HTTP_PROXY": "http://proxy:1"}, False),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "example.org,llm.example"}, False),
        ({"HTTPS_PROXY": "http://proxy:1", "no_proxy": ".example"}, False),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "other.example"}, True),
        ({"HTTPS_PROXY": "http://proxy:1", "AT": "https://127.0.0.1:1/v1"}, False),
        ({"HTTPS_PROXY": "http://proxy:1", "AT": "https://localhost/v1"}, False),
        ({"HTTPS_PROXY": "http://proxy:1", "DAYPASS_DEMO": "1"}, False),
    ],
)
def test_an_unused_proxy_setting_is_reported(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], refused: bool
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    environment = {"AT": "https://llm.example/v1"} | environment
    monkeypatch.setenv("DAYPASS_UPSTREAM_BASE_URL", environment.pop("AT"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    if not refused:
        check_proxies(settings)
        return
    with pytest.raises(SettingsError, match=r"_PROXY: .*Add llm\.example to NO_PROXY"):
        check_proxies(settings)
