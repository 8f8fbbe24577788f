"""Keeps the upstreams of this process as the settings and the database describe them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator

import structlog

from daypass.background import wait_at_most
from daypass.config.file import config_path, setting_place, table_place
from daypass.config.secret_key import existing_secret_keys
from daypass.config.settings import Settings
from daypass.config.upstreams import UpstreamTerms, check_upstream_address
from daypass.records import upstreams as stored
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.key_holders import key_revision
from daypass.records.sealed_keys import KeySealer, SealBrokenError
from daypass.records.tables import StoredUpstream
from daypass.upstreams.current import CurrentUpstreams, Described
from daypass.upstreams.member import UpstreamConfig
from daypass.upstreams.proxy_environment import proxy_problem

WATCH_EVERY_S = 0.4
"""Changes must hold on every process within a second."""

NOT_DECRYPTED = (
    "Its key cannot be decrypted: the secret key has changed, or the address was changed in the "
    "database. Enter the key again, or set DAYPASS_SECRET_KEY to the old secret key after the new."
)
NOT_READABLE = (
    "Its options cannot be read: a newer version of Daypass may have written them. Use that "
    "version, or delete this upstream and create it again."
)

log = structlog.get_logger()


class UpstreamSource:
    """Reads the upstreams at the start, and again when the database's revision number rises."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        sealer: KeySealer,
        upstreams: CurrentUpstreams,
    ) -> None:
        self._settings = settings
        self._database = database
        self._sealer = sealer
        self.upstreams = upstreams
        self._configured = tuple(configured(settings))
        self._revision = 0
        self._reported: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self._closing = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the upstreams, and begin to watch. Raises DatabaseUnavailableError."""
        async with self._database.read() as session:
            has_any = await stored.count(session) > 0
        if has_any:
            async with self._database.write() as session:
                renewed = await stored.renew_keys(session, self._sealer)
            if renewed:
                log.info("upstream_keys_renewed", count=renewed)
        await self.reload()
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop watching, once a query that is under way has ended."""
        self._closing.set()
        if self._watching is not None:
            await self._watching

    async def reload(self) -> None:
        """Read the upstreams now. Raises DatabaseUnavailableError."""
        async with self._lock:
            # The number first: a change after it is then seen at the next look.
            async with self._database.read() as session:
                revision = await key_revision(session)
                rows = await stored.rows(session)
            described = _described_rows(self._settings, rows, self._sealer)
            self.upstreams.replace([*self._configured, *described])
            self._revision = revision
        self._report()

    async def _watch(self) -> None:
        while not self._closing.is_set():
            await wait_at_most(WATCH_EVERY_S, self._closing)
            try:
                async with self._database.read() as session:
                    revision = await key_revision(session)
                if revision != self._revision:
                    await self.reload()
            except DatabaseUnavailableError:
                continue  # The upstreams stay as they are, and the next look tries again.

    def _report(self) -> None:
        """Log why upstreams are off, once."""
        problems = {x.terms.name: x.problem for x in self.upstreams.configs if x.problem}
        for name, problem in problems.items():
            if self._reported.get(name) != problem:
                log.error("upstream_off", upstream=name, reason=problem)
        self._reported = problems


@contextlib.asynccontextmanager
async def keep_upstreams(
    settings: Settings, database: Database, secret_keys: tuple[str, ...]
) -> AsyncIterator[UpstreamSource]:
    """Yield the source of this process's upstreams. Raises DatabaseUnavailableError."""
    upstreams = CurrentUpstreams(settings)
    try:
        source = UpstreamSource(settings, database, KeySealer(secret_keys), upstreams)
        await source.start()
        try:
            yield source
        finally:
            await source.close()
    finally:
        await upstreams.close()


async def read_site_upstreams(settings: Settings, database: Database) -> list[Described]:
    """Return the upstreams made on the site. Raises DatabaseUnavailableError and SettingsError."""
    async with database.read() as session:
        rows = await stored.rows(session)
    return _described_rows(settings, rows, KeySealer(existing_secret_keys(settings)))


def _described_rows(
    settings: Settings, rows: Iterable[StoredUpstream], sealer: KeySealer
) -> list[Described]:
    taken = {x.name for x in settings.configured_upstreams}
    return [_described(row, settings, sealer, taken) for row in rows]


def _described(
    row: StoredUpstream, settings: Settings, sealer: KeySealer, taken: set[str]
) -> Described:
    api_key = None
    try:
        terms = stored.terms_of(row)
        problem = _problem(terms, settings, taken)
        api_key = stored.key_of(row, sealer)
    except stored.UpstreamUnreadableError:
        terms, problem = UpstreamTerms.model_construct(name=row.name, base_url=""), NOT_READABLE
    except SealBrokenError:
        problem = NOT_DECRYPTED
    config = UpstreamConfig(
        row.id,
        terms,
        "site",
        key_version=row.sealed_key or "",
        key_last4=row.key_last4,
        problem=problem,
    )
    return Described(config, api_key)


def _problem(terms: UpstreamTerms, settings: Settings, taken: set[str]) -> str | None:
    """Return why an upstream made on the site is off, or None."""
    if settings.demo:
        return "DAYPASS_DEMO is set: the demo model answers."
    if terms.name in taken:
        return "An upstream in the settings has the same name. Rename this one."
    private = settings.upstream_private_addresses == "allow"
    try:
        check_upstream_address(terms.base_url, private=private)
    except ValueError as error:
        return f"Its address is not allowed: {error}."
    return proxy_problem(terms.base_url)


def configured(settings: Settings) -> Iterator[Described]:
    """Yield the upstreams of the environment and `daypass.toml`."""
    tables = list(settings.upstreams)
    for upstream in settings.configured_upstreams:
        is_default = upstream not in tables
        place = (
            _default_place(settings)
            if is_default
            else table_place("upstreams", tables.index(upstream))
        )
        api_key = upstream.api_key.get_secret_value() if upstream.api_key else None
        config = UpstreamConfig(
            f"settings:{upstream.name}",
            upstream.terms,
            "settings",
            place,
            key_version="settings" if api_key else "",
            key_last4=api_key[-4:] if api_key and len(api_key) >= stored.MASKED_LENGTH else None,
        )
        yield Described(config, api_key)


def _default_place(settings: Settings) -> str:
    """Return where the upstream named `default` is set."""
    if "upstream_base_url" in settings.model_fields_set:
        return setting_place("upstream_base_url")
    place = setting_place("upstream_api_key")
    return "OPENAI_API_KEY" if place == str(config_path()) else place
