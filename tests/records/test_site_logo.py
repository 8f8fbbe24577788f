"""The site's logo and the accepted terms, on each database."""

from daypass.domain.logo import Logo
from daypass.records import accounts, site_logo
from daypass.records.database import Database
from daypass.records.site_logo import LogoFacts


async def test_a_logo_replaces_the_one_before(database: Database) -> None:
    drawn = Logo("image/svg+xml", b"<svg\x00\xff/>", 40, 20.5)
    pixels = Logo("image/png", bytes(range(256)), 2, 2)
    async with database.write() as session:
        assert await site_logo.facts(session) is None
        assert await site_logo.remove(session) is False
    for logo in (drawn, pixels):
        async with database.write() as session:
            await site_logo.replace(session, logo)
        async with database.read() as session:
            assert await site_logo.find(session) == logo
            facts = LogoFacts(logo.digest, logo.media_type, logo.width, logo.height)
            assert await site_logo.facts(session) == facts
    async with database.write() as session:
        assert await site_logo.remove(session) is True
        assert await site_logo.find(session) is None


async def test_a_claimed_account_has_accepted_nothing(database: Database) -> None:
    async with database.write() as session:
        account = await accounts.create(session, "ada@example.org", "before", 1)
        await accounts.accept_terms(session, account.id, "2026-11", 2)
    async with database.read() as session:
        found = await accounts.find(session, account.id)
        assert found is not None
        assert (found.accepted_terms, found.terms_accepted_at) == ("2026-11", 2)
    async with database.write() as session:
        assert await accounts.claim(session, account.id, account.email, "after", 3)
    async with database.read() as session:
        found = await accounts.find(session, account.id)
        assert found is not None
        assert (found.accepted_terms, found.terms_accepted_at) == (None, None)
