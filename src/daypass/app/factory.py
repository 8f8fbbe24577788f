"""The composition root: creates the ASGI application from the settings."""

import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from daypass import __version__
from daypass.app.access_log import AccessLog
from daypass.app.enforcement import choose
from daypass.app.host_check import HostCheck
from daypass.app.startup import check_settings, make_clock, prepare
from daypass.app.upstream_source import keep_upstreams
from daypass.config.secret_key import secret_keys
from daypass.config.settings import Settings, load_settings
from daypass.gateway.app import Gateway
from daypass.gateway.base_url_hint import BaseUrlHint, is_api_call
from daypass.gateway.endpoint_policy import EndpointPolicy
from daypass.gateway.errors import GatewayError
from daypass.gateway.key_report import KeyReport
from daypass.gateway.ownership import Ownership
from daypass.gateway.price_list import PriceList
from daypass.gateway.request_meter import RequestMeter
from daypass.http.types import Application
from daypass.observability.logging import configure_logging
from daypass.observability.metrics import Metrics
from daypass.observability.safe_errors import error_location
from daypass.portal import (
    account_settings,
    api_keys,
    chat,
    confirmations,
    health,
    idempotency,
    logo,
    password_resets,
    problems,
    receipts,
    sessions,
    setup,
    sign_up,
    site,
    terms,
    usage,
    usage_plans,
)
from daypass.portal.body_limit import BodyLimit
from daypass.portal.context import Portal, operator, same_origin
from daypass.portal.identity import routes as identity
from daypass.portal.identity.choice import choose_provider
from daypass.portal.live_feed import LiveFeed
from daypass.portal.look import LookSource
from daypass.portal.operator import OPERATOR_NOUNS
from daypass.portal.outbox import open_outbox
from daypass.portal.page_security import WithHeaders, security_headers
from daypass.portal.pages import pages
from daypass.portal.passwords import Passwords
from daypass.portal.readiness import Readiness
from daypass.portal.signer import Signer
from daypass.records.database import Database
from daypass.records.recorder import Recorder
from daypass.records.sweeper import sweeping
from daypass.upstreams.refusals import LastRefusal

log = structlog.get_logger()

PORTAL_PATHS = ("/api/", "/healthz", "/readyz", "/metrics")

# Response headers that a page on another origin may read (CORS).
EXPOSED_HEADERS = (
    "x-request-id",
    "x-should-retry",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
    "x-daypass-max-output-tokens",
)


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Return all of Daypass as one ASGI application.

    Without `settings`, loads them. Raises SettingsError (`load_settings`, `check_settings`).
    """
    settings = settings or load_settings()
    check_settings(settings)
    configure_logging(settings.log_format)
    app: ASGIApp = Daypass(settings)
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("*",),
            # Browsers may send cookies only to explicitly listed origins.
            allow_credentials="*" not in settings.cors_origins,
            expose_headers=EXPOSED_HEADERS,
            max_age=3_600,
        )
    if settings.public_url is not None:
        own = urlsplit(settings.public_url).netloc.rpartition("@")[2]
        app = HostCheck(app, settings.public_url, (own, *settings.allowed_hosts))
    return AccessLog(app, settings.trusted_proxies) if settings.access_log else app


class Daypass:
    """The gateway at `/v1`; the portal and the site at all other paths."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._gateway: Gateway
        self._relay: Application
        self._pages: ASGIApp
        self._base_url_hint: BaseUrlHint
        self._server_state: Mapping[str, Any] = {}
        self._portal = FastAPI(
            title="Daypass",
            version=__version__,
            summary="Accounts, usage plans, API keys and usage. The gateway itself is at /v1.",
            openapi_url="/api/openapi.json",
            docs_url=None,
            redoc_url=None,
            lifespan=self._lifespan,
        )
        problems.install(self._portal)
        idempotency.install(self._portal)
        self._portal.add_middleware(BodyLimit, max_chat_bytes=settings.max_body_bytes)
        api = APIRouter(
            prefix="/api",
            dependencies=[Depends(same_origin)],
            responses=problems.ANSWERS,
        )
        for noun in (
            sign_up,
            setup,
            account_settings,
            confirmations,
            password_resets,
            sessions,
            identity,
            usage_plans,
            api_keys,
            usage,
            receipts,
            chat,
            site,
            logo,
            terms,
        ):
            api.include_router(noun.router)
        operators = APIRouter(
            prefix="/api/operator",
            tags=["operator"],
            # Checks the origin too, unless the request carries an admin token.
            dependencies=[Depends(operator)],
            responses=problems.ANSWERS,
        )
        for noun in OPERATOR_NOUNS:
            operators.include_router(noun.router)
        self._portal.include_router(api)
        self._portal.include_router(operators)
        self._portal.include_router(health.router)
        self._headers = security_headers(settings.public_url)
        self._answers = WithHeaders(self._portal, {**self._headers, "cache-control": "no-store"})

    # Must be a coroutine function: this is how servers tell ASGI 3 from ASGI 2.
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route a request to the gateway, the portal or the site, based only on its path."""
        path = scope.get("path", "")
        if scope["type"] == "http" and (path.startswith("/v1/") or path == "/v1"):
            await self._relay(scope, receive, send)
        else:
            await self._beside_gateway(scope, receive, send)

    async def _beside_gateway(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._server_state = scope.get("state", {})
            await self._portal(scope, receive, send)
            return
        path = scope.get("path", "")
        is_page = path != "/api" and not path.startswith(PORTAL_PATHS)
        if is_api_call(scope, is_page=is_page):
            await self._base_url_hint(scope, receive, send)
            return
        try:
            await (self._pages if is_page else self._answers)(scope, receive, send)
        except Exception as error:
            # A response was sent already. The server would log the error's text, secrets included.
            log.error("request_fault", reason=error_location(error))

    def openapi(self) -> dict[str, Any]:
        """Return the portal's OpenAPI document."""
        return self._portal.openapi()

    def _is_stopping(self) -> bool:
        return bool(self._server_state.get("is_draining"))

    async def _list_models(self) -> list[str]:
        try:
            return await self._gateway.list_models()
        except GatewayError as error:
            raise problems.ProblemError(error.status, error.message) from error

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        settings = self._settings
        clock = make_clock(settings)
        async with contextlib.AsyncExitStack() as stack:
            await prepare(settings)
            database = Database(settings.database_address)
            stack.push_async_callback(database.close)
            enforcement = choose(settings, database, clock)
            ledger = enforcement.ledger
            await ledger.start()
            stack.push_async_callback(ledger.close)
            metrics = Metrics(settings.metrics_dir)
            metrics.start()
            stack.push_async_callback(metrics.close)
            recorder = Recorder(database)
            recorder.start()
            metrics.backlog = recorder.backlog
            stack.push_async_callback(recorder.close)
            await stack.enter_async_context(sweeping(database, clock, settings.retention))
            signer = Signer(secret_keys(settings), clock)
            keeping = keep_upstreams(settings, database, signer.keys)
            source = await stack.enter_async_context(keeping)
            metrics.upstreams = source.upstreams.numbers

            authenticator = enforcement.authenticator
            authenticator.start()
            stack.push_async_callback(authenticator.close)
            keys_changed = authenticator.invalidate
            if settings.redis_url is not None:
                from daypass.gateway.revocation import Revocations  # noqa: PLC0415

                url = settings.redis_url.get_secret_value()
                revocations = Revocations(url, authenticator.invalidate)
                revocations.start()
                stack.push_async_callback(revocations.close)
                keys_changed = revocations.announce
            last_refusal = LastRefusal(settings.data_dir / "upstream-refusal.json")
            has_owners = settings.stored_objects == "per-account"
            self._gateway = gateway = Gateway(
                authenticator,
                ledger,
                source.upstreams,
                recorder,
                metrics,
                max_body_bytes=settings.max_body_bytes,
                endpoints=EndpointPolicy(settings.stored_objects, settings.extra_paths),
                ownership=Ownership(database, clock) if has_owners else None,
                meter=RequestMeter(
                    PriceList([(x.model, x.to_price()) for x in settings.prices]),
                    clock,
                    refuses_unknown_prices=settings.unknown_price == "refuse",
                ),
                last_refusal=last_refusal,
                report=KeyReport(ledger, database, recorder, clock),
                clock=clock,
                denied_paths=settings.denied_paths,
                open_per_key=settings.open_requests_per_key,
                open_per_account=settings.open_requests_per_account,
                fail_open=settings.fail_open,
                give_back_timeouts=settings.give_back_timeouts,
                uncounted=enforcement.uncounted,
            )
            guarded = enforcement.guard(gateway)
            behind_aws = settings.enforcer == "aws"
            self._relay = _for_pages(guarded) if behind_aws else guarded
            self._base_url_hint = BaseUrlHint(enforcement.base_url)
            site = pages(
                LookSource(database, settings),
                enforcement.base_url if behind_aws else None,
                settings.public_url,
            )
            self._pages = WithHeaders(site, self._headers)
            enforcer = enforcement.enforcer(recorder.flush, keys_changed)
            live = LiveFeed(database, self._is_stopping)
            stack.push_async_callback(live.close)
            outbox = open_outbox(settings, database, signer, clock)
            self._portal.state.portal = Portal(
                settings=settings,
                database=database,
                ledger=ledger,
                enforcer=await stack.enter_async_context(enforcer),
                gateway_base_url=enforcement.base_url,
                clock=clock,
                signer=signer,
                passwords=await stack.enter_async_context(Passwords(settings.data_dir)),
                outbox=await stack.enter_async_context(outbox),
                identity_provider=choose_provider(settings),
                serve_chat=gateway.chat,
                list_models=self._list_models,
                write_usage=recorder.flush,
                readiness=Readiness(database, ledger, settings.data_dir),
                metrics=metrics.exposition,
                last_refusal=last_refusal,
                upstreams=source.upstreams,
                reload_upstreams=source.reload,
                upstream_numbers=metrics.upstream_numbers,
                live=live,
            )
            _tune_interpreter()
            yield


def _tune_interpreter() -> None:
    """Tune the interpreter for many short requests and a ledger that commits in a thread."""
    # Exclude long-lived objects from garbage collection.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    # Let the thread that commits get the GIL from the event loop sooner (default: 5 ms).
    sys.setswitchinterval(0.001)


def _for_pages(gateway: Application) -> Application:
    """Return the gateway with CORS, because the site's pages call the stage's URL.

    All origins are allowed: a key is sent in a header and never as a cookie.
    """
    return CORSMiddleware(
        gateway,
        allow_origins=("*",),
        allow_methods=("*",),
        allow_headers=("*",),
        expose_headers=EXPOSED_HEADERS,
    )
