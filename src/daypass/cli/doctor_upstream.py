"""Checks of `daypass doctor` for the upstreams: list their models and ask one for a token."""

from collections.abc import Collection

from daypass.app.upstream_source import configured, read_site_upstreams
from daypass.cli.finding import Finding
from daypass.config.settings import Settings, SettingsError
from daypass.config.upstreams import DEFAULT_NAME
from daypass.domain.plans import UsagePlan
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.upstreams.base import Upstream
from daypass.upstreams.current import Described, open_upstream
from daypass.upstreams.demo import DemoUpstream
from daypass.upstreams.probe import ProbeProblem, probe
from daypass.upstreams.proxy_environment import check_proxies

CHECK_S = 30.0
"""How long each call may take, in seconds."""
VARIABLES = {
    "key": "Check DAYPASS_UPSTREAM_API_KEY or OPENAI_API_KEY, and what the key may do.",
    "address": "Check DAYPASS_UPSTREAM_BASE_URL and the network.",
    "no_list": "Check DAYPASS_UPSTREAM_BASE_URL and the network.",
    "no_v1": "Most services have their API below /v1: then DAYPASS_UPSTREAM_BASE_URL has to end "
    "in it.",
}
"""Advice for the upstream that is set by these variables."""


async def examine_upstreams(settings: Settings, plans: Collection[UsagePlan]) -> list[Finding]:
    """Make two real calls to each: the list of models, and a chat of one token if one is known."""
    try:
        check_proxies(settings)
    except SettingsError as error:
        return [Finding("upstream", False, str(error))]
    preferred = sorted({x for plan in plans for x in plan.models})
    described = [*configured(settings), *await _made_on_site(settings)]
    if settings.demo or not described:
        advice = "Set OPENAI_API_KEY for real answers."
        return await _examine(preferred, DemoUpstream(), "the demo model", None, advice)
    waits = {"read_timeout_s": min(CHECK_S, settings.read_timeout_s), "first_byte_timeout_s": None}
    found: list[Finding] = []
    for upstream in described:
        found += await _examine_one(settings.model_copy(update=waits), preferred, upstream)
    return found


async def _made_on_site(settings: Settings) -> list[Described]:
    """Return the site's own upstreams. The check of the database reports why there are none."""
    database = Database(settings.database_address)
    try:
        return await read_site_upstreams(settings, database)
    except (DatabaseUnavailableError, SettingsError):
        return []
    finally:
        await database.close()


async def _examine_one(
    settings: Settings, preferred: list[str], described: Described
) -> list[Finding]:
    config, terms = described.config, described.config.terms
    if config.problem is not None:
        what = _named("upstream", terms.name)
        return [Finding(what, False, f"{terms.base_url} is off", config.problem)]
    upstream = open_upstream(settings, terms, described.api_key)
    return await _examine(preferred, upstream, terms.base_url, terms.name)


async def _examine(
    preferred: list[str], upstream: Upstream, where: str, name: str | None, advice: str = ""
) -> list[Finding]:
    try:
        result = await probe(upstream, where, preferred=preferred)
    finally:
        await upstream.close()
    problem = result.problem
    if problem is not None and problem.step == "models" and problem.cause != "no_model":
        what = problem.what.removeprefix("It ")
        found = Finding(_named("upstream", name), False, f"{where} {what}", _advice(problem, name))
        return [found]
    found = Finding(_named("upstream", name), True, where, advice)
    if result.model_tried is None:
        return [found]
    chat = _named("chat", name)
    if problem is None:
        return [found, Finding(chat, True, f"{result.model_tried} answers")]
    # It may not be a chat model: its name does not tell.
    is_chosen = problem.cause == "other"
    advice = "Try a model of yours: this one was chosen by its name." if is_chosen else ""
    return [found, Finding(chat, is_chosen, problem.what, advice or _advice(problem, name))]


def _named(what: str, name: str | None) -> str:
    return what if name in (None, DEFAULT_NAME) else f"{what} {name}"


def _advice(problem: ProbeProblem, name: str | None) -> str:
    own = (
        VARIABLES.get(problem.cause) if name == DEFAULT_NAME and problem.step == "models" else None
    )
    return own or problem.advice
