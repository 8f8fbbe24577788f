"""`daypass doctor`: what is wrong with this installation, and what to do about it."""

import time

from sqlalchemy.engine import make_url

from daypass.doctor_sign_in import examine_sign_in
from daypass.doctor_upstream import examine_upstream
from daypass.enforcement import open_enforcer
from daypass.enforcer import EnforcerError
from daypass.finding import Finding
from daypass.portal.pages import PAGES
from daypass.quota.ledger import LedgerUnavailableError
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.settings import Settings, SettingsError, load_settings
from daypass.start import rehearse


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
        *await examine_upstream(settings),
        *_examine_stored_objects(settings),
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


def _examine_stored_objects(settings: Settings) -> list[Finding]:
    if settings.stored_objects != "shared":
        return []
    return [
        Finding(
            "stored objects",
            True,
            "warning: shared, so that every key can read and delete everybody's files and batches",
            "Set DAYPASS_STORED_OBJECTS=per-account, unless all of these people trust each other.",
        )
    ]
