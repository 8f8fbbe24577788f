"""`daypass doctor`: what is wrong with this installation, and what to do about it."""

import time

from sqlalchemy.engine import make_url

from daypass.doctor_sign_in import examine_sign_in
from daypass.enforcement import open_enforcer
from daypass.enforcer import EnforcerError
from daypass.finding import Finding
from daypass.gateway.upstream import UpstreamError, UpstreamRequest
from daypass.portal.pages import PAGES
from daypass.quota.ledger import LedgerUnavailableError
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.settings import Settings, SettingsError, load_settings
from daypass.start import rehearse
from daypass.upstream_choice import open_upstream


async def examine() -> list[Finding]:
    """Look at settings, site, database, ledger and upstream."""
    try:
        settings = load_settings()
    except SettingsError as error:
        advice = "Correct it in the environment or in daypass.toml."
        return [Finding("settings", False, str(error), advice)]
    plans = ", ".join(plan.id for plan in settings.usage_plans)
    return [
        Finding("settings", True, f"usage plans: {plans}"),
        _examine_site(),
        *await _examine_stores(settings),
        *await _examine_enforcer(settings),
        await _examine_upstream(settings),
        *await examine_sign_in(settings),
    ]


def _examine_site() -> Finding:
    if (PAGES / "index.html").is_file():
        return Finding("site", True, "built")
    return Finding("site", False, "not built", "In a checkout, run 'make run' once.")


async def _examine_stores(settings: Settings) -> list[Finding]:
    where = make_url(settings.database_address).render_as_string(hide_password=True)
    try:
        await rehearse(settings)
    except DatabaseUnavailableError as error:
        advice = "Check DAYPASS_DATA_DIR (writable, with room?) or DAYPASS_DATABASE_URL."
        return [Finding("database", False, str(error), advice)]
    except LedgerUnavailableError as error:
        advice = "Check DAYPASS_DATA_DIR (writable, with room?) or DAYPASS_REDIS_URL."
        return [Finding("database", True, where), Finding("ledger", False, str(error), advice)]
    except (EnforcerError, SettingsError):
        pass  # `_examine_enforcer` tells it.
    return [Finding("database", True, where), Finding("ledger", True, _ledger_name(settings))]


async def _examine_enforcer(settings: Settings) -> list[Finding]:
    """API Gateway's plans, where it enforces. The embedded enforcer is the ledger."""
    if settings.enforcer == "embedded":
        return []
    database = Database(settings.database_address)
    try:
        async with open_enforcer(settings, database, time.time) as enforcer:
            plans = (await enforcer.policy()).plans
    except (EnforcerError, SettingsError) as error:
        reason = error.reason if isinstance(error, EnforcerError) else str(error)
        return [Finding("API Gateway", False, reason, "See docs/aws.md.")]
    finally:
        await database.close()
    if not plans:
        advice = "'daypass aws deploy' makes them; check DAYPASS_AWS_STAGE."
        return [Finding("API Gateway", False, "the stage has no usage plans", advice)]
    return [Finding("API Gateway", True, f"usage plans: {', '.join(plans)}")]


def _ledger_name(settings: Settings) -> str:
    if settings.enforcer == "aws":
        return "API Gateway counts"
    return str(settings.ledger_path) if settings.redis_url is None else "Redis"


async def _examine_upstream(settings: Settings) -> Finding:
    if settings.uses_demo_model:
        return Finding("upstream", True, "the demo model", "Set OPENAI_API_KEY for real answers.")
    patience = {"read_timeout_s": min(30, settings.read_timeout_s), "first_byte_timeout_s": None}
    upstream = open_upstream(settings.model_copy(update=patience))
    where = settings.upstream_base_url
    try:
        response = await upstream.open(UpstreamRequest("GET", b"/models", [], b""))
        response.close()
    except UpstreamError as error:
        advice = "Check DAYPASS_UPSTREAM_BASE_URL and the network."
        return Finding("upstream", False, f"{where} does not answer ({error})", advice)
    finally:
        await upstream.close()
    if response.status in (401, 403):
        advice = "Check DAYPASS_UPSTREAM_API_KEY or OPENAI_API_KEY."
        return Finding("upstream", False, f"{where} refuses the key", advice)
    return Finding("upstream", response.status == 200, f"{where} answers {response.status}")
