"""Upstreams as the settings and the database describe them, without a server."""

import asyncio
from pathlib import Path

import pytest

from daypass.app.upstream_source import UpstreamSource, configured
from daypass.cli.serve import _upstream_names
from daypass.config.settings import Settings, load_settings
from daypass.config.upstreams import UpstreamTerms
from daypass.records import upstreams as stored
from daypass.records.database import Database
from daypass.records.schema import upgrade
from daypass.records.sealed_keys import KeySealer
from daypass.upstreams.current import CurrentUpstreams

KEY = "sk-planted-of-a-source-0123456789"
TOML = """
[[upstreams]]
name = "second"
base_url = "http://127.0.0.1:2/v1"

[[upstreams]]
name = "third"
base_url = "http://127.0.0.1:3/v1"
api_key = "none"
"""


async def test_keys_are_reencrypted_with_a_new_secret_and_a_lost_one_is_tolerated(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    await upgrade(database_url)
    database = Database(database_url)
    settings = Settings()
    terms = UpstreamTerms(name="mine", base_url="http://127.0.0.1:1/v1")
    async with database.write() as session:
        await stored.create(session, terms, KEY, KeySealer(("old",)), 1)

    async def sealed() -> str:
        async with database.read() as session:
            (row,) = await stored.rows(session)
        return row.sealed_key or ""

    async def problem(*secret_keys: str) -> str | None:
        upstreams = CurrentUpstreams(settings)
        assert upstreams.is_demo
        source = UpstreamSource(settings, database, KeySealer(secret_keys), upstreams)
        await source.start()
        await source.close()
        await upstreams.close()
        assert not upstreams.is_demo
        (config,) = upstreams.configs
        assert len(upstreams.members) == (0 if config.problem else 1)
        return config.problem

    first = await sealed()
    assert await problem("old") is None
    assert await sealed() == first
    assert await problem("new", "old") is None
    assert await sealed() != first
    assert await problem("new") is None
    assert "cannot be decrypted" in (await problem("old") or "")
    await database.close()


async def test_an_unreadable_row_turns_only_its_upstream_off(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/daypass.db"
    await upgrade(url)
    database = Database(url)
    sealer = KeySealer(("secret",))
    async with database.write() as session:
        for name in ("newer", "usable"):
            terms = UpstreamTerms(name=name, base_url="http://127.0.0.1:1/v1")
            row = await stored.create(session, terms, KEY, sealer, 1)
            if name == "newer":
                row.terms = row.terms | {"an_option_of_a_later_version": True}
    upstreams = CurrentUpstreams(Settings())
    source = UpstreamSource(Settings(), database, sealer, upstreams)
    await source.start()
    await source.close()
    await upstreams.close()
    await database.close()
    off = {x.terms.name: x.problem for x in upstreams.configs if x.problem}
    assert list(off) == ["newer"]
    assert "cannot be read" in (off["newer"] or "")
    assert [x.name for x in upstreams.members] == ["usable"]


def test_the_server_names_its_upstreams_when_it_starts(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/daypass.db"
    settings = Settings(data_dir=tmp_path)
    terms = UpstreamTerms(name="mine", base_url="http://127.0.0.1:1/v1")

    async def create() -> None:
        database = Database(url)
        async with database.write() as session:
            await stored.create(session, terms, KEY, KeySealer(("old",)), 1)
        await database.close()

    asyncio.run(upgrade(url))
    assert _upstream_names(settings).startswith("the demo model (connect")
    asyncio.run(create())
    assert _upstream_names(settings) == terms.base_url
    assert _upstream_names(Settings(data_dir=tmp_path, demo=True)).startswith("the demo model")


async def test_an_unchanged_upstream_keeps_its_connections() -> None:
    settings = Settings(upstream_base_url="http://127.0.0.1:1/v1")
    upstreams = CurrentUpstreams(settings)
    upstreams.replace(configured(settings))
    (before,) = upstreams.members
    assert upstreams.only[0].member is before
    upstreams.replace(configured(settings))
    assert upstreams.members == (before,)
    await upstreams.close()


def test_upstreams_are_listed_default_first_with_their_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "daypass.toml").write_text(TOML)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    described = list(configured(load_settings()))
    # An OpenAI key in the environment does not add another upstream.
    assert [(x.config.terms.name, x.config.place) for x in described] == [
        ("second", "daypass.toml line 2"),
        ("third", "daypass.toml line 6"),
    ]
    assert [x.config.key_last4 for x in described] == [None, None]
    monkeypatch.setenv("DAYPASS_UPSTREAM_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("DAYPASS_UPSTREAM_API_KEY", KEY)
    first, *others = configured(load_settings())
    assert (first.config.terms.name, first.config.place) == ("default", "DAYPASS_UPSTREAM_BASE_URL")
    assert (first.api_key, first.config.key_last4) == (KEY, KEY[-4:])
    assert len(others) == 2
    monkeypatch.setenv("DAYPASS_DEMO", "1")
    assert list(configured(load_settings())) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ('name = "default"\nbase_url = "http://x/v1"', "two upstreams have the same name"),
        ('name = "a"\nbase_url = "http://metadata/v1"', "the upstream a: link-local addresses"),
        ('name = "a"\nbase_url = "https://api.openai.com"', "line 3: upstreams.0.base_url: write"),
        ('name = "a"\nbase_url = "http://x"\napi_key = "b c"', "line 4: upstreams.0.api_key: con"),
        ('name = "a"\nbase_url = "http://x"\nkey = "planted"', "there is no such setting"),
    ],
)
def test_an_invalid_upstreams_table_is_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, message: str
) -> None:
    from daypass.config.settings import SettingsError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAYPASS_UPSTREAM_BASE_URL", "http://127.0.0.1:1/v1")
    (tmp_path / "daypass.toml").write_text(f"[[upstreams]]\n{wrong}\n")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert "planted" not in str(error.value)
