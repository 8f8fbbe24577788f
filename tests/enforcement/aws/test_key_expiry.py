"""`max_key_days` behind API Gateway, which has no expiry: Daypass's gateway refuses the key."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.settings import Settings
from daypass.config.site_settings import SiteSettings
from daypass.domain.key_format import mint
from daypass.domain.plans import UsagePlan
from daypass.enforcement.aws.gateway_guard import KEY_ID_HEADER, ApiGatewayAuthenticator
from daypass.gateway.errors import GatewayError
from daypass.gateway.principal import check_site_open
from daypass.records import accounts, api_keys, site_settings
from daypass.records.database import Database
from daypass.records.schema import upgrade

CREATED = 1_795_564_800
DAY_S = 86_400


async def settings_in_force(_session: AsyncSession) -> SiteSettings:
    return SiteSettings()


async def test_a_cached_key_is_refused_once_it_expires(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/daypass.db"
    await upgrade(url)
    database = Database(url)
    now = CREATED + 7 * DAY_S - 1
    plan = UsagePlan("week", "Week", (), max_key_days=7)
    try:
        async with database.write() as session:
            account = await accounts.create(session, "ada@example.org", "hash", CREATED)
            key = await api_keys.create(
                session, account.id, mint(), name="laptop", usage_plan_id="week", max_keys=1,
                now=CREATED,
            )  # fmt: skip
            key.aws_key_id = "aws1"
        authenticator = ApiGatewayAuthenticator(
            database, lambda _id: plan, settings_in_force, lambda: now
        )
        headers = [(KEY_ID_HEADER, b"aws1")]
        assert (await authenticator.by_headers(headers)).api_key_id == key.id
        now += 1
        for refused in (authenticator.by_headers(headers), authenticator.by_id(key.id)):
            with pytest.raises(GatewayError, match="expired at 2026-12-02T00:00:00Z") as error:
                await refused
            assert (error.value.status, error.value.code) == (401, "api_key_expired")
    finally:
        await database.close()


async def test_the_gateway_knows_that_the_site_is_paused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/daypass.db"
    await upgrade(url)
    database = Database(url)
    plan = UsagePlan("week", "Week", ())
    read_settings = partial(site_settings.read, settings=Settings())
    try:
        async with database.write() as session:
            account = await accounts.create(session, "ada@example.org", "hash", CREATED)
            key = await api_keys.create(
                session, account.id, mint(), name="laptop", usage_plan_id="week", max_keys=1,
                now=CREATED,
            )  # fmt: skip
            key.aws_key_id = "aws1"
            await site_settings.change(session, {"paused": True}, CREATED)
        authenticator = ApiGatewayAuthenticator(
            database, lambda _id: plan, read_settings, lambda: CREATED
        )
        headers = [(KEY_ID_HEADER, b"aws1")]
        for principal in (
            await authenticator.by_headers(headers), await authenticator.by_id(key.id)
        ):  # fmt: skip
            with pytest.raises(GatewayError, match="has paused it"):
                check_site_open(principal)
    finally:
        await database.close()
